// Where each noun's page is, as a link from its id.

import { el, id } from "./dom.js";

function link(kind, row, value) {
  return el("a", { href: `#/${kind}/${row.chain_id}/${row.core}/${value}` }, id(value));
}

// `row` names the chain and the registry.
export function operatorLink(row, operator = row.operator) {
  return link("operator", row, operator);
}
