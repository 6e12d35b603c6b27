// Which page is shown, and when it is drawn anew.

import { age, ago } from "./ago.js";
import { chainName } from "./chains.js";
import { redraw } from "./charts.js";
import { follow, get } from "./data.js";
import { el } from "./dom.js";
import { dropping } from "./filedrop.js";
import { count } from "./format.js";
import { keep } from "./keep.js";
import { route, stays } from "./route.js";
import { searching } from "./search.js";
import { theme } from "./theme.js";
import { batch } from "./views/batch.js";
import { check } from "./views/check.js";
import { counting } from "./views/counting.js";
import { dispute } from "./views/dispute.js";
import { disputes } from "./views/disputes.js";
import { elsewhere } from "./views/elsewhere.js";
import { headline } from "./views/headline.js";
import { model } from "./views/model.js";
import { network } from "./views/network.js";
import { networks } from "./views/networks.js";
import { number } from "./views/number.js";
import { operator } from "./views/operator.js";
import { requester } from "./views/requester.js";
import { resolver } from "./views/resolver.js";
import { transaction } from "./views/transaction.js";

const VIEWS = { "": networks, networks, headline, network, number, check, batch, disputes, elsewhere, counting, operator, model, requester, resolver, transaction, dispute };
const main = document.getElementById("main");
const states = new Map();
let drawing = 0;
let coverage = null;
let clicked = false;

function stateOf(hash) {
  if (!states.has(hash)) states.set(hash, {});
  return states.get(hash);
}

async function draw({ moved }) {
  const mine = ++drawing;
  const stayed = stays();
  const { hash } = location;
  const { name, parts } = route();
  main.setAttribute("aria-busy", "true");
  let view;
  try {
    coverage = await get("coverage");
    // Parts go into the paths of requests: nothing that leads elsewhere.
    const known = Object.hasOwn(VIEWS, name) && parts.every((part) => /^[\w-]+$/.test(part));
    if (!known) throw new Error("there is no such page");
    view = await VIEWS[name](parts, stateOf(hash), coverage);
  } catch (error) {
    view = { title: "Nothing to show", body: [el("p", { class: "bad", role: "alert" }, error.message)] };
  }
  if (mine !== drawing) return;
  const putBack = moved && !stayed ? null : keep(main);
  main.replaceChildren(...(view.head ?? [el("h1", {}, view.heading ?? view.title)]), ...view.body);
  main.removeAttribute("aria-busy");
  redraw({ all: false });
  document.title = `${view.title} · Tallystick`;
  for (const link of document.querySelectorAll("nav a")) {
    const here = link.getAttribute("href") === `#/${{ batch: "check", networks: "" }[name] ?? name}`;
    link.toggleAttribute("aria-current", here);
    if (here) link.setAttribute("aria-current", "page");
  }
  tell();
  putBack?.();
  if (moved === "by hand" && !stayed) {
    scrollTo(0, clicked ? 0 : stateOf(hash).scrolled ?? 0);
    clicked = false;
    main.focus({ preventScroll: true });
  }
}

function tell() {
  if (!coverage) return;
  const registries = coverage.cores.map((one, at) => [
    `${at ? "; " : ""}${chainName(one.chain_id)}, registry ${one.core}, blocks ${count(one.first_block)} to ${count(one.last_block)}`,
    age(one),
    ` (${one.boundary}), ${count(one.events)} events`,
  ]);
  document.getElementById("covered").replaceChildren(
    ...coverage.exported === null ? [] : ["Exported ", ago(coverage.exported), ". "],
    "Made of: ",
    ...registries.flat(2),
    `. Definitions ${coverage.definitions_version}.${coverage.trouble && ` Newer blocks are not shown: ${coverage.trouble}`}`,
  );
}

function menu() {
  const button = document.getElementById("menu");
  const pages = document.getElementById("pages");
  const open = (is) => {
    pages.toggleAttribute("data-open", is);
    button.setAttribute("aria-expanded", String(is));
  };
  button.addEventListener("click", () => open(!pages.hasAttribute("data-open")));
  pages.addEventListener("click", () => open(false));
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !pages.hasAttribute("data-open")) return;
    open(false);
    button.focus();
  });
}

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
// The way back leads to where somebody was.
addEventListener("click", (event) => {
  if (!event.target.closest?.("a[href^='#']")) return;
  clicked = true;
  stateOf(location.hash).scrolled = scrollY;
}, { capture: true });
addEventListener("hashchange", () => draw({ moved: "by hand" }));
theme(document.getElementById("theme"), redraw);
menu();
dropping(document.getElementById("search"));
searching(document.getElementById("search"), document.getElementById("words"), document.getElementById("found"));
draw({ moved: "at first" });
const news = document.getElementById("news");
follow(async () => {
  // What somebody is writing or checking stays as it is.
  if (route().name === "check") coverage = await get("coverage");
  else await draw({ moved: null });
  tell();
  news.textContent = coverage.trouble ? "Newer blocks are not shown." : `Updated to block ${coverage.cores.map((one) => count(one.last_block)).join(", ")}.`;
}, () => {
  news.textContent = "The server does not answer: these numbers are not followed. Trying again.";
});
