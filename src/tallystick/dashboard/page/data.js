// Where answers come from: the API of the server, or the files that an export wrote beside this page.

import { el } from "./dom.js";

const FILES = document.querySelector('meta[name="tallystick-source"]').content === "files";
export const ROWS = 100;
const NETWORKS_AT_ONCE = 1000;
const OF_CSV = 10000;
const PAUSE = 5000;

export const isExport = FILES;

function addressOf(path, asked) {
  if (!FILES) {
    const query = new URLSearchParams(asked).toString();
    return `api/v1/${path}${query && `?${query}`}`;
  }
  const parts = [asked.state, asked.offset].filter((part) => part !== undefined);
  return `api/v1/${[path, ...parts, "json"].join(".")}`;
}

function reason(detail) {
  if (Array.isArray(detail)) return detail.map((one) => `${one.loc.at(-1)}: ${one.msg}`).join("; ");
  return detail ?? "not found";
}

export async function get(path, asked = {}) {
  const answer = await fetch(addressOf(path, asked), { cache: "no-cache" }).catch(() => {
    throw new Error("the server does not answer");
  });
  if (!answer.ok) {
    const found = await answer.json().catch(() => ({}));
    throw Object.assign(new Error(reason(found.detail)), { status: answer.status });
  }
  return answer.json();
}

export function rows(path, offset = 0, asked = {}) {
  return get(path, { ...asked, offset, limit: ROWS });
}

// All networks, and why none of them is ranked; empty when some are.
export async function networks() {
  const all = [];
  let noneRanked = "";
  for (let total = 1; all.length < total;) {
    const page = await get("networks", { offset: all.length, limit: NETWORKS_AT_ONCE });
    all.push(...page.rows);
    noneRanked = page.none_ranked;
    total = page.rows.length ? page.total : 0;
  }
  return { all, none_ranked: noneRanked };
}

// A link to rows as CSV; says when those are not all.
export function csvLink(title, path, total = 0, asked = {}) {
  const query = new URLSearchParams({ ...asked, format: "csv", limit: OF_CSV });
  const href = FILES ? `api/v1/${[path, asked.state, "csv"].filter(Boolean).join(".")}` : `api/v1/${path}?${query}`;
  const some = !FILES && total > OF_CSV ? ` (${OF_CSV} of ${total})` : "";
  return el("a", { href, download: `${title.toLowerCase().replaceAll(" ", "-")}.csv`, "aria-label": `${title} as CSV${some}` }, `CSV${some}`);
}

// Calls back with each newer state of the data, and when the server is gone; does nothing on files.
export function follow(told, lost) {
  if (FILES) return;
  let seen = "";
  const source = new EventSource("api/v1/live");
  source.addEventListener("coverage", (event) => {
    if (seen && event.data !== seen) told();
    seen = event.data;
  });
  source.addEventListener("error", () => {
    seen = "lost";
    lost();
    // A browser gives up after some answers; this page does not.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => follow(told, lost), PAUSE);
  });
}
