// Charts by Chart.js: one cursor for hover, touch and arrow keys, whose numbers stand in a line above;
// a table of the same numbers in the chart's place on demand.

import { el } from "./dom.js";
import { count, dayName, short } from "./format.js";
import { capital, shape } from "./shapes.js";
import { table } from "./table.js";

export const GRADES = ["audited", "enclave", "proven"];
export const COUNTED = [...GRADES, "unchallenged", "unresolved", "rejected"];

const DAY = 86_400_000;
const MOST_DAYS = 400;
const drawn = new Set();

// What a variable comes to, light or dark.
const swatch = el("span", { hidden: true });

export function colour(name) {
  swatch.style.color = `var(--${name})`;
  document.body.append(swatch);
  const { color } = getComputedStyle(swatch);
  swatch.remove();
  return color;
}

// Hatched: what nobody checked is never filled.
function hatch() {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 6;
  const pen = tile.getContext("2d");
  pen.strokeStyle = colour("unchallenged");
  pen.lineWidth = 1.4;
  for (const from of [-6, 0, 6]) {
    pen.moveTo(from, 6);
    pen.lineTo(from + 6, 0);
  }
  pen.stroke();
  return pen.createPattern(tile, "repeat");
}

// Where nothing independent stands behind a grade, its colour is not shown: colour is evidence.
const GREY = { audited: "ink3", enclave: "ctl", proven: "line2" };

function fill(name, grey) {
  return name === "unchallenged" ? hatch() : colour((grey && GREY[name]) || name);
}

// Each day from the first to the last: those without an event too, the newest 400.
export function everyDay(days, names, first = days[0]?.day, last = days.at(-1)?.day) {
  const told = new Map(days.map((one) => [one.day, one]));
  const found = [];
  const end = Date.parse(last);
  for (let at = Math.max(Date.parse(first), end - (MOST_DAYS - 1) * DAY); at <= end; at += DAY) {
    const day = new Date(at).toISOString().slice(0, 10);
    found.push(told.get(day) ?? { ...Object.fromEntries(names.map((name) => [name, 0])), day });
  }
  return found;
}

function datasets(kind, days, names, grey) {
  if (kind === "area") {
    return names.map((name) => ({ data: days.map((one) => one[name]), backgroundColor: fill(name, grey), borderColor: colour("card"), borderWidth: 1, pointRadius: 0, fill: "stack", stack: "all" }));
  }
  return names.map((name) => ({
    data: days.map((one) => (name === "rejected" ? -one[name] : one[name])),
    backgroundColor: fill(name, grey),
    borderColor: colour("card"),
    borderWidth: { top: name === "rejected" ? 0 : 1 },
    stack: "all",
    categoryPercentage: 1,
    barPercentage: 0.78,
    maxBarThickness: 48,
  }));
}

// A dashed line where the cursor is.
export function cursorLine(entry) {
  return {
    id: "cursor",
    afterDatasetsDraw(chart) {
      const { ctx, chartArea, scales } = chart;
      const x = scales.x.getPixelForValue(entry.at);
      ctx.save();
      ctx.strokeStyle = colour("ink2");
      ctx.setLineDash([2, 3]);
      ctx.beginPath();
      ctx.moveTo(x, chartArea.top);
      ctx.lineTo(x, chartArea.bottom);
      ctx.stroke();
      ctx.restore();
    },
  };
}

// The column under the cursor.
function cursorColumn(entry, length) {
  return {
    id: "cursor",
    beforeDatasetsDraw(chart) {
      const { ctx, chartArea, scales } = chart;
      const step = chartArea.width / length;
      const x = scales.x.getPixelForValue(entry.at);
      ctx.save();
      ctx.fillStyle = colour("sunk");
      if (length > 1) ctx.fillRect(x - step / 2, chartArea.top, step, chartArea.height);
      ctx.restore();
    },
  };
}

// What all charts over days have alike: no motion, no box over the data, axes in ink.
export function overDays(entry, { stacked = false, y = {} } = {}) {
  const ink = colour("ink2");
  return {
    animation: false,
    responsive: true,
    maintainAspectRatio: false,
    events: ["mousemove", "click", "touchstart", "touchmove"],
    interaction: { mode: "index", intersect: false, axis: "x" },
    onHover: (_, found) => { if (found.length) entry.move(found[0].index); },
    plugins: { legend: { display: false }, tooltip: { enabled: false } },
    scales: {
      x: { stacked, border: { color: colour("line2") }, grid: { display: false }, ticks: { color: ink, maxRotation: 0, autoSkip: true, maxTicksLimit: 6 } },
      y: { stacked, beginAtZero: true, border: { display: false }, grid: { color: colour("line") }, ...y, ticks: { color: ink, maxTicksLimit: 6, ...y.ticks } },
    },
  };
}

