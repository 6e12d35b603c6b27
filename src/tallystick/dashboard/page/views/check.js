// A receipt: checked here by hashes alone, then against the events, then the chain.

import { Bad, check as checkReceipt, PARTS, parseFile, unpackStamp } from "../check.js";
import { get, isExport } from "../data.js";
import { el } from "../dom.js";
import { count } from "../format.js";
import { handed } from "../handed.js";
import { facing, stateOf } from "./batch.js";

const MEANINGS = {
  format: "the file", leaf: "the leaf", batch: "the batch's id", stamp: "the stamp", proof: "the proof up to the root", signature: "the requester's signature",
};
const LARGEST = 64 << 20;
const SHOWN = 20;

function asksWhom(coverage) {
  if (isExport) return "This page is an export: what its hashes say is checked in full, what was committed only up to the blocks below, and no node is asked.";
  if (!coverage.chains_asked) return "No node is known to this page: what was committed is checked by the events up to the blocks below. With tallystick serve --rpc the contract is asked too.";
  return "What was committed is checked by the events, and the contract itself is asked.";
}

export async function check(_, state, coverage) {
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
  await take(handed());
  const drop = el("div", {
    class: "drop",
    ondragover: (event) => { event.preventDefault(); drop.classList.add("over"); },
    ondragleave: () => drop.classList.remove("over"),
    ondrop: (event) => { event.preventDefault(); drop.classList.remove("over"); take(event.dataTransfer.files[0]); },
  },
  el("label", { for: "receipt" }, "Paste a receipt, or drop its file here"), text,
  el("div", { class: "row" }, el("button", { type: "button", onclick: run, id: "run" }, "Check"), el("label", {}, "or choose a file", file)));
  const registry = el("select", {}, coverage.cores.map((one, place) => el("option", { value: String(place) }, `chain ${one.chain_id}, ${one.core}`)));
  const batchId = el("input", { class: "wide", autocomplete: "off", spellcheck: "false", required: true, pattern: "\\s*0x[0-9a-fA-F]{64}\\s*", title: "0x and 64 hex digits" });
  const find = () => {
    if (!batchId.reportValidity()) return;
    const { chain_id: chain, core: address } = coverage.cores[Number(registry.value)];
    location.hash = `#/batch/${chain}/${address}/${encodeURIComponent(batchId.value.trim().toLowerCase())}`;
  };
  return {
    title: "Batch or receipt",
    body: [
      el("h2", {}, "A receipt"),
      el("p", {}, "It is checked in this browser: nothing of it is sent anywhere but the batch's id, to compare with what was committed."),
      el("p", { class: "soft" }, asksWhom(coverage)),
      drop,
      result,
      el("h2", {}, "A batch"),
      el("div", { class: "row" }, el("label", {}, "Contract", registry), el("label", { class: "wide" }, "Batch id", batchId), el("button", { type: "button", onclick: find }, "Find")),
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
  const { steps } = all[Math.max(0, bad)];
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
  return [verdict, list, ...(failed ? [] : await committed(receipts, coverage))];
}

// What was committed, by the events, beside what the receipts say.
async function committed(receipts, coverage) {
  const rows = new Map();
  for (const receipt of receipts) {
    const path = pathOf(receipt);
    if (!rows.has(path)) rows.set(path, await found(receipt, path, coverage));
    const row = rows.get(path);
    if (row.missing) return told("missing", "bad", row.missing);
    const wrong = differences(receipt, row);
    if (wrong.length) return [...told("differs", "bad", `The events of batch ${row.batch_id.slice(0, 10)} say otherwise: ${wrong.join("; ")}.`), await facing(row, coverage)];
  }
  const all = [...rows.values()];
  const words = all.length === 1
    ? `The batch was committed, and is ${stateOf(all[0])}.`
    : `All ${count(all.length)} batches were committed.`;
  return [...told("committed", "good", words), ...await Promise.all(all.slice(0, SHOWN).map((row) => facing(row, coverage))),
    all.length > SHOWN ? el("p", { class: "soft" }, `The first ${SHOWN} are shown.`) : null].filter(Boolean);
}

function told(state, kind, words) {
  return [el("h2", {}, "Against the chain"), el("p", { class: `verdict ${kind}`, "data-chain": state }, words)];
}

function pathOf(receipt) {
  return `batches/${receipt.chain_id}/${receipt.registry.toLowerCase()}/${receipt.batch.id.toLowerCase()}`;
}

async function found(receipt, path, coverage) {
  try {
    return await get(path);
  } catch (error) {
    const covered = coverage.cores.some((one) => BigInt(one.chain_id) === BigInt(receipt.chain_id) && one.core === receipt.registry.toLowerCase());
    if (!covered) return { missing: "These numbers do not cover that chain and contract." };
    if (error.status !== 404) return { missing: `The events were not asked: ${error.message}.` };
    const other = isExport ? "older than the newest batches that this export has, newer than its blocks" : "newer than the blocks covered";
    return { missing: `No event here tells of batch ${receipt.batch.id.slice(0, 10)}. It may be ${other}, or was never committed.` };
  }
}

function differences(receipt, row) {
  const stamp = unpackStamp(receipt.stamp);
  return [
    ["root", receipt.batch.root.toLowerCase(), row.root],
    ["count", Number(receipt.batch.count), row.count],
    ["transaction", receipt.transaction.toLowerCase(), row.transaction_hash],
    ["slot", stamp.slot, row.slot],
    ["committed at", stamp.committed_at, row.committed_at],
    ["committed block", stamp.committed_block, row.committed_block],
  ].filter(([, said, is]) => said !== is).map(([name, said, is]) => `${name} is ${is}, the receipt says ${said}`);
}
