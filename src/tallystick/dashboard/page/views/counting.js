// How it is counted.

import { get, isExport } from "../data.js";
import { el } from "../dom.js";
import { table } from "../table.js";

export async function counting([asked]) {
  const found = await get("definitions");
  const columns = [
    { name: "Number", cell: (row) => el("span", { id: `number-${row.name}`, tabindex: "-1" }, row.label) },
    { name: "Meaning", cell: (row) => row.meaning },
    { name: "Formula", cell: (row) => row.formula },
    { name: "Unit", cell: (row) => row.unit },
    { name: "In the API", cell: (row) => el("code", {}, row.name) },
  ];
  const head = found.headline.definition;
  // Once the page stands.
  if (asked) requestAnimationFrame(() => document.getElementById(`number-${asked}`)?.scrollIntoView({ block: "center" }));
  return {
    title: "How it is counted",
    body: [
      el("p", {}, "Everything here is recomputed from the events of a contract, and from nothing else but batch data that hash to a committed root, the code and terms of resolvers on chain, and a named probe log."),
      el("p", {}, "Verified is audited, enclave and proven together; the grades are never merged in storage. Counters only grow, and evidence counts at finality only. Solicited and unsolicited inferences are shown apart; networks without stake are shown as unbacked."),
      el("p", {}, "A network's own attestor could say anything. A resolver is known when its code is on the published list and its terms, read on chain, are what the list asks for: an enclave's keys need at least two endorsers, who are named; a committee is never known, since whoever deploys it appoints its members. A network ranks by what known resolvers verified, and only if stake stands behind each inference and a known arbiter can convict."),
      el("p", {}, "A fake costs what is burned for it, not what is staked; gas only where nothing is burned, or where nobody can convict it. Each grade has its price, with the sentence that it rests on."),
      el("p", {}, "With an idle committee, somebody can turn an honest batch into unresolved for half a challenge bond."),
      table(`Definitions, version ${found.version}`, columns, found.definitions),
      el("h2", {}, "The headline"),
      el("p", { id: `number-${head.name}` }, el("strong", {}, head.label), ` (${head.name} ${found.headline.version}): ${head.meaning}`),
      el("h2", {}, "Versions"),
      el("ul", {}, found.changes.map(([version, words]) => el("li", {}, `${version}: ${words}`))),
      isExport ? [] : [el("h2", {}, "For programs"), el("p", {}, "The same answers as JSON and CSV: ", el("a", { href: "api/v1/openapi.json" }, "OpenAPI document"), ".")],
    ].flat(Infinity),
  };
}
