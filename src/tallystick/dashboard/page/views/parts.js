// What several pages show of a network.

import { isExport } from "../data.js";
import { el, id, pathOf, stranger } from "../dom.js";
import { byUnit } from "../format.js";

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

// A number, as a link to what it is made of. `unknown` stands for what is not known.
export function numberLink(network, name, label, unknown = "unknown") {
  const shown = byUnit(UNITS[name], network[name], network.asset);
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
  const shown = byUnit(UNITS[name], row[name] === null ? null : String(row[name]), network.asset);
  if (isExport && name === "stake") return shown;
  return el("a", {
    href: `#/number/${pathOf(network)}/${name}${isExport ? "" : `/${by}/${of}`}`,
    "data-part": name,
    "aria-label": `${name.replaceAll("_", " ")} of ${by} ${of}: ${shown}; what it is made of`,
  }, shown);
}

export function partColumn(network, by, of, name) {
  const label = name.replaceAll("_", " ");
  return { name: label[0].toUpperCase() + label.slice(1), number: true, cell: (row) => partLink(network, by, of(row), name, row) };
}

export function networkLink(network) {
  return el("a", { href: `#/network/${pathOf(network)}` }, stranger(network.name), " ",
    id(network.network_id));
}

export function batchLink(row) {
  return el("a", { href: `#/batch/${row.chain_id}/${row.core}/${row.batch_id}` }, id(row.batch_id));
}

export function badges(network) {
  const kind = { known: "known resolver", "self-declared": "self-declared", unidentified: "unidentified resolvers", none: "no resolver" }[network.resolvers];
  return [
    el("span", { class: `badge ${network.resolvers === "known" ? "good" : "warn"}` }, kind),
    network.backed ? null : el("span", { class: "badge warn" }, "unbacked"),
    network.convictable ? null : el("span", { class: "badge warn" }, "no conviction"),
    network.unmet.some((one) => one.condition === "held_by_one") ? el("span", { class: "badge warn" }, "held by one") : null,
  ];
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
