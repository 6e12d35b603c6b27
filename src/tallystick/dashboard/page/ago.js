// Times that say how long ago they were, and go on saying it; the exact one is their title.

import { el } from "./dom.js";

const EVERY = 10_000;
const SIZES = [[86_400, "day"], [3_600, "hour"], [60, "minute"], [1, "second"]];

function exact(seconds) {
  const at = new Date(seconds * 1000);
  const day = at.toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
  return `${day}, ${at.toISOString().slice(11, 19)} UTC`;
}

// A time to come, by this browser's clock, is told as it is.
function words(seconds) {
  const past = Math.floor(Date.now() / 1000) - seconds;
  if (past < 0) return exact(seconds);
  const [size, unit] = SIZES.find(([one]) => past >= one) ?? SIZES.at(-1);
  const found = Math.floor(past / size);
  return `${found} ${unit}${found === 1 ? "" : "s"} ago`;
}

export function ago(seconds) {
  return el("time", { datetime: new Date(seconds * 1000).toISOString(), title: exact(seconds), "data-ago": seconds }, words(seconds));
}

// How old the last block of a registry is, to stand after its number; of its newest event where
// nobody told the block's time.
export function age(core) {
  if (core.last_time !== null) return [", ", ago(core.last_time)];
  return core.newest_event === null ? [] : [", newest event ", ago(core.newest_event)];
}

setInterval(() => {
  for (const one of document.querySelectorAll("time[data-ago]")) {
    const now = words(Number(one.dataset.ago));
    if (one.textContent !== now) one.textContent = now;
  }
}, EVERY);
