// One batch, or one receipt: checked here by hashes alone, then against the events, then the chain.

import { Bad, check as checkReceipt, PARTS, parseFile, unpackStamp } from "../check.js";
import { get, isExport } from "../data.js";
import { el, facts, time } from "../dom.js";
import { count } from "../format.js";

const MEANINGS = {
  format: "the file", leaf: "the leaf", batch: "the batch's id", stamp: "the stamp", proof: "the proof up to the root", signature: "the requester's signature",
};
const LARGEST = 64 << 20;

export async function check(parts, state, coverage) {
  if (parts.length === 3) return batch(parts, coverage);
  const result = el("div", { "aria-live": "polite", id: "result" });
  const text = el("textarea", { spellcheck: "false", autocomplete: "off", id: "receipt" });
  const file = el("input", { type: "file", accept: ".json,.jsonl,application/json" });
  const run = async () => {
    const found = text.value.trim();
    result.replaceChildren(...(found ? await judged(found, coverage) : [el("p", { class: "bad" }, "There is nothing to check.")]));
  };
  const take = async (chosen) => {
    if (!chosen) return;
    if (chosen.size > LARGEST) {
      result.replaceChildren(el("p", { class: "bad" }, "The file is larger than 64 MB."));
      return;
    }
    text.value = await chosen.text();
    await run();
  };
  file.addEventListener("change", () => take(file.files[0]));
  const drop = el("div", {
    class: "drop",
    ondragover: (event) => { event.preventDefault(); drop.classList.add("over"); },
    ondragleave: () => drop.classList.remove("over"),
    ondrop: (event) => { event.preventDefault(); drop.classList.remove("over"); take(event.dataTransfer.files[0]); },
  },
  el("label", { for: "receipt" }, "Paste a receipt, or drop its file here"), text,
  el("div", { class: "row" }, el("button", { type: "button", onclick: run, id: "run" }, "Check"), el("label", {}, "or choose a file", file)));
  const core = el("select", {}, coverage.cores.map((one, place) => el("option", { value: String(place) }, `chain ${one.chain_id}, ${one.core}`)));
  const batchId = el("input", { class: "wide", autocomplete: "off", spellcheck: "false", pattern: "0x[0-9a-fA-F]{64}" });
  const find = () => {
    const { chain_id: chain, core: address } = coverage.cores[Number(core.value)];
    location.hash = `#/batch/${chain}/${address}/${encodeURIComponent(batchId.value.trim().toLowerCase())}`;
  };
  return {
    title: "Batch or receipt",
    body: [
      el("h2", {}, "A receipt"),
      el("p", {}, "It is checked in this browser: nothing of it is sent anywhere but the batch's id, to compare with what was committed."),
      drop,
      result,
      el("h2", {}, "A batch"),
      el("div", { class: "row" }, el("label", {}, "Contract", core), el("label", { class: "wide" }, "Batch id", batchId), el("button", { type: "button", onclick: find }, "Find")),
    ],
  };
}

async function judged(source, coverage) {
  let receipts;
  try {
    receipts = parseFile(source);
    if (!receipts.length) throw new Bad("format", "the file holds no receipt");
  } catch (error) {
    return [el("p", { class: "verdict bad", "data-verdict": "format" }, `Not good: ${error.message}`)];
  }
  const all = receipts.map((receipt) => ({ receipt, steps: checkReceipt(receipt) }));
  const bad = all.findIndex(({ steps }) => !steps.at(-1).good);
  const { receipt, steps } = all[Math.max(0, bad)];
  const failed = bad >= 0 ? steps.at(-1) : null;
  const which = all.length > 1 ? `Receipt ${Math.max(0, bad) + 1} of ${count(all.length)}: ` : "";
  const verdict = failed
    ? el("p", { class: "verdict bad", "data-verdict": failed.part }, `${which}not good. ${MEANINGS[failed.part]} fails: ${failed.text}`)
    : el("p", { class: "verdict good", "data-verdict": "good" }, all.length > 1 ? `All ${count(all.length)} receipts are good by their hashes.` : "The receipt is good by its hashes.");
  const list = el("ol", { class: "steps" }, PARTS.map((part) => {
    const step = steps.find((one) => one.part === part);
    return el("li", { "data-part": part }, `${MEANINGS[part]}: `, step
      ? el("span", { class: step.good ? "good" : "bad" }, `${step.good ? "✓ good" : "✗ not good"}, ${step.text}`)
      : el("span", { class: "soft" }, "not checked"));
  }));
  return [verdict, list, ...(failed ? [] : await committed(receipt, coverage))];
}

