// Charts by Chart.js; each is a picture with words for it, and its numbers stand in a table beside it.

import { el, plain } from "./dom.js";

export const GRADES = ["proven", "enclave", "audited"];
export const COUNTED = [...GRADES, "unchallenged", "unresolved", "rejected"];

const WHOLE = { precision: 0 };
const DAY = 86_400_000;
const MOST_DAYS = 400;

const drawn = new Set();

// What a variable comes to, light or dark.
const swatch = el("span", { hidden: true });

function colour(name) {
  swatch.style.color = `var(--${name})`;
  document.body.append(swatch);
  const { color } = getComputedStyle(swatch);
  swatch.remove();
  return color;
}

function capital(name) {
  return name[0].toUpperCase() + name.slice(1);
}

function holder(label, made, height) {
  const canvas = el("canvas", { role: "img", "aria-label": label });
  const box = el("div", { class: "chart" }, canvas);
  if (height) box.style.height = `${height}px`;
  drawn.add({ canvas, made, chart: null });
  queueMicrotask(() => redraw({ all: false }));
  return box;
}

function draw(entry) {
  entry.chart?.destroy();
  const made = entry.made();
  const ink = colour("ink");
  made.options = {
    ...made.options,
    animation: false,
    // All that stands in a row or above a day is told wherever one points at it.
    interaction: { mode: "index", intersect: false, axis: made.options.indexAxis ?? "x" },
    responsive: true,
    maintainAspectRatio: false,
    color: ink,
    plugins: { legend: { labels: { color: ink, boxWidth: 14 } } },
  };
  for (const scale of Object.values(made.options.scales)) {
    Object.assign(scale, { ticks: { ...scale.ticks, color: ink }, grid: { color: colour("line") } });
    if (scale.title) scale.title.color = ink;
  }
  entry.chart = new window.Chart(entry.canvas, made);
}

// Draw what came onto the page, or all anew, in other colours; forget what left it.
export function redraw({ all = true } = {}) {
  for (const entry of drawn) {
    if (entry.canvas.isConnected) {
      if (all || !entry.chart) draw(entry);
    } else if (entry.chart) {
      entry.chart.destroy();
      drawn.delete(entry);
    }
  }
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => redraw());

// What known resolvers verified in networks, split by grade, with committed beside.
export function ranking(networks, label) {
  const made = () => ({
    type: "bar",
    data: {
      labels: networks.map((one) => `${one.rank ?? "–"} · ${plain(one.name, 16)} ${one.network_id.slice(0, 6)}`),
      datasets: [
        ...GRADES.map((grade) => ({ label: capital(grade), data: networks.map((one) => (one[`standing_${grade}`] === "known" ? one[grade] : 0)), backgroundColor: colour(grade), stack: "verified" })),
        { label: "Committed", data: networks.map((one) => one.committed), backgroundColor: "transparent", borderColor: colour("committed"), borderWidth: 1.5, stack: "committed" },
      ],
    },
    options: {
      indexAxis: "y",
      scales: { x: { stacked: true, ticks: WHOLE, title: { display: true, text: "inferences" } }, y: { stacked: true } },
    },
  });
  return holder(label, made, 110 + 44 * networks.length);
}

// Each of the last days, up to the last with an event: those without one too.
function everyDay(days) {
  const told = new Map(days.map((one) => [one.day, one]));
  const found = [];
  const last = Date.parse(days.at(-1).day);
  for (let at = Math.max(Date.parse(days[0].day), last - (MOST_DAYS - 1) * DAY); at <= last; at += DAY) {
    const day = new Date(at).toISOString().slice(0, 10);
    found.push(told.get(day) ?? { ...Object.fromEntries(["committed", ...COUNTED].map((name) => [name, 0])), day });
  }
  return found;
}

// What became of inferences, day by day.
export function series(withEvents, label) {
  const days = everyDay(withEvents);
  const made = () => ({
    type: "bar",
    data: {
      labels: days.map((one) => one.day),
      datasets: [
        { type: "line", label: "Committed", data: days.map((one) => one.committed), borderColor: colour("committed"), backgroundColor: colour("committed"), borderWidth: 2, pointRadius: 3, stack: "committed" },
        ...COUNTED.map((name) => ({ label: capital(name), data: days.map((one) => one[name]), backgroundColor: colour(name), stack: "over" })),
      ],
    },
    options: { scales: { x: { stacked: true }, y: { stacked: true, ticks: WHOLE, title: { display: true, text: "inferences a day" } } } },
  });
  return holder(label, made);
}
