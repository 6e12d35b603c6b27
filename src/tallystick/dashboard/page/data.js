// Where answers come from: the API of the server, or the files that an export wrote beside this page.

const FILES = document.querySelector('meta[name="tallystick-source"]').content === "files";
export const ROWS = 100;
const NETWORKS_AT_ONCE = 1000;

export const isExport = FILES;

function addressOf(path, asked) {
  if (!FILES) {
    const query = new URLSearchParams(asked).toString();
    return `api/v1/${path}${query && `?${query}`}`;
  }
  const parts = [asked.state, asked.offset].filter((part) => part !== undefined);
  return `api/v1/${[path, ...parts, "json"].join(".")}`;
}

export async function get(path, asked = {}) {
  const answer = await fetch(addressOf(path, asked), { cache: "no-cache" });
  if (!answer.ok) {
    const found = await answer.json().catch(() => ({}));
    const reason = typeof found.detail === "string" ? found.detail : "not found";
    throw Object.assign(new Error(reason), { status: answer.status });
  }
  return answer.json();
}

export function rows(path, offset = 0, asked = {}) {
  return get(path, { ...asked, offset, limit: ROWS });
}

export async function networks() {
  const all = [];
  for (let total = 1; all.length < total;) {
    const page = await get("networks", { offset: all.length, limit: NETWORKS_AT_ONCE });
    all.push(...page.rows);
    total = page.rows.length ? page.total : 0;
  }
  return all;
}

export function csv(path) {
  return FILES ? `api/v1/${path}.csv` : `api/v1/${path}?format=csv&limit=1000`;
}

// Calls back with each newer state of the data; does nothing on exported files.
export function follow(told) {
  if (FILES) return;
  let seen = "";
  const source = new EventSource("api/v1/live");
  source.addEventListener("coverage", (event) => {
    const { version } = JSON.parse(event.data);
    if (seen && version !== seen) told();
    seen = version;
  });
}
