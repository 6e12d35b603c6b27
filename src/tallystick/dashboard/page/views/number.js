// What a number is made of: the definition, the queries, the blocks, the events.

import { csv, get, rows } from "../data.js";
import { el, facts, id, pathOf, short, stranger, time } from "../dom.js";
import { byUnit, count } from "../format.js";
import { paged } from "../table.js";

export async function number(parts, state) {
  const [chain, core, networkId, name] = parts;
  const network = `networks/${chain}/${core}/${networkId}`;
  const [one, made] = await Promise.all([get(network), get(`${network}/numbers/${name}`)]);
  const { definition } = made;
  const columns = [
    { name: "Block", cell: (row) => count(row.block_number) },
    { name: "Event", cell: (row) => row.event },
    { name: "Field", cell: (row) => (row.adds === "1" ? "one" : row.adds) },
    { name: "Amount", number: true, cell: (row) => count(BigInt(row.amount)) },
    { name: "Batch", cell: (row) => (row.batch_id ? el("a", { href: `#/batch/${chain}/${core}/${row.batch_id}`, class: "id" }, short(row.batch_id)) : "") },
    { name: "Operator", cell: (row) => (row.operator ? id(row.operator) : "") },
    { name: "Transaction", cell: (row) => id(row.transaction_hash) },
    { name: "Log", number: true, cell: (row) => count(row.log_index) },
    { name: "When", cell: (row) => time(row.block_time) },
  ];
  return {
    title: `${definition.label}: what it is made of`,
    body: [
      facts([
        ["Network", el("a", { href: `#/network/${pathOf(one)}` }, stranger(one.name))],
        [definition.label, el("strong", { "data-value": made.value ?? "" }, byUnit(definition.unit, made.value, one.asset))],
        ["Exactly", el("code", {}, made.value ?? "unknown")],
        ["Meaning", definition.meaning],
        ["Formula", definition.formula],
        ["Definitions", el("a", { href: "#/counting" }, made.definitions_version)],
        ["Blocks", `${count(made.first_block)} to ${count(made.last_block)}`],
        ["Hash of the last", el("code", {}, made.boundary)],
      ]),
      one.cautions.filter((caution) => caution.about === name).map((caution) => el("p", { class: "caution" }, el("strong", {}, "Caution: "), caution.reason)),
      el("h2", {}, "Queries"),
      el("p", { class: "soft" }, "SQL over the decoded events of the data folder, a view for each event, up to the last block above. Burned amounts are in limbs of 32 bits, the lowest first."),
      made.parts.map((part) => [el("pre", { tabindex: "0", role: "region", "aria-label": `Query over ${part.event}` }, el("code", {}, part.query)), el("p", {}, `= ${count(BigInt(part.value))}`)]),
      el("h2", {}, "Events"),
      await paged(`Events (${count(made.events)})`, columns, (at) => rows(`${network}/numbers/${name}/events`, at), state),
      el("p", {}, el("a", { href: csv(`${network}/numbers/${name}/events`), download: `${name}.csv` }, "Events as CSV")),
    ].flat(Infinity),
  };
}
