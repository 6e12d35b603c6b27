// One batch: what was committed, what happened to it, and what the chain says.

import { get, isExport } from "../data.js";
import { el, facts, time, transaction } from "../dom.js";
import { modelLink, operatorLink } from "../links.js";
import { amount, count } from "../format.js";

const TIMES = ["due", "closes_at"];
const AMOUNTS = ["bond", "reward", "burned"];
const PLACES = ["event", "block_number", "block_time", "log_index"];

export function stateOf(row) {
  return row.outcome ? `${row.state}, ${row.outcome}` : row.state;
}

const WHERE = {
  slot: "its slot",
  archive: "the archive",
  none: "neither slot nor archive holds it: it was final, and its slot was used again, unless it never was",
};

async function contractSays(path, coverage) {
  if (isExport) return "was not asked: an exported page asks no node. tallystick serve --rpc does.";
  if (!coverage.chains_asked) return "was not asked: this page has no node. Serve it with --rpc CHAIN_ID=URL.";
  try {
    const now = await get(`chain/${path}`);
    const words = [now.state, now.outcome, now.cause].filter(Boolean).join(", ");
    return el("span", { "data-contract": now.state }, `${words} at block ${count(now.block)} (${WHERE[now.source]})`);
  } catch (error) {
    return `was not asked: ${error.message}`;
  }
}

// What the events and the contract say of a batch, beside each other.
export async function facing(row, coverage) {
  const path = `${row.chain_id}/${row.core}/${row.batch_id}`;
  return facts([
    ["The events say", stateOf(row)],
    ["The contract", el("span", { "data-asked": "" }, await contractSays(path, coverage))],
    ["Batch", el("a", { href: `#/batch/${path}` }, el("code", {}, row.batch_id))],
    ["Network", el("a", { href: `#/network/${row.chain_id}/${row.core}/${row.network_id}` }, el("code", {}, row.network_id))],
  ]);
}

function told(name, value, network) {
  if (TIMES.includes(name)) return time(value);
  if (AMOUNTS.includes(name)) return amount(String(value), network);
  if (name === "transaction_hash") return transaction(network, value);
  return el("code", {}, String(value));
}

function step(one, network) {
  const own = Object.entries(one).filter(([name, value]) => !PLACES.includes(name) && value !== null);
  return el("li", {}, el("strong", {}, one.event), " ", time(one.block_time), `, block ${count(one.block_number)}, log ${count(one.log_index)}`,
    facts(own.map(([name, value]) => [name.replaceAll("_", " "), told(name, value, network)])));
}

export async function batch(parts, _, coverage) {
  const row = await get(`batches/${parts.join("/")}`);
  const network = await get(`networks/${row.chain_id}/${row.core}/${row.network_id}`);
  const committed = { event: "BatchCommitted", block_number: row.committed_block, block_time: row.committed_at, log_index: row.log_index, transaction_hash: row.transaction_hash, count: row.count };
  return {
    title: `Batch ${row.batch_id.slice(0, 10)}`,
    body: [
      await facing(row, coverage),
      el("h2", {}, "As committed"),
      facts([
        ["Operator", operatorLink(row)],
        ["Model", modelLink(row)],
        ["Number in its lane", count(row.index)],
        ["Inferences", count(row.count)],
        ["Root", el("code", {}, row.root)],
        ["Grade", row.lapsed ? `${row.grade}, but an arbiter once failed to rule` : row.grade],
        ["Smallest deadline", time(row.commit_deadline)],
        ["Window closes", time(row.closes_at)],
        ["Slot", count(row.slot)],
      ]),
      el("h2", {}, "Its events"),
      el("ol", { class: "steps" }, [committed, ...row.history].map((one) => step(one, network))),
      el("p", {}, el("a", { href: "#/check" }, "Check a receipt")),
    ],
  };
}
