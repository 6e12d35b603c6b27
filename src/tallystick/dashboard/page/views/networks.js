// Networks, ranked by verified inference.

import { ranking } from "../charts.js";
import { csvLink, isExport, networks as load } from "../data.js";
import { el } from "../dom.js";
import { count } from "../format.js";
import { sortable } from "../table.js";
import { badges, cautionList, networkLink, numberLink } from "./parts.js";

const DRAWN = 12;

function column(name, label) {
  return {
    name: label,
    number: true,
    cell: (row) => numberLink(row, name, label),
    by: (row) => (typeof row[name] === "string" ? BigInt(row[name]) : row[name]),
  };
}

function named(row) {
  const { length } = row.cautions;
  return [
    row.rank === null ? "" : `${row.rank}. `,
    networkLink(row),
    el("div", {}, badges(row)),
    length ? el("details", { "data-key": `cautions ${row.network_id}` }, el("summary", {}, `⚠ ${length} caution${length === 1 ? "" : "s"}`), cautionList(row)) : null,
  ];
}

// Utility never stands without its three parts.
function withParts(row) {
  const parts = ["accessibility", "verifiability", "scalability"].map((name) => numberLink(row, name, name, "–"));
  return [numberLink(row, "utility", "Utility"), el("div", { class: "parts keep soft" }, parts.flatMap((part, at) => (at ? [" × ", part] : [part])))];
}

const COLUMNS = [
  { name: "Network", cell: named, by: (row) => row.name },
  column("verified", "Verified"),
  column("proven", "Proven"),
  column("enclave", "Enclave"),
  column("audited", "Audited"),
  column("committed", "Committed"),
  { ...column("utility", "Utility"), cell: withParts },
  column("stake_at_risk", "Stake at risk"),
  column("requesters", "Requesters"),
  column("top_share", "Top requester"),
  column("unchallenged", "Unchallenged"),
  column("rejected", "Rejected"),
  column("unresolved", "Unresolved"),
  column("open", "Open"),
  column("price_of_a_fake", "Price of a fake"),
  column("burned", "Burned"),
  column("solicited_share", "Solicited"),
  column("gas_per_verified", "Gas per verified"),
];

export async function networks(_, state) {
  const all = await load();
  const holder = el("div");
  const draw = () => {
    const words = (state.search ?? "").trim().toLowerCase();
    const found = all.filter((one) => !words || one.name.toLowerCase().includes(words) || one.network_id.includes(words));
    const [known, others] = [found.filter((one) => one.rank !== null), found.filter((one) => one.rank === null)];
    const first = (known.length ? known : others).slice(0, DRAWN);
    state.known ??= {};
    state.others ??= {};
    holder.replaceChildren(
      ...(first.length ? [
        el("h2", {}, known.length ? "Verified inference by grade" : "Self-declared inference by grade"),
        ranking(first, `Verified inferences by grade beside committed ones, of ${first.length} networks; the numbers are in the table below`),
      ] : []),
      el("h2", {}, "Known resolvers"),
      el("p", { class: "soft" }, "Ranked by verified inference. Each resolver's code is on the published list. One work may be committed in several networks: their totals are not additive."),
      sortable(`Networks with known resolvers (${count(known.length)})`, COLUMNS, known, state.known),
      el("h2", {}, "Everybody else"),
      el("p", { class: "soft" }, "What these count as verified is their own word: not ranked."),
      sortable(`Networks without known resolvers (${count(others.length)})`, COLUMNS, others, state.others),
    );
  };
  draw();
  const search = el("input", { type: "search", value: state.search ?? "", autocomplete: "off", oninput: () => { state.search = search.value; draw(); } });
  return {
    title: "Networks",
    heading: "Verified inference per network",
    body: [
      el("p", {}, "How many inferences of each network are backed by evidence, of which kind, and what a fake costs. Every number leads to the events it is made of. Utility is accessibility × verifiability × scalability."),
      el("div", { class: "row" },
        el("label", {}, "Name or id", search),
        csvLink("Networks", "networks", all.length),
        el("a", { href: isExport ? "api/v1/networks.0.json" : "api/v1/networks" }, "The same as JSON")),
      holder,
    ],
  };
}
