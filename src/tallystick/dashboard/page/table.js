// Tables: a caption, sortable columns, and rows by the page.

import { el } from "./dom.js";
import { count } from "./format.js";

// columns: { name, cell: row => node or text, number?: bool, by?: row => comparable }
export function table(caption, columns, rows, { sort, onsort } = {}) {
  const heads = columns.map((column) => {
    const sorted = sort?.name === column.name && column.by ? sort.direction : undefined;
    const label = column.by && onsort
      ? el("button", { type: "button", onclick: () => onsort(column), "data-key": `sort ${caption} ${column.name}` }, column.name)
      : column.name;
    return el("th", { scope: "col", class: column.number && "number", "aria-sort": sorted }, label);
  });
  const lines = rows.map((row) => el("tr", {}, columns.map((column, place) => (
    place === 0
      ? el("th", { scope: "row", class: column.number && "number" }, column.cell(row))
      : el("td", { class: column.number && "number" }, column.cell(row))
  ))));
  const empty = el("tr", {}, el("td", { colspan: columns.length }, "None."));
  return el("div", { class: "scroll", role: "region", "aria-label": caption, tabindex: "0" },
    el("table", {}, el("caption", {}, caption), el("thead", {}, el("tr", {}, heads)), el("tbody", {}, lines.length ? lines : empty)));
}

// Rows that are all here: sorted and turned over in the browser. `state` outlives a redrawing.
export function sortable(caption, columns, rows, state, size = 50) {
  const holder = el("div");
  const draw = () => {
    const column = columns.find((one) => one.name === state.name);
    const sorted = column ? [...rows].sort((one, other) => compare(column.by(one), column.by(other), state.direction)) : rows;
    state.at = Math.min(state.at ?? 0, Math.max(0, Math.ceil(rows.length / size) - 1) * size);
    const onsort = (chosen) => {
      const [first, second] = chosen.number ? ["descending", "ascending"] : ["ascending", "descending"];
      const again = state.name === chosen.name && state.direction === first;
      Object.assign(state, { name: chosen.name, direction: again ? second : first, at: 0 });
      draw();
      holder.querySelector(`[data-key="${CSS.escape(`sort ${caption} ${chosen.name}`)}"]`).focus();
    };
    holder.replaceChildren(
      table(caption, columns, sorted.slice(state.at, state.at + size), { sort: state, onsort }),
      ...pager(caption, state.at, size, rows.length, (at) => { state.at = at; draw(); }, holder),
    );
  };
  draw();
  return holder;
}

// Rows of which each page is asked for: { holder, total }. `load` gives { rows, total } from an offset on.
export async function paged(caption, columns, load, state, size = 100) {
  const holder = el("div");
  let total = 0;
  const draw = async () => {
    const page = await load(state.at ?? 0);
    total = page.total;
    holder.replaceChildren(
      table(`${caption} (${count(total)})`, columns, page.rows),
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
