// One operator at a registry: its lanes, its keys, its batches, and what it lost.

import { get } from "../data.js";
import { el, id, pathOf, stranger, time, transaction } from "../dom.js";
import { amount, count, share } from "../format.js";
import { sortable, table } from "../table.js";
import { EXTRACT, card, figures, heading, listCard, orMissing } from "./cards.js";
import { batchColumns, disputeColumns, rejectionColumns } from "./network.js";
import { closedShare, partLink, resolversBadge } from "./parts.js";

const NOBODY = `0x${"00".repeat(20)}`;
const FIGURES = ["audited", "enclave", "proven", "unchallenged", "rejected", "unresolved", "open"];

function laneColumns(operator) {
  const figure = (name) => ({ name: name[0].toUpperCase() + name.slice(1), number: true, cell: (row) => partLink(row, "operator", operator, name, row), by: (row) => row[name] });
  return [
    { name: "Network", cell: (row) => [el("a", { href: `#/network/${pathOf(row)}`, class: "name" }, stranger(row.name)), el("div", { class: "note soft" }, row.standing ?? "open to anyone"), el("div", {}, resolversBadge(row))], by: (row) => row.name.toLowerCase() },
    { name: "Verified", number: true, cell: (row) => [partLink(row, "operator", operator, "verified", row), row.known_verified === row.verified ? null : el("div", { class: "note soft" }, `${count(row.known_verified)} by known resolvers`)], by: (row) => row.verified },
    { name: "Share verified", number: true, cell: (row) => share(closedShare(row)), by: closedShare },
    ...FIGURES.map(figure),
    { name: "Stake", number: true, cell: (row) => partLink(row, "operator", operator, "stake", row) },
    { name: "Stake lost", number: true, cell: (row) => amount(row.lost, row) },
  ];
}

const KEYS = [
  { name: "Key", cell: (row) => (row.key === NOBODY ? "none" : id(row.key)) },
  { name: "From", cell: (row) => time(row.block_time) },
  { name: "Transaction", cell: (row) => transaction(row, row.transaction_hash) },
];

export async function operator(parts, state) {
  const path = `operators/${parts.join("/")}`;
  const { found: one, missing } = await orMissing("Operator", parts[2], get(path), [EXTRACT]);
  if (missing) return missing;
  const lanes = new Map(one.lanes.map((lane) => [pathOf(lane), lane]));
  const named = (row) => lanes.get(pathOf(row))?.name ?? "";
  const of = (row) => lanes.get(pathOf(row)) ?? row;
  state.lanes ??= {};
  const key = one.keys.at(-1)?.key;
  return {
    title: `Operator ${one.operator.slice(0, 10)}`,
    head: heading("Operator", one.operator, one.chain_id, { kind: "address" }),
    body: [
      figures(
        ["Networks", count(one.lanes.length)],
        ["Batches", count(one.batches)],
        ["Batches rejected", count(one.rejections)],
        ["Disputes open", count(one.disputes_open), `${count(one.disputes_past)} past`],
      ),
      card("Its lanes", "In each network that it works in. Networks are not added up: the same work may be committed to two.", [],
        sortable("Counts and stake by network", laneColumns(one.operator), one.lanes, state.lanes)),
      card("Keys", key && key !== NOBODY ? ["A key may commit for it: ", id(key)] : "No key may commit for it: it signs by its account.", [],
        one.keys.length ? table("Keys, the last one in force", KEYS, one.keys.map((row) => ({ ...row, chain_id: one.chain_id }))) : null),
      await listCard(state, "Batches", `${path}/batches`, batchColumns(named).filter((column) => column.name !== "Operator")),
      await listCard(state, "Disputes open", `${path}/disputes`, disputeColumns(named), { asked: { state: "open" } }),
      await listCard(state, "Disputes past", `${path}/disputes`, disputeColumns(named), { asked: { state: "past" } }),
      await listCard(state, "Slashed", `${path}/rejections`, rejectionColumns(of, named)),
    ],
  };
}
