// What several pages show of a network.

import { isExport } from "../data.js";
import { el, id, pathOf, stranger } from "../dom.js";
import { GRADES } from "../charts.js";
import { word } from "../explain.js";
import { byUnit, count, NONE, price, score } from "../format.js";
import { badge, bar, capital, shape } from "../shapes.js";
import { reasons } from "./notes.js";

export const UNITS = {
  burned: "amount",
  stake: "amount",
  stake_per_inference: "amount",
  stake_at_risk: "amount",
  price_of_a_fake: "price",
  price_audited: "price",
  price_enclave: "price",
  price_proven: "price",
  price_unchallenged: "price",
  audited_share: "share",
  found_share: "share",
  solicited_share: "share",
  top_share: "share",
  herfindahl: "score",
  accessibility: "score",
  verifiability: "score",
  scalability: "score",
  utility: "score",
  gas_per_verified: "gas",
};

// A number, as a link to what it is made of. `unknown` stands for what is not there.
export function numberLink(network, name, label, unknown = NONE) {
  const shown = byUnit(UNITS[name], network[name], network);
  const reasons = network.cautions.filter((one) => one.about === name).map((one) => one.reason).join("; ");
  return el("a", {
    href: `#/number/${pathOf(network)}/${name}`,
    class: "keep",
    title: reasons && `Caution: ${reasons}`,
    "data-number": name,
    "aria-label": `${label}: ${shown}${reasons && `, with a caution: ${reasons}`}; what it is made of`,
  }, network[name] === null && UNITS[name] !== "price" ? unknown : shown, reasons ? el("span", { class: "warn", "aria-hidden": "true" }, " ⚠") : null);
}

// The same of an operator, a model or a day; an export has the whole network's events only.
export function partLink(network, by, of, name, row) {
  const shown = byUnit(UNITS[name], row[name] === null ? null : String(row[name]), network);
  if (isExport && name === "stake") return shown;
  return el("a", {
    href: `#/number/${pathOf(network)}/${name}${isExport ? "" : `/${by}/${of}`}`,
    "data-part": name,
    "aria-label": `${name.replaceAll("_", " ")} of ${by} ${of}: ${shown}; what it is made of`,
  }, shown);
}

export function partColumn(network, by, of, name) {
  const label = name.replaceAll("_", " ");
  return { name: label[0].toUpperCase() + label.slice(1), about: name, number: true, cell: (row) => partLink(network, by, of(row), name, row) };
}

// Utility never stands without its three parts.
export function utilityBars(network, explained = false) {
  const parts = [["Access", "accessibility"], ["Verified", "verifiability"], ["Scale", "scalability"]];
  const base = `#/number/${pathOf(network)}`;
  return el("div", { class: "parts" },
    el("a", { href: `${base}/utility`, class: "product", "data-number": "utility", "aria-label": `Utility: ${score(network.utility)}; what it is made of` }, score(network.utility)),
    el("dl", {}, parts.map(([label, name]) => el("div", {}, el("dt", {}, explained ? word(label, name, `${base}/${name}`) : label),
      el("dd", {}, network[name] === null ? null : bar([{ kind: "ink", value: network[name] }], 1, `${label} ${score(network[name])}`, "thin"), el("span", {}, score(network[name])))))));
}

// What known resolvers verified, by grade, on the scale of its table.
export function verifiedBar(now, scale) {
  const parts = GRADES.map((grade) => ({ kind: grade, value: now.known[grade] ?? 0 }));
  if (!now.known_verified) return null;
  return bar(parts, scale, GRADES.filter((grade) => now.known[grade]).map((grade) => `${capital(grade)} ${count(now.known[grade])}`).join(", "));
}

// A line a grade that a known resolver gives: the cheaper one must not hide behind the dearer.
export function prices(row) {
  const shown = GRADES.filter((grade) => row[`standing_${grade}`] === "known" && row[`price_${grade}`] !== null);
  return shown.map((grade) => el("div", { class: "price" }, shape(grade), " ",
    el("a", { href: `#/number/${pathOf(row)}/price_${grade}`, "aria-label": `Price of a fake, ${grade}: ${price(row[`price_${grade}`], row)}; what it is made of` }, price(row[`price_${grade}`], row))));
}

export function networkLink(network) {
  return el("a", { href: `#/network/${pathOf(network)}` }, stranger(network.name), " ",
    id(network.network_id));
}

// Of what closed; null where nothing did.
export function closedShare(row) {
  const closed = row.verified + row.unchallenged + row.rejected + row.unresolved;
  return closed ? row.verified / closed : null;
}

export function batchLink(row) {
  return el("a", { href: `#/batch/${row.chain_id}/${row.core}/${row.batch_id}` }, id(row.batch_id));
}

// Where no known resolver gives a grade, and so nobody independent stands behind its counts.
export function resolversBadge(row) {
  return row.resolvers === "known" ? null : badge("", row.resolvers === "none" ? "no auditor" : row.resolvers);
}

export function badges(network) {
  return reasons(network).map(([word]) => badge("", word));
}

// Filled where there is evidence, red where it was shown wrong.
export function stateBadge(row) {
  if (row.state === "rejected") return badge("rejected", "Rejected");
  if (row.outcome) return badge(GRADES.includes(row.outcome) ? row.outcome : "", capital(row.outcome));
  return badge(row.state === "open" ? "" : "open", capital(row.state));
}

export function cautionList(network) {
  return el("ul", { class: "cautions" }, network.cautions.map((one) => (
    el("li", { class: "caution" }, el("strong", {}, `${one.about.replaceAll("_", " ")}: `), one.reason))));
}

const WHOSE = { audited: "who gives Audited", enclave: "who gives Enclave", proven: "who gives Proven", arbiter: "the arbiter", network: "the network" };

// The conditions for being known, or for a rank, that are not met.
export function unmetList(network) {
  return el("ul", { id: "unmet" }, network.unmet.map((one) => el("li", { "data-condition": `${one.of} ${one.condition}` },
    el("strong", {}, `${WHOSE[one.of]}, ${one.condition.replaceAll("_", " ")}: `), one.reason)));
}
