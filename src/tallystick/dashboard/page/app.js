// Which page is shown, and when it is drawn anew.

import { redraw } from "./charts.js";
import { follow, get, isExport } from "./data.js";
import { el } from "./dom.js";
import { count } from "./format.js";
import { check } from "./views/check.js";
import { counting } from "./views/counting.js";
import { disputes } from "./views/disputes.js";
import { network } from "./views/network.js";
import { networks } from "./views/networks.js";
import { number } from "./views/number.js";

const VIEWS = { "": networks, network, number, check, batch: check, disputes, counting };
const main = document.getElementById("main");
let states = {};
let drawing = 0;
let coverage = null;

function route() {
  const [name, ...parts] = location.hash.replace(/^#\/?/, "").split("/");
  return { name, parts: parts.map(decodeURIComponent) };
}

async function draw({ moved }) {
  const mine = ++drawing;
  const { name, parts } = route();
  const key = location.hash;
  main.setAttribute("aria-busy", "true");
  let view;
  try {
    coverage = await get("coverage");
    const make = VIEWS[name];
    if (!make) throw new Error("there is no such page");
    states[key] ??= {};
    view = await make(parts, states[key], coverage);
  } catch (error) {
    view = { title: "Nothing to show", body: [el("p", { class: "bad", role: "alert" }, error.message)] };
  }
  if (mine !== drawing) return;
  const focused = moved ? -1 : [...focusable()].indexOf(document.activeElement);
  main.replaceChildren(el("h1", {}, view.heading ?? view.title), ...view.body);
  main.removeAttribute("aria-busy");
  redraw({ all: false });
  document.title = `${view.title} · Tallystick`;
  for (const link of document.querySelectorAll("nav a")) {
    const here = link.getAttribute("href") === `#/${name === "batch" ? "check" : name}`;
    link.toggleAttribute("aria-current", here);
    if (here) link.setAttribute("aria-current", "page");
  }
  tell();
  if (moved === "by hand") {
    scrollTo(0, 0);
    main.focus({ preventScroll: true });
  } else if (focused >= 0) {
    focusable()[focused]?.focus({ preventScroll: true });
  }
}

function focusable() {
  return main.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']");
}

function tell() {
  if (!coverage) return;
  const cores = coverage.cores.map((one) => `chain ${one.chain_id}, core ${one.core}, blocks ${count(one.first_block)} to ${count(one.last_block)} (${one.boundary}), ${count(one.events)} events`);
  document.getElementById("covered").textContent = `${isExport ? "Exported. " : ""}Made of: ${cores.join("; ")}. Definitions ${coverage.definitions_version}.${coverage.trouble && ` Newer blocks are not shown: ${coverage.trouble}`}`;
}

function theme() {
  const select = document.getElementById("theme");
  const apply = (value) => {
    if (value) document.documentElement.dataset.theme = value;
    else delete document.documentElement.dataset.theme;
    redraw();
  };
  let kept = "";
  try { kept = localStorage.getItem("theme") ?? ""; } catch { /* storage may be off */ }
  select.value = kept;
  apply(select.value);
  select.addEventListener("change", () => {
    try { localStorage.setItem("theme", select.value); } catch { /* storage may be off */ }
    apply(select.value);
  });
}

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
addEventListener("hashchange", () => {
  states = { [location.hash]: states[location.hash] ?? {} };
  draw({ moved: "by hand" });
});
theme();
draw({ moved: "at first" });
follow(async () => {
  // What somebody is writing or checking stays as it is.
  if (["check", "batch"].includes(route().name)) coverage = await get("coverage");
  else await draw({ moved: null });
  tell();
  document.getElementById("news").textContent = `Updated to block ${coverage.cores.map((one) => count(one.last_block)).join(", ")}.`;
});
