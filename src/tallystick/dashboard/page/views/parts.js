// What several pages show of a network.

import { el, pathOf, short, stranger } from "../dom.js";
import { byUnit } from "../format.js";

export const UNITS = {
  burned: "amount",
  stake_per_inference: "amount",
  stake_at_risk: "amount",
  price_of_a_fake: "amount",
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

// A number, as a link to what it is made of.
export function numberLink(network, name, label) {
  const shown = byUnit(UNITS[name], network[name], network.asset);
  const doubtful = network.cautions.some((one) => one.about === name);
  return el("a", {
    href: `#/number/${pathOf(network)}/${name}`,
    "data-number": name,
    "aria-label": `${label}: ${shown}${doubtful ? ", with a caution" : ""}; what it is made of`,
  }, shown, doubtful ? el("span", { class: "warn", "aria-hidden": "true" }, " ⚠") : null);
}

export function networkLink(network) {
  return el("a", { href: `#/network/${pathOf(network)}` }, stranger(network.name), " ",
    el("span", { class: "id" }, short(network.network_id)));
}

export function batchLink(row) {
  return el("a", { href: `#/batch/${row.chain_id}/${row.core}/${row.batch_id}`, class: "id" }, short(row.batch_id));
}

export function badges(network) {
  const kind = { known: "known resolvers", "self-declared": "self-declared", unidentified: "unidentified resolvers", none: "no resolver" }[network.resolvers];
  return [
    el("span", { class: `badge ${network.resolvers === "known" ? "good" : "warn"}` }, kind),
    network.backed ? null : el("span", { class: "badge warn" }, "unbacked"),
  ];
}

export function cautionList(network) {
  return el("ul", { class: "cautions" }, network.cautions.map((one) => (
    el("li", { class: "caution" }, el("strong", {}, `${one.about.replaceAll("_", " ")}: `), one.reason))));
}
