// Tables: a caption, sortable columns, and rows by the page. On a phone a row is a card, so roles are
// written out: a table that is displayed otherwise is none to a screen reader.

import { el } from "./dom.js";
import { explains, word } from "./explain.js";
import { count } from "./format.js";

// columns: { name, cell: row => node or text, number?: bool (to the right), numeric?: bool, kind?: class,
// by?: row => comparable, about?: name of the definition }
export function table(caption, columns, rows, { sort, onsort, open, kind = "" } = {}) {
  const heads = columns.map((column) => {
    const sorted = sort?.name === column.name && column.by ? sort.direction : undefined;
    const sorts = column.by && onsort
      ? el("button", { type: "button", onclick: () => onsort(column), "data-key": `sort ${caption} ${column.name}` }, column.name)
      : null;
    const label = column.about ? (sorts ? explains(sorts, column.about) : word(column.name, column.about)) : sorts ?? column.name;
    return el("th", { scope: "col", role: "columnheader", class: classOf(column), "aria-sort": sorted }, label);
  });
  const lines = rows.map((row) => el("tr", { role: "row", ...(open ? { class: "opens", onclick: (event) => follow(event, open(row)) } : {}) }, columns.map((column, place) => (
    place === 0
      ? el("th", { scope: "row", role: "rowheader", class: classOf(column) }, column.cell(row))
      : el("td", { role: "cell", class: classOf(column), "data-label": column.name }, column.cell(row))
  ))));
  const empty = el("tr", { role: "row" }, el("td", { role: "cell", colspan: columns.length }, "None."));
  return el("div", { class: `scroll ${kind}`, role: "region", "aria-label": caption, tabindex: "0" },
    el("table", { role: "table" }, el("caption", {}, caption), el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, heads)), el("tbody", { role: "rowgroup" }, lines.length ? lines : empty)));
}

function classOf(column) {
  return [column.number && "number", column.kind].filter(Boolean).join(" ") || null;
}

// The whole row leads somewhere; what can be clicked in it goes its own way, and so does a selection.
function follow(event, href) {
  if (event.target.closest("a, button, summary, details") || !getSelection().isCollapsed) return;
  event.currentTarget.querySelector(`a[href="${CSS.escape(href)}"]`)?.click();
}

// Rows that are all here: sorted and turned over in the browser. `state` outlives a redrawing.
export function sortable(caption, columns, rows, state, { size = 50, open, kind } = {}) {
  const holder = el("div");
  const draw = () => {
    const column = columns.find((one) => one.name === state.name);
    const sorted = column ? [...rows].sort((one, other) => compare(column.by(one), column.by(other), state.direction)) : rows;
    state.at = Math.min(state.at ?? 0, Math.max(0, Math.ceil(rows.length / size) - 1) * size);
    const onsort = (chosen) => {
      const [first, second] = chosen.number || chosen.numeric ? ["descending", "ascending"] : ["ascending", "descending"];
      const again = state.name === chosen.name && state.direction === first;
      Object.assign(state, { name: chosen.name, direction: again ? second : first, at: 0 });
      draw();
      holder.querySelector(`[data-key="${CSS.escape(`sort ${caption} ${chosen.name}`)}"]`).focus();
    };
    holder.replaceChildren(
      table(caption, columns, sorted.slice(state.at, state.at + size), { sort: state, onsort, open, kind }),
      ...pager(caption, state.at, size, rows.length, (at) => { state.at = at; draw(); }, holder),
    );
  };
  draw();
  return holder;
}

// Rows of which each page is asked for: { holder, total }. `load` gives { rows, total } from an offset on.
export async function paged(caption, columns, load, state, { size = 100, kind } = {}) {
  const holder = el("div");
  let total = 0;
  const draw = async () => {
    const page = await load(state.at ?? 0);
    total = page.total;
    holder.replaceChildren(
      table(`${caption} (${count(total)})`, columns, page.rows, { kind }),
      ...pager(caption, state.at ?? 0, size, total, async (at) => {
        state.at = at;
        await draw().catch((error) => holder.append(el("p", { class: "bad", role: "alert" }, error.message)));
      }, holder),
    );
  };
  await draw();
  return { holder, total };
}

function pager(caption, at, size, total, go, holder) {
  if (total <= size) return [];
  const turn = (label, to, possible) => el("button", {
    type: "button",
    disabled: !possible,
    "aria-label": `${label}: ${caption}`,
    onclick: async () => {
      await go(to);
      holder.querySelector('[role="region"]').focus();
    },
  }, label);
  const last = Math.min(at + size, total);
  return [el("p", { class: "row" },
    turn("Previous", at - size, at > 0),
    turn("Next", at + size, last < total),
    el("span", {}, `${count(at + 1)} to ${count(last)} of ${count(total)}`))];
}

// What is unknown stands last, whichever way.
function compare(one, other, direction) {
  if (one === null || other === null) return (one === null) - (other === null);
  const order = one < other ? -1 : Number(one > other);
  return direction === "descending" ? -order : order;
}
