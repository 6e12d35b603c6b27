// Networks: ranked by what known resolvers verified, and the self-declared ones apart.

import { ranking } from "../charts.js";
import { csvLink, isExport, networks as load } from "../data.js";
import { el } from "../dom.js";
import { count } from "../format.js";
import { sortable } from "../table.js";
import { badges, cautionList, networkLink, numberLink } from "./parts.js";

const DRAWN = 12;

// A price in words is lower than any amount.
function inOrder(text) {
  return /^\d+$/.test(text) ? BigInt(text) : -1n;
}

function column(name, label) {
  return {
    name: label,
    number: true,
    cell: (row) => numberLink(row, name, label),
    by: (row) => (typeof row[name] === "string" ? inOrder(row[name]) : row[name]),
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

// The price of each grade to be had, and of what nobody challenges.
function prices(row) {
  const shown = ["audited", "enclave", "proven", "unchallenged"].filter((grade) => row[`price_${grade}`] !== null);
  return shown.map((grade) => el("div", { class: "keep" }, el("span", { class: "soft parts" }, `${grade} `), numberLink(row, `price_${grade}`, `Price of a fake, ${grade}`)));
}

const NAMED = { name: "Network", cell: named, by: (row) => row.name };
const PRICE = { ...column("price_of_a_fake", "Price of a fake"), cell: prices };
const COLUMNS = [
  column("verified", "Verified"),
  PRICE,
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
  column("burned", "Burned"),
  column("solicited_share", "Solicited"),
  column("gas_per_verified", "Gas per verified"),
];
const RANKED = [NAMED, column("known_verified", "By known resolvers"), ...COLUMNS];
const OTHERS = [NAMED, ...COLUMNS, { name: "Why without a rank", cell: (row) => el("span", { class: "reason" }, row.unranked_because) }];

export async function networks(_, state) {
  const { all, none_ranked: noneRanked } = await load();
  const holder = el("div");
  const draw = () => {
    const words = (state.search ?? "").trim().toLowerCase();
    const found = all.filter((one) => !words || one.name.toLowerCase().includes(words) || one.network_id.includes(words));
    const ranked = found.filter((one) => one.rank !== null);
    const declared = found.filter((one) => one.rank === null && one.resolvers === "self-declared");
    const others = found.filter((one) => one.rank === null && one.resolvers !== "self-declared");
    const first = ranked.slice(0, DRAWN);
    for (const name of ["ranked", "declared", "others"]) state[name] ??= {};
    holder.replaceChildren(
      el("h2", {}, "Ranked"),
      noneRanked
        ? el("p", { id: "none-ranked" }, noneRanked)
        : el("p", { class: "soft" }, "By what known resolvers verified; what else a network counts stands beside. Stake stands behind each inference, and a known arbiter can convict. One work may be committed in several networks: their totals are not additive."),
      ...(first.length ? [ranking(first, `Inferences verified by known resolvers, by grade, beside committed ones, of ${first.length} networks; the numbers are in the table below`)] : []),
      ...(noneRanked ? [] : [sortable(`Networks with a rank (${count(ranked.length)})`, RANKED, ranked, state.ranked)]),
      el("h2", {}, "Self-declared"),
      el("p", { class: "soft" }, "What these count as verified is their own word: they have no rank."),
      sortable(`Self-declared networks (${count(declared.length)})`, OTHERS, declared, state.declared),
      ...(others.length ? [
        el("h2", {}, "Without a rank for another reason"),
        el("p", { class: "soft" }, "Nothing is at stake, nobody can be convicted, no grade is to be had, or a resolver was not looked up."),
        sortable(`Other networks without a rank (${count(others.length)})`, OTHERS, others, state.others),
      ] : []),
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
