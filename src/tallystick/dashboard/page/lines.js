// Lines over days, in ink: a grade's colour would say more than a share or a distance does.

import { canvasOf, colour, cursored, cursorLine, overDays } from "./charts.js";
import { el } from "./dom.js";
import { dayName, NONE } from "./format.js";

const DASHES = [[], [6, 3], [2, 3], [10, 3, 2, 3], [1, 5]];
const INKS = ["ink", "ink2", "ink3", "ink", "ink2"];
export const MOST_LINES = DASHES.length;

// days: texts; series: { name, values }, a value null where there is none, which leaves a gap.
// `told` writes a value. Returns { plot, button }.
export function lines({ label, caption, days, series, told, most, tabled, state }) {
  return cursored({
    picture: canvasOf(label),
    length: days.length,
    caption,
    state,
    tabled,
    config: (entry) => ({
      type: "line",
      data: {
        labels: days.map(dayName),
        datasets: series.map(({ values }, at) => ({
          data: values,
          borderColor: colour(INKS[at]),
          backgroundColor: colour(INKS[at]),
          borderDash: DASHES[at],
          borderWidth: 1.6,
          // A day between two without any would be no line.
          pointRadius: values.map((value, place) => (value !== null && (values[place - 1] ?? null) === null && (values[place + 1] ?? null) === null ? 2.5 : 0)),
          spanGaps: false,
        })),
      },
      plugins: [cursorLine(entry)],
      options: overDays(entry, { y: { max: most, ticks: { callback: told } } }),
    }),
    told: (at) => [
      el("strong", {}, dayName(days[at])),
      ...series.map(({ name, values }, place) => el("span", { "data-line": name },
        series.length > 1 ? el("span", { class: `stroke stroke-${place}`, "aria-hidden": "true" }) : null,
        el("span", { class: "name" }, ` ${name} `), values[at] === null ? NONE : told(values[at]))),
    ],
  });
}
