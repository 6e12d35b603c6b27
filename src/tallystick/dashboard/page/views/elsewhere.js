// Networks that live elsewhere: claimed beside verified, each in its own unit. No sum, no bar, no rank.

import { get } from "../data.js";
import { el } from "../dom.js";
import { count } from "../format.js";
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

export async function elsewhere() {
  const found = await get("elsewhere");
  return {
    title: "Networks elsewhere",
    body: [
      el("p", {}, "What other networks claim in public, and what of it was checked here again. Each has its own unit: the numbers of two networks are not to be added or compared."),
      el("p", { class: "soft" }, "Verified is enclave, proven and audited. Chain-checked is the word of the network's own validators, an opinion that of somebody whom the claimant chose: neither is verified. Unseen: evidence that should exist was not to be had."),
      table("Networks elsewhere", COLUMNS, found.networks),
    ],
  };
}