function draw(entry) {
  entry.chart?.destroy();
  window.Chart.defaults.font = { family: getComputedStyle(document.body).fontFamily, size: 11.5 };
  entry.chart = new window.Chart(entry.picture, entry.config(entry));
}

// Draw what came onto the page, or all anew, in other colours; forget what left it.
export function redraw({ all = true } = {}) {
  for (const entry of drawn) {
    if (entry.picture.isConnected) {
      if (all || !entry.chart) draw(entry);
    } else if (entry.chart) {
      entry.chart.destroy();
      drawn.delete(entry);
    }
  }
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => redraw());
// Measured in another font, labels would stand beside their places.
document.fonts?.ready.then(() => redraw());

// A picture with one cursor for hover, touch, arrow keys and focus, a line above with its numbers, and
// a table in its place on demand. `config` makes a chart's; without it the picture draws itself, and
// `moved` is told where the cursor is. `told` gives what the line says at a place. Returns
// { plot, button }.
export function cursored({ picture, holder, length, config, told, moved, tabled, caption, state = {} }) {
  const line = el("p", { class: "readout", "aria-live": "polite" });
  const entry = { picture, config, chart: null, at: length - 1 };
  const tell = () => line.replaceChildren(...told(entry.at));
  entry.move = (to) => {
    const at = Math.min(Math.max(to, 0), length - 1);
    if (at === entry.at) return;
    entry.at = at;
    tell();
    entry.chart?.draw();
    moved?.(at);
  };
  picture.addEventListener("keydown", (event) => {
    const to = { ArrowLeft: entry.at - 1, ArrowRight: entry.at + 1, Home: 0, End: length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    entry.move(to);
  });
  tell();
  if (config) {
    drawn.add(entry);
    queueMicrotask(() => redraw({ all: false }));
  }
  const whole = el("div", {}, line, holder ?? el("div", { class: "chart" }, picture));
  const plot = el("div", { class: "plot" });
  const button = el("button", { type: "button", class: "plain", "data-key": `table of ${caption}`, onclick: () => { state.asTable = !state.asTable; show(); } });
  function show() {
    button.textContent = state.asTable ? "Chart" : "Table";
    plot.replaceChildren(state.asTable ? tabled() : whole);
    if (!state.asTable) queueMicrotask(() => redraw({ all: false }));
  }
  show();
  return { plot, button, move: entry.move };
}

export function canvasOf(label) {
  return el("canvas", { role: "img", tabindex: "0", "aria-label": `${label}. Arrow keys move from day to day; the numbers stand above.` });
}

// days: { day, [name]: inferences }; names: stacked, the lowest first; kind: columns or area.
// grey: no known resolver gives these grades.
// `total` names what the numbers of the line sum up to, or none. Returns { plot, button }.
export function chart({ label, kind, days, names, total, caption, grey = false, state = {} }) {
  const shown = names.filter((name) => days.some((one) => one[name]) || (GRADES.includes(name) && names.length <= 3));
  const columns = [
    { name: "Day", cell: (row) => el("span", { class: "keep" }, row.day) },
    ...names.map((name) => ({ name: capital(name), number: true, cell: (row) => count(row[name]) })),
  ];
  return cursored({
    picture: canvasOf(label),
    length: days.length,
    caption,
    state,
    config: (entry) => ({
      type: kind === "area" ? "line" : "bar",
      data: { labels: days.map((one) => dayName(one.day)), datasets: datasets(kind, days, names, grey) },
      plugins: [kind === "area" ? cursorLine(entry) : cursorColumn(entry, days.length)],
      options: overDays(entry, { stacked: true, y: { ticks: { precision: 0, callback: (value) => short(Math.abs(value)) } } }),
    }),
    told: (at) => {
      const one = days[at];
      return [
        el("strong", {}, kind === "area" ? `To ${dayName(one.day)}` : dayName(one.day)),
        ...shown.map((name) => el("span", {}, shape(grey && GREY[name] ? `grey ${name}` : name), " ", el("span", { class: "name" }, `${capital(name)} `), count(one[name]))),
        total ? el("span", {}, el("span", { class: "name" }, `${total} `), el("strong", {}, count(GRADES.reduce((sum, name) => sum + (one[name] ?? 0), 0)))) : "",
      ];
    },
    tabled: () => table(caption, columns, [...days].reverse()),
  });
}
