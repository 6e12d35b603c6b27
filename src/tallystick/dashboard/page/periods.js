// The period that numbers are of, in the page's address: 1d, 7d, 30d or all; days are UTC.

import { isExport } from "./data.js";
import { el, pathOf } from "./dom.js";
import { swap } from "./route.js";

export const USUAL = "30d";
const NAMES = { "1d": "1 d", "7d": "7 d", "30d": "30 d", all: "All" };
const LONG = { "1d": "last day", "7d": "last 7 days", "30d": "last 30 days", all: "since the first event" };
const BEFORE = { "1d": "the day before", "7d": "the 7 days before", "30d": "the 30 days before" };

export function known(period) {
  return Object.hasOwn(NAMES, period ?? "") ? period : USUAL;
}

export function long(period) {
  return LONG[period];
}

// `base` is the page's address without its period.
export function periodSwitch(now, base) {
  return el("div", { class: "switch", role: "group", "aria-label": "Period, in days (UTC)" }, Object.entries(NAMES).map(([period, name]) => el("button", {
    type: "button",
    "aria-pressed": String(period === now),
    title: LONG[period],
    "data-key": `period ${period}`,
    onclick: () => swap(`${base}/${period}`),
  }, name)));
}

// Against as many days before; nothing where there are no such days.
export function change(value, period, words = true) {
  if (value === null) return null;
  const way = value > 0 ? "▲" : value < 0 ? "▼" : "";
  return el("p", { class: "change" }, el("strong", {}, way && el("span", { "aria-hidden": "true" }, `${way} `), el("span", { class: "unseen" }, value < 0 ? "less by " : "more by "), `${Math.abs(value * 100).toFixed(1)} %`), words ? ` on ${BEFORE[period]}` : "");
}

// What a network verified in the period is made of; an export has the whole network's events only.
export function madeOf(network, name, summary) {
  const base = `#/number/${pathOf(network)}/${name}`;
  return isExport || summary.period === "all" ? base : `${base}/since/${summary.first_day}`;
}
