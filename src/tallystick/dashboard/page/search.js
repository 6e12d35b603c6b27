// The search box: a name, an address, an id or a hash. "/" opens, arrows choose, enter goes, escape closes.

import { get, isExport } from "./data.js";
import { el, pathOf, stranger } from "./dom.js";

const KINDS = { network: "Networks", model: "Models", operator: "Operators", requester: "Requesters", resolver: "Resolvers", batch: "Batches", transaction: "Transactions" };
const MOST = 5;
const PAUSE = 150;

function href(hit) {
  switch (hit.kind) {
    case "network": return `#/network/${pathOf(hit)}`;
    case "operator":
    case "requester":
    case "resolver":
    case "model": return `#/${hit.kind}/${hit.chain_id}/${hit.core}/${hit.id}`;
    case "transaction": return `#/transaction/${hit.chain_id}/${hit.id}`;
    default: return `#/batch/${hit.chain_id}/${hit.core}/${hit.batch_id}`;
  }
}

// An export has no server to ask: its list of what can be found is searched here, by the server's rules.
async function find(words) {
  if (!isExport) return (await get("search", { q: words })).hits;
  const asked = words.trim().toLowerCase();
  const isId = /^0x[0-9a-f]{4,64}$/.test(asked);
  const named = (one) => ["network", "model"].includes(one.kind);
  const fits = (await get("search")).hits.filter((one) => (named(one) && one.title.toLowerCase().includes(asked)) || ((isId || named(one)) && one.id.startsWith(asked)));
  return Object.keys(KINDS).flatMap((kind) => fits.filter((one) => one.kind === kind).slice(0, MOST));
}

// An id with the part that was asked for underlined.
function marked(id, asked) {
  const same = id.startsWith(asked) ? asked.length : 0;
  const rest = id.slice(same);
  return el("span", { class: "id", title: id }, el("u", {}, id.slice(0, same)), rest.length > 16 ? `${rest.slice(0, 8)}…${rest.slice(-4)}` : rest);
}

export function searching(box, input, list) {
  let chosen = -1;
  let asked = 0;
  let timer = 0;
  // The words that the list is of.
  let shown = "";
  const options = () => [...list.querySelectorAll("[role=option]")];
  const close = () => {
    asked += 1;
    shown = "";
    list.hidden = true;
    list.replaceChildren();
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
    box.removeAttribute("data-open");
  };
  const choose = (to) => {
    const all = options();
    if (!all.length) return;
    chosen = (to + all.length) % all.length;
    all.forEach((one, at) => one.setAttribute("aria-selected", String(at === chosen)));
    input.setAttribute("aria-activedescendant", all[chosen].id);
    all[chosen].scrollIntoView({ block: "nearest" });
  };
  const show = async () => {
    const words = input.value.trim().toLowerCase();
    if (!words) {
      close();
      return;
    }
    const mine = ++asked;
    let hits = [];
    let trouble = "";
    try {
      hits = await find(words);
    } catch (error) {
      trouble = error.message;
    }
    if (mine !== asked) return;
    shown = words;
    const groups = Object.entries(KINDS).map(([kind, name]) => [kind, name, hits.filter((one) => one.kind === kind)]).filter(([, , some]) => some.length);
    list.replaceChildren(...(groups.length
      ? groups.map(([kind, name, some]) => el("div", { role: "group", "aria-label": name }, el("p", { class: "label", "aria-hidden": "true" }, name),
        some.map((hit, at) => el("a", { role: "option", id: `found-${kind}-${at}`, "aria-selected": "false", tabindex: "-1", href: href(hit), onclick: () => { input.value = ""; close(); } },
          hit.title ? [stranger(hit.title), " "] : null, marked(hit.id, words)))))
      : [el("p", { class: "none" }, trouble || `Nothing found for “${input.value.trim()}”. ${isExport ? "An export finds the newest of each kind. " : ""}You can search for a name, an address, the id of a network, model or batch, or a transaction hash: four digits at least. Or drop a file of receipts here.`)]));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    chosen = -1;
    choose(0);
  };
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(show, PAUSE);
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      choose(chosen + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Enter") {
      event.preventDefault();
      clearTimeout(timer);
      const go = () => options()[chosen]?.click();
      if (shown === input.value.trim().toLowerCase()) go();
      else show().then(go);
    } else if (event.key === "Escape") {
      input.value = "";
      close();
      input.blur();
    }
  });
  addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.target.matches?.("input, textarea, select")) return;
    event.preventDefault();
    box.toggleAttribute("data-open", true);
    input.focus();
  });
  addEventListener("click", (event) => {
    if (!box.contains(event.target) && !event.target.closest?.("#seek")) close();
  });
  document.getElementById("seek").addEventListener("click", () => {
    box.toggleAttribute("data-open");
    if (box.hasAttribute("data-open")) input.focus();
  });
}
