// Where each noun's page is, as a link from its id.

import { el, id } from "./dom.js";

function link(kind, row, value) {
  return el("a", { href: `#/${kind}/${row.chain_id}/${row.core}/${value}` }, id(value));
}

// `row` names the chain and the registry.
export function operatorLink(row, operator = row.operator) {
  return link("operator", row, operator);
}

export function modelLink(row, model = row.model_id) {
  return link("model", row, model);
}

export function requesterLink(row, requester = row.requester) {
  return link("requester", row, requester);
}

export function resolverLink(row, resolver) {
  return link("resolver", row, resolver);
}

export function disputeLink(row, words) {
  return el("a", { href: `#/dispute/${row.chain_id}/${row.core}/${row.batch_id}/${row.number}` }, words);
}
