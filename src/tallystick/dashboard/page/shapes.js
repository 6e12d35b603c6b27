// What is drawn without a chart: grade shapes, badges, bars, a network's sign, a line of days.

import { el } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";
export const MARK = "M1 3.6h22v7.7h-.6L17 6.1l-5.2 5.2h-.9L7.3 7.4l-3.7 3.9H1zM1 20.4h22v-7.7h-.6L17 17.9l-5.2-5.2h-.9l-3.6 3.9-3.7-3.9H1z";

export function capital(name) {
  return name[0].toUpperCase() + name.slice(1);
}

// Attributes are ours alone: no stranger's text becomes one.
export function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

export function mark() {
  return svg("svg", { viewBox: "0 0 24 24", class: "mark", "aria-hidden": "true" }, svg("path", { d: MARK }));
}

export function shape(kind) {
  return el("span", { class: `shape ${kind}`, "aria-hidden": "true" });
}

// Filled with a grade's colour it is evidence; outlined it is none.
export function badge(kind, words) {
  return el("span", { class: `badge ${kind}` }, ["audited", "enclave", "proven", "rejected"].includes(kind) ? shape(kind) : null, kind === "agree" ? mark() : null, words);
}

// Five notches up and down, by ten bytes of a network's id.
export function sign(id) {
  const bytes = Array.from({ length: 10 }, (_, at) => parseInt(id.slice(2 + 2 * at, 4 + 2 * at), 16));
  const notches = Array.from({ length: 5 }, (_, at) => {
    const [up, down] = [3 + bytes[2 * at] / 32, 3 + bytes[2 * at + 1] / 32];
    return svg("rect", { x: 7 + 5 * at - 1, y: (18 - up).toFixed(1), width: 2, height: (up + down).toFixed(1), rx: 1 });
  });
  return svg("svg", { viewBox: "0 0 36 36", class: "sign", "aria-hidden": "true" }, svg("rect", { class: "ground", width: 36, height: 36, rx: 8 }), ...notches);
}

// Parts of a bar as shares of `scale`: { kind, value }. Widths are set by script: the page's policy takes no style in HTML.
export function bar(parts, scale, label, kind = "") {
  const fills = parts.filter((one) => one.value > 0).map((one) => {
    const fill = el("span", { class: `fill ${one.kind}` });
    fill.style.width = `${(100 * one.value) / scale}%`;
    return fill;
  });
  return el("div", { class: `bar ${kind}`, role: "img", "aria-label": label }, fills);
}

// Zero is where the ground is; the last day has a dot.
export function spark(values, label) {
  const [width, height] = [100, 30];
  const most = Math.max(...values, 1);
  const at = values.map((value, place) => [(place * width) / Math.max(1, values.length - 1), 2 + (height - 2) * (1 - value / most)].map((one) => one.toFixed(1)));
  const line = at.map((point) => point.join(",")).join(" ");
  const [x, y] = at.at(-1);
  return svg("svg", { viewBox: `-3 -3 ${width + 6} ${height + 4}`, class: "spark", role: "img", "aria-label": label },
    svg("polygon", { points: `0,${height} ${line} ${width},${height}` }),
    svg("polyline", { points: line }),
    svg("circle", { cx: x, cy: y, r: 2.2 }));
}
