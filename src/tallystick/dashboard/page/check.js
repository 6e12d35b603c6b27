// A receipt checked by hashes alone: leaf, batch, stamp, proof, signature. Source: receipt.py.

import { keccak_256 } from "./vendor/noble-hashes/sha3.js";
import { recoverPublicKey } from "./vendor/noble-secp256k1/index.js";

export const PARTS = ["format", "leaf", "batch", "stamp", "proof", "signature"];
const MOST = 1 << 20;
const HIGHEST_S = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

export class Bad extends Error {
  constructor(part, reason) {
    super(reason);
    this.part = part;
  }
}

const text = (value) => new TextEncoder().encode(value);
const hex = (bytes) => `0x${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
const bytes = (value) => Uint8Array.from(value.slice(2).match(/../g) ?? [], (pair) => parseInt(pair, 16));
const number = (value) => bytes(`0x${BigInt(value).toString(16).padStart(64, "0")}`);
const address = (value) => bytes(`0x${value.slice(2).padStart(64, "0")}`);

function keccak(...parts) {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return keccak_256(joined);
}

const INFERENCE = keccak(text("Inference(bytes32 modelId,address operator,address requester,uint64 nonce,uint64 deadline,bytes32 inputHash,bytes32 outputHash,bytes32 traceRoot)"));
const REQUEST = keccak(text("Request(bytes32 modelId,address operator,bytes32 inputHash,address requester,uint64 nonce,uint64 deadline)"));
const DOMAIN = keccak(text("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"));

const HEX = (length) => (value) => typeof value === "string" && new RegExp(`^0x[0-9a-fA-F]{${2 * length}}$`).test(value);
const COUNT = (value) => (typeof value === "bigint" || Number.isSafeInteger(value)) && value >= 0 && BigInt(value) < 1n << 64n;
const SHAPE = {
  version: (value) => value === 1,
  chain_id: COUNT,
  registry: HEX(20),
  network_id: HEX(32),
  batch: { id: HEX(32), operator: HEX(20), index: COUNT, model_id: HEX(32), root: HEX(32), count: COUNT, commit_deadline: COUNT },
  stamp: HEX(32),
  leaf_index: COUNT,
  inference: { leaf: HEX(32), requester: HEX(20), nonce: COUNT, deadline: COUNT, input_hash: HEX(32), output_hash: HEX(32), trace_root: HEX(32) },
  signature: (value) => value === null || value === undefined || HEX(65)(value),
  proof: (value) => Array.isArray(value) && value.length <= 20 && value.every(HEX(32)),
  transaction: HEX(32),
  block: COUNT,
};

function shaped(value, shape, at) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Bad("format", `${at || "a receipt"} is no object`);
  for (const name of Object.keys(value)) {
    if (!Object.hasOwn(shape, name)) throw new Bad("format", `${at}${name} is no field of a receipt`);
  }
  for (const [name, fits] of Object.entries(shape)) {
    if (typeof fits === "object") shaped(value[name], fits, `${at}${name}.`);
    else if (!fits(value[name])) throw new Bad("format", `${at}${name} is missing or malformed`);
  }
}

// Integers above 2^53 - 1 become BigInt: JSON.parse alone would round them.
export function parse(source) {
  const marked = source.replace(/("(?:[^"\\]|\\.)*")|(-?\d{16,})(?![\d.eE])/g, (all, string, digits) => string ?? `{"$":"${digits}"}`);
  return JSON.parse(marked, (_, value) => (
    value && typeof value === "object" && typeof value.$ === "string" && /^-?\d+$/.test(value.$) ? BigInt(value.$) : value
  ));
}

// The receipts of a file: one JSON object, or one on each line.
export function parseFile(source) {
  try {
    return [parse(source)];
  } catch {
    return source.split("\n").filter((line) => line.trim()).map((line, place) => {
      try {
        return parse(line);
      } catch {
        throw new Bad("format", `line ${place + 1} is no JSON`);
      }
    });
  }
}

export function unpackStamp(stamp) {
  const part = (from, to) => Number(BigInt(`0x${stamp.slice(2 + 2 * from, 2 + 2 * to)}`));
  return { slot: part(10, 14), count: part(14, 17), committed_at: part(17, 22), committed_block: part(22, 27), closes_at: part(27, 32) };
}

function leafOf({ batch, inference }) {
  return keccak(INFERENCE, bytes(batch.model_id), address(batch.operator), address(inference.requester), number(inference.nonce),
    number(inference.deadline), bytes(inference.input_hash), bytes(inference.output_hash), bytes(inference.trace_root));
}

const CHECKS = {
  format(receipt) {
    shaped(receipt, SHAPE, "");
    if (!/^0x0{20}/.test(receipt.stamp)) throw new Bad("format", "the stamp's ten highest bytes are not zero");
    const { committed_block: block } = unpackStamp(receipt.stamp);
    if (BigInt(receipt.block) !== BigInt(block)) throw new Bad("format", `block is ${receipt.block}; the stamp says ${block}`);
    if (receipt.batch.count < 1 || receipt.batch.count > MOST) throw new Bad("format", `count is ${receipt.batch.count}; needed: 1 to ${MOST}`);
    if (BigInt(receipt.batch.index) >= 1n << 48n) throw new Bad("format", "batch.index is too large");
    return "every field is there";
  },
  leaf(receipt) {
    const found = hex(leafOf(receipt));
    if (found !== receipt.inference.leaf.toLowerCase()) throw new Bad("leaf", `the inference hashes to ${found}`);
    return `the inference hashes to ${found}`;
  },
  batch({ network_id, batch }) {
    const found = hex(keccak(bytes(network_id), address(batch.operator), number(batch.index), bytes(batch.model_id), bytes(batch.root), number(batch.count), number(batch.commit_deadline)));
    if (found !== batch.id.toLowerCase()) throw new Bad("batch", `the batch hashes to ${found}`);
    return `the batch hashes to ${found}`;
  },
  stamp({ stamp, batch }) {
    const { count, committed_at: at } = unpackStamp(stamp);
    if (BigInt(count) !== BigInt(batch.count)) throw new Bad("stamp", `its count is ${count}; the batch's is ${batch.count}`);
    if (BigInt(at) > BigInt(batch.commit_deadline)) throw new Bad("stamp", `committed at ${at}, after ${batch.commit_deadline}`);
    return `${count} inferences, committed at ${at}, in time`;
  },
  proof(receipt) {
    const { batch, leaf_index: index, proof } = receipt;
    const depth = 32 - Math.clz32(Number(batch.count) - 1);
    if (BigInt(index) >= BigInt(batch.count)) throw new Bad("proof", `leaf index is ${index}; needed: below the count ${batch.count}`);
    if (proof.length !== depth) throw new Bad("proof", `${proof.length} siblings; needed: ${depth} for ${batch.count} leaves`);
    let node = leafOf(receipt);
    proof.forEach((sibling, height) => {
      node = Number(index) >> height & 1 ? keccak(bytes(sibling), node) : keccak(node, bytes(sibling));
    });
    const root = hex(node);
    if (root !== batch.root.toLowerCase()) throw new Bad("proof", `leaf ${index} leads to ${root}, not to the root`);
    return `leaf ${index} and ${depth} siblings lead to the root ${root}`;
  },
  signature({ chain_id, registry, batch, inference, signature }) {
    if (!signature) return "none: unsolicited, or not told";
    const struct = keccak(REQUEST, bytes(batch.model_id), address(batch.operator), bytes(inference.input_hash), address(inference.requester), number(inference.nonce), number(inference.deadline));
    const domain = keccak(DOMAIN, keccak(text("Tallystick")), keccak(text("1")), number(chain_id), address(registry));
    const signer = recover(keccak(Uint8Array.of(0x19, 0x01), domain, struct), bytes(signature));
    if (signer !== inference.requester.toLowerCase()) throw new Bad("signature", `the request is signed by ${signer}, not by its requester`);
    return `the request is signed by its requester ${signer}`;
  },
};

function recover(digest, signature) {
  const v = signature[64];
  const [r, s] = [0, 32].map((at) => BigInt(hex(signature.slice(at, at + 32))));
  if (v !== 27 && v !== 28) throw new Bad("signature", `v is ${v}; needed: 27 or 28`);
  if (s > HIGHEST_S) throw new Bad("signature", "s is in the upper half; needed: the lower one");
  if (r === 0n || r >= ORDER || s === 0n) throw new Bad("signature", "r or s is out of range");
  try {
    const key = recoverPublicKey(Uint8Array.of(v - 27, ...signature.slice(0, 64)), digest, { prehash: false, isCompressed: false });
    return hex(keccak(key.slice(1)).slice(12));
  } catch {
    throw new Bad("signature", "nobody can have made it");
  }
}

// What each part comes to, up to the first that fails: { part, good, text }.
export function check(receipt) {
  const steps = [];
  for (const part of PARTS) {
    try {
      steps.push({ part, good: true, text: CHECKS[part](receipt) });
    } catch (error) {
      if (!(error instanceof Bad)) throw error;
      steps.push({ part, good: false, text: error.message });
      break;
    }
  }
  return steps;
}
