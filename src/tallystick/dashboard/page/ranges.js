// The days that a chart shows: the last 30, the last 90, or all; a choice of the chart's own.

import { el } from "./dom.js";

const RANGES = [["30 d", 30], ["90 d", 90], ["All", Infinity]];

// `make` draws some days: { plot, button }; without any it is not asked. `state` outlives a redrawing.
// Returns { plot, links }: the switch and the button for the chart's head.
export function ranged(title, days, state, make) {
  state.range ??= RANGES.length - 1;
  const plot = el("div");
  const last = el("span");
  const buttons = RANGES.map(([name, length], at) => el("button", {
    type: "button",
    "data-key": `days ${title} ${name}`,
    onclick: () => { state.range = at; show(); },
  }, name));
  function show() {
    buttons.forEach((one, at) => one.setAttribute("aria-pressed", String(at === state.range)));
    const made = make(days.slice(-Math.min(RANGES[state.range][1], days.length)));
    plot.replaceChildren(made.plot);
    last.replaceChildren(made.button);
  }
  show();
  const pick = el("span", { class: "switch small", role: "group", "aria-label": `Days shown: ${title}` }, buttons);
  return { plot, links: days.length > RANGES[0][1] ? [pick, last] : [last] };
}
