// Networks that live elsewhere: claimed beside verified, each in its own unit. No sum, no rank.

import { get } from "../data.js";
import { el } from "../dom.js";
import { count, NONE, share } from "../format.js";
import { badge, bar, capital } from "../shapes.js";
import { table } from "../table.js";

const VERDICTS = ["verified", "enclave", "proven", "audited", "chain_checked", "opinion", "unchecked", "rejected", "unseen"];

function whereTo(row) {
  const chains = Object.entries(row.last_blocks).map(([chain, block]) => `${chain}: ${count(block)}`);
  return [chains.join(", ") || "nothing read yet", row.behind.length ? el("div", { class: "warn" }, "The last run could not bring all of it up to date.") : null];
}

function more(row) {
  const reasons = row.reasons.map((one) => el("li", {}, `${count(one.count)} ${one.verdict}${one.reason && `: ${one.reason}`}`));
  const measures = Object.entries(row.measures).map(([name, value]) => el("li", {}, `${name.replaceAll("_", " ")}: ${count(BigInt(value))}`));
  return el("details", { "data-key": `more ${row.name}` }, el("summary", {}, "why, and cautions"),
    el("ul", {}, [...reasons, ...measures, ...row.cautions.map((one) => el("li", {}, one))]));
}

const COLUMNS = [
  { name: "Network", cell: (row) => [row.title, el("div", { class: "soft" }, row.name)] },
  { name: "Unit", cell: (row) => row.unit },
  { name: "Claimed", number: true, cell: (row) => count(row.claimed) },
  ...VERDICTS.map((name) => ({
    name: name[0].toUpperCase() + name.slice(1).replace("_", "-"),
    number: true,
    cell: (row) => count(row[name]),
  })),
  { name: "Last blocks", cell: whereTo },
  { name: "More", cell: more },
];

const HOW = {
  enclave: "Enclave signatures recovered",
  proven: "Proofs verified again",
  audited: "Samples run again",
  chain_checked: "Checked by its own validators only",
  opinion: "Opinion of somebody whom it chose",
  unchecked: "Not checked here",
  unseen: "No evidence published",
};

// How most of it was checked: with evidence if there is any.
function how(row) {
  const evidence = ["enclave", "proven", "audited"].filter((name) => row[name]);
  if (evidence.length) return evidence.map((name) => el("div", {}, badge(name, capital(name)), HOW[name]));
  const [most] = ["chain_checked", "opinion", "unseen", "unchecked"].filter((name) => row[name]).sort((one, other) => row[other] - row[one]);
  return most ? [badge("", most.replace("_", "-")), HOW[most]] : "Nothing claimed yet";
}

function claimBar(row) {
  const parts = ["audited", "enclave", "proven"].map((name) => ({ kind: name, value: row[name] }));
  return bar(parts, Math.max(row.claimed, 1), `${count(row.verified)} verified of ${count(row.claimed)} claimed`, "claim");
}

// For the first page: each row's outline is its own claim, so rows have no common scale.
export const claims = [
  { name: "Network and unit", kind: "who", cell: (row) => [el("span", { class: "name" }, row.title), el("div", { class: "sub" }, el("strong", {}, `${row.unit}s`))] },
  { name: "Claimed", kind: "claimed", number: true, cell: (row) => count(row.claimed) },
  { name: "Verified", kind: "counted", number: true, cell: (row) => el("strong", {}, count(row.verified)) },
  { name: "Verified of its own claim", kind: "claim", cell: claimBar },
  { name: "Share", kind: "part", number: true, cell: (row) => (row.claimed ? share(row.verified / row.claimed) : NONE) },
  { name: "How we checked", kind: "how", cell: how },
];

export async function elsewhere() {
  const found = await get("elsewhere");
  return {
    title: "Networks elsewhere",
    body: [
      el("p", {}, "What other networks claim in public, and what of it was checked here again. Each has its own unit: the numbers of two networks are not to be added or compared."),
      el("p", { class: "soft" }, "Verified is enclave, proven and audited. Chain-checked is the word of the network's own validators, an opinion that of somebody whom the claimant chose: neither is verified. Unseen: evidence that should exist was not available."),
      table("Networks elsewhere", COLUMNS, found.networks),
    ],
  };
}
