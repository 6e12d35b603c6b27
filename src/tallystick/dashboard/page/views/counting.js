// How it is counted.

import { get, isExport } from "../data.js";
import { el } from "../dom.js";
import { table } from "../table.js";

export async function counting() {
  const found = await get("definitions");
  const columns = [
    { name: "Number", cell: (row) => row.label },
    { name: "Meaning", cell: (row) => row.meaning },
    { name: "Formula", cell: (row) => row.formula },
    { name: "Unit", cell: (row) => row.unit },
    { name: "In the API", cell: (row) => el("code", {}, row.name) },
  ];
  return {
    title: "How it is counted",
    body: [
      el("p", {}, "Everything here is recomputed from the events of a contract, and from nothing else but batch data that hash to a committed root, code hashes of resolvers, and a named probe log."),
      el("p", {}, "Verified is audited, enclave and proven together; the grades are never merged in storage. Counters only grow, and evidence counts at finality only. Solicited and unsolicited inferences are shown apart; networks without stake are shown as unbacked."),
      el("p", {}, "A network's own attestor could say anything: the ranking holds only networks whose resolvers' code is on the published list of known resolvers."),
      el("p", {}, "With an idle committee, somebody can turn an honest batch into unresolved for half a challenge bond."),
      table(`Definitions, version ${found.version}`, columns, found.definitions),
      el("h2", {}, "Versions"),
      el("ul", {}, found.changes.map(([version, words]) => el("li", {}, `${version}: ${words}`))),
      isExport ? [] : [el("h2", {}, "For programs"), el("p", {}, "The same answers as JSON and CSV: ", el("a", { href: "api/v1/openapi.json" }, "OpenAPI document"), ".")],
    ].flat(Infinity),
  };
}
