// One transaction: the events of a registry in it, with links to what they are about.

import { get, isExport } from "../data.js";
import { el, facts, id, pathOf, stranger, time } from "../dom.js";
import { amount, count, NONE } from "../format.js";
import { disputeLink, modelLink, operatorLink } from "../links.js";
import { EXTRACT, card, figures, heading, orMissing } from "./cards.js";
import { batchLink } from "./parts.js";

const PLACES = ["core", "event", "block_number", "block_time", "log_index"];
const AMOUNTS = ["amount", "bond", "reward", "burned", "credited", "returned", "rules_stake_per_inference", "rules_challenge_bond", "rules_demand_bond"];
const TIMES = ["due", "closes_at", "committed_at", "commit_deadline"];
const WORDS = ["name", "uri"];

// A field of an event: what it names is a link where it has a page.
function told(name, value, row, networks) {
  const network = networks.get(`${row.core} ${row.network_id}`);
  if (name === "network_id") return network ? el("a", { href: `#/network/${pathOf(network)}` }, stranger(network.name), " ", id(value)) : id(value);
  if (name === "operator") return operatorLink(row, value);
  if (name === "model_id") return modelLink(row, value);
  if (name === "batch_id" || name === "finalized_id") return /^0x0+$/.test(value) ? "none" : batchLink({ ...row, batch_id: value });
  if (AMOUNTS.includes(name)) return network || row.asset ? amount(String(value), { chain_id: row.chain_id, asset: network?.asset ?? row.asset }) : count(BigInt(value));
  if (TIMES.includes(name)) return time(value);
  if (WORDS.includes(name)) return stranger(value, "none");
  if (typeof value === "number") return count(value);
  return typeof value === "string" && value.startsWith("0x") ? id(value) : String(value);
}

function eventCard(row, one, networks) {
  const fields = Object.entries(row).filter(([name, value]) => !PLACES.includes(name) && name !== "chain_id" && value !== null);
  const about = one.disputes.filter((found) => found.core === row.core && found.batch_id === row.batch_id && (found.opened ? ["BatchChallenged", "BatchDemanded"] : ["ChallengeUpheld", "ChallengeLapsed", "LeafRevealed", "BatchRejected"]).includes(row.event));
  return card(`${row.event}, log ${count(row.log_index)}`, ["Registry ", id(row.core)], [],
    el("div", { class: "pad" }, facts([
      ...fields.map(([name, value]) => [name.replace(/^rules_/, "rules: ").replaceAll("_", " "), told(name, value, row, networks)]),
      ...about.map((found) => ["dispute", disputeLink({ ...row, number: found.number }, `${found.kind}, ${found.opened ? "opened" : "ended"} here`)]),
    ])));
}

export async function transaction(parts) {
  const { found: one, missing } = await orMissing("Transaction", parts[1] ?? "", get(`transactions/${parts.join("/")}`), [EXTRACT]);
  if (missing) return missing;
  const networks = new Map(one.networks.map((row) => [`${row.core} ${row.network_id}`, row]));
  return {
    title: `Transaction ${one.transaction_hash.slice(0, 10)}`,
    head: heading("Transaction", one.transaction_hash, one.chain_id, { kind: "tx", about: [time(one.block_time)] }),
    body: [
      figures(
        ["Events", count(one.events.length)],
        ["Block", count(one.block_number), `place ${count(one.transaction_index)}`],
        ["Gas", count(one.gas_used), one.gas_used === null ? `Receipts were not read. ${isExport ? "" : "tallystick extract --gas reads them."}` : "used by the whole transaction"],
        ["Networks", one.networks.length ? count(one.networks.length) : NONE, one.networks.length ? null : "No event in it names one."],
      ),
      one.events.map((row) => eventCard({ ...row, chain_id: one.chain_id }, one, networks)),
      el("p", { class: "soft" }, "Events that only carry data, evidence and revealed bytes, are not shown."),
    ].flat(),
  };
}