// What was committed, by the events, beside what the receipt says.
async function committed(receipt, coverage) {
  const heading = el("h2", {}, "Against the chain");
  const core = receipt.registry.toLowerCase();
  const path = `batches/${receipt.chain_id}/${core}/${receipt.batch.id.toLowerCase()}`;
  let row;
  try {
    row = await get(path);
  } catch (error) {
    const known = coverage.cores.some((one) => one.chain_id === receipt.chain_id && one.core === core);
    return [heading, el("p", { class: "verdict bad", "data-chain": "missing" }, known
      ? `No event tells of this batch: ${error.message}. It may be newer than the blocks covered, or was never committed.`
      : "These numbers do not cover that chain and contract.")];
  }
  const stamp = unpackStamp(receipt.stamp);
  const wrong = [
    ["root", receipt.batch.root.toLowerCase(), row.root],
    ["count", Number(receipt.batch.count), row.count],
    ["transaction", receipt.transaction.toLowerCase(), row.transaction_hash],
    ["slot", stamp.slot, row.slot],
    ["committed at", stamp.committed_at, row.committed_at],
    ["committed block", stamp.committed_block, row.committed_block],
  ].filter(([, said, told]) => said !== told);
  const verdict = wrong.length
    ? el("p", { class: "verdict bad", "data-chain": "differs" }, `Its events say otherwise: ${wrong.map(([name, said, told]) => `${name} is ${told}, the receipt says ${said}`).join("; ")}.`)
    : el("p", { class: "verdict good", "data-chain": "committed" }, `The batch was committed, and is ${stateOf(row)}.`);
  return [heading, verdict, ...await facing(row, coverage)];
}

function stateOf(row) {
  return row.outcome ? `${row.state}, ${row.outcome}` : row.state;
}

async function facing(row, coverage) {
  const base = `${row.chain_id}/${row.core}/${row.batch_id}`;
  const said = [];
  if (coverage.chains_asked && !isExport) {
    try {
      const now = await get(`chain/${base}`);
      const words = [now.state, now.outcome, now.cause].filter(Boolean).join(", ");
      const where = { slot: "its slot", archive: "the archive", none: "neither slot nor archive holds it: it was final, and its slot was used again, unless it never was" }[now.source];
      said.push(["The contract says", el("span", { "data-contract": now.state }, `${words} at block ${count(now.block)} (${where})`)]);
    } catch (error) {
      said.push(["The contract", `was not asked: ${error.message}`]);
    }
  }
  return [
    facts([
      ["The events say", stateOf(row)],
      ...said,
      ["Batch", el("a", { href: `#/batch/${base}` }, el("code", {}, row.batch_id))],
      ["Network", el("a", { href: `#/network/${row.chain_id}/${row.core}/${row.network_id}` }, el("code", {}, row.network_id))],
    ]),
  ];
}

async function batch([chain, core, batchId], coverage) {
  const row = await get(`batches/${chain}/${core}/${batchId}`);
  return {
    title: `Batch ${row.batch_id.slice(0, 10)}`,
    body: [
      ...await facing(row, coverage),
      el("h2", {}, "As committed"),
      facts([
        ["Operator", el("code", {}, row.operator)],
        ["Model", el("code", {}, row.model_id)],
        ["Number in its lane", count(row.index)],
        ["Inferences", count(row.count)],
        ["Root", el("code", {}, row.root)],
        ["Grade", row.lapsed ? `${row.grade}, but an arbiter once failed to rule` : row.grade],
        ["Smallest deadline", time(row.by)],
        ["Committed", [time(row.committed_at), `, block ${count(row.committed_block)}`]],
        ["Window closes", time(row.closes_at)],
        ["Slot", count(row.slot)],
        ["Transaction", el("code", {}, row.transaction_hash)],
      ]),
      el("h2", {}, "What happened"),
      el("ol", { class: "steps" }, row.history.map((step) => el("li", {}, el("strong", {}, step.event), " ", time(step.block_time), `, block ${count(step.block_number)}`,
        facts(Object.entries(step).filter(([name]) => !["event", "block_number", "block_time", "log_index"].includes(name)).map(([name, value]) => [name.replaceAll("_", " "), el("code", {}, String(value))]))))),
      row.history.length ? null : el("p", {}, "Nothing since its commit."),
      el("p", {}, el("a", { href: "#/check" }, "Check a receipt")),
    ].filter(Boolean),
  };
}
