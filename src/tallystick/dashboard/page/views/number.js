// What a number is made of: the definition, the queries, the blocks, the events.

import { csvLink, get, isExport, rows } from "../data.js";
import { el, facts, pathOf, stranger, time, transaction } from "../dom.js";
import { byUnit, count, NONE } from "../format.js";
import { operatorLink } from "../links.js";
import { paged } from "../table.js";
import { batchLink } from "./parts.js";

const FEW = 6;
const PROBED = ["accessibility", "utility"];

function sql(text, label) {
  return el("pre", { tabindex: "0", role: "region", "aria-label": label }, el("code", {}, text));
}

function query(part, place, open) {
  const [sum, , , , ...conditions] = part.query.split("\n").map((line) => line.trim());
  const where = conditions.length > 1 ? conditions[0].replace("AND", " where") : "";
  return el("details", { open, "data-key": `query ${place}` },
    el("summary", {}, el("code", {}, `${sum} from ${part.event}${where}`), ": ", el("strong", {}, count(BigInt(part.value)))),
    sql(part.query, `Query over ${part.event}`));
}

function probes(network) {
  return network.asked
    ? `A probe log: ${count(network.answered)} of ${count(network.asked)} probes were answered.`
    : "A probe log; none that names this network was given, so it is not available.";
}

export async function number([chain, core, networkId, name, by, of], state) {
  const base = `networks/${chain}/${core}/${networkId}`;
  const asked = by && !isExport ? { by, of } : {};
  const [one, made] = await Promise.all([get(base), get(`${base}/numbers/${name}`, asked)]);
  const { definition } = made;
  const columns = [
    { name: "Block", cell: (row) => count(row.block_number) },
    { name: "Event", cell: (row) => row.event },
    { name: "Field", cell: (row) => (row.adds === "1" ? "one" : row.adds) },
    { name: "Amount", number: true, cell: (row) => count(BigInt(row.amount)) },
    { name: "Batch", cell: (row) => (row.batch_id ? batchLink({ chain_id: chain, core, batch_id: row.batch_id }) : "") },
    { name: "Operator", cell: (row) => (row.operator ? operatorLink({ chain_id: chain, core }, row.operator) : "") },
    { name: "Transaction", cell: (row) => transaction({ chain_id: chain }, row.transaction_hash) },
    { name: "Log", number: true, cell: (row) => count(row.log_index) },
    { name: "When", cell: (row) => time(row.block_time) },
  ];
  const events = `${base}/numbers/${name}/events`;
  const listed = await paged("Events", columns, (at) => rows(events, at, asked), state);
  const few = made.parts.length <= FEW;
  const cut = listed.total < made.events ? el("p", { class: "soft" }, `An export has the newest ${count(listed.total)} of ${count(made.events)} events.`) : [];
  return {
    title: `${definition.label}: what it is made of`,
    body: [
      facts([
        ["Network", el("a", { href: `#/network/${pathOf(one)}` }, stranger(one.name))],
        ...(asked.by ? [[by === "since" ? "From the day" : `Of the ${by}`, el("code", {}, of)]] : []),
        [definition.label, el("strong", { "data-value": made.value ?? "" }, byUnit(definition.unit, made.value, one))],
        ["Exactly", [el("code", {}, made.value ?? NONE), ["amount", "price"].includes(definition.unit) && /^\d+$/.test(made.value) ? " smallest units" : ""]],
        ...(made.because ? [["Rests on", made.because]] : []),
        ["Meaning", definition.meaning],
        ["Formula", definition.formula],
        ["Definitions", el("a", { href: "#/counting" }, made.definitions_version)],
        ["Blocks", `${count(made.first_block)} to ${count(made.last_block)}`],
        ["Hash of the last", el("code", {}, made.boundary)],
      ]),
      asked.by ? [] : one.cautions.filter((caution) => caution.about === name).map((caution) => el("p", { class: "caution" }, el("strong", {}, "Caution: "), caution.reason)),
      by && isExport ? el("p", { class: "soft" }, `An export tells of the whole network's number, not of ${by === "since" ? "a period's" : `the ${by}'s`}.`) : [],
      el("h2", {}, "Queries"),
      PROBED.includes(name) ? el("p", {}, probes(one)) : [],
      made.parts.length ? el("p", { class: "soft" }, "SQL over the decoded events of the data folder, a view for each event, up to the last block above. Amounts are in limbs of 32 bits, the lowest first.") : [],
      made.parts.map((part, place) => query(part, place, few)),
      made.beside.length ? el("p", { class: "soft" }, name === "gas_per_verified" ? "And over the receipts of the events' transactions:" : "And over the batch data that were found, whose leaves hash to the committed roots:") : [],
      made.beside.map((text) => sql(text, "Query beside events")),
      el("h2", {}, "Events"),
      made.parts.length ? [listed.holder, cut, el("p", {}, csvLink("Events", events, listed.total, asked))] : el("p", {}, "No event tells of it."),
    ].flat(Infinity),
  };
}
