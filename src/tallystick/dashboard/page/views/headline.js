// The headline, term by term: what each ranked network adds to it.

import { get, networks as load } from "../data.js";
import { el, facts, pathOf } from "../dom.js";
import { count, share } from "../format.js";
import { change, known, long, madeOf, periodSwitch } from "../periods.js";
import { sortable } from "../table.js";
import { networkLink } from "./parts.js";

export async function headline([asked], state) {
  const period = known(asked);
  const [{ all }, summary] = await Promise.all([load(), get(`summary/${period}`)]);
  const { definition, version, caveat } = summary.headline;
  const of = new Map(all.map((one) => [pathOf(one), one]));
  const rows = summary.networks.filter((one) => one.ranked).map((one) => ({ ...one, network: of.get(pathOf(one)) }));
  const columns = [
    { name: "Network", cell: (row) => networkLink(row.network) },
    { name: "Verified", about: "known_verified", number: true, cell: (row) => el("a", { href: madeOf(row, "known_verified", summary), "data-term": row.known_verified }, count(row.known_verified)), by: (row) => row.known_verified },
    { name: "Closed", number: true, cell: (row) => count(row.closed), by: (row) => row.closed },
    { name: "Share verified", number: true, cell: (row) => share(row.share), by: (row) => row.share },
  ];
  return {
    title: definition.label,
    head: [el("div", { class: "top" }, el("h1", {}, definition.label), periodSwitch(period, "#/headline"))],
    body: [
      el("p", { class: "headline" }, el("strong", { "data-value": summary.verified }, count(summary.verified))),
      change(summary.change, period),
      el("p", { class: "note soft" }, caveat),
      facts([
        ["Period", `${long(period)}: ${summary.first_day} to ${summary.last_day} (UTC)`],
        ["Meaning", definition.meaning],
        ["Formula", definition.formula],
        ["Definition", `${definition.name} ${version}`],
      ]),
      el("h2", {}, "Term by term"),
      el("p", { class: "sub" }, "Each term leads to its queries and events."),
      sortable(`Ranked networks (${count(rows.length)})`, columns, rows, state),
    ].filter(Boolean),
  };
}
