// Numbers as people read them; the exact ones are behind each link.

import { coin } from "./chains.js";

export const NONE = "not available";
const NATIVE = `0x${"00".repeat(20)}`;
const whole = new Intl.NumberFormat("en");

export function count(value) {
  return value === null ? NONE : whole.format(value);
}

export function share(value) {
  return value === null ? NONE : `${(value * 100).toFixed(1)} %`;
}

export function score(value) {
  return value === null ? NONE : value.toFixed(2);
}

// An amount in the smallest units, as decimal text; the chain's own currency has 18 decimals.
// `of` is what has it: a network, or its asset and chain_id.
export function amount(value, of) {
  if (value === null) return NONE;
  if (of.asset !== NATIVE) return `${whole.format(BigInt(value))} units`;
  const digits = value.padStart(19, "0");
  const fraction = digits.slice(-18).replace(/0+$/, "");
  return `${whole.format(BigInt(digits.slice(0, -18)))}${fraction && `.${fraction}`} ${coin(of.chain_id)}`;
}

// What a fake costs: an amount, or words that say why there is none.
export function price(value, of) {
  if (value === null || value === "unknown") return NONE;
  return /^\d+$/.test(value) ? amount(value, of) : value;
}

export function byUnit(unit, value, of) {
  switch (unit) {
    case "amount": return amount(value, of);
    case "price": return price(value, of);
    case "share": return share(value === null ? null : Number(value));
    case "score": return score(value === null ? null : Number(value));
    case "gas": return value === null ? NONE : count(Math.round(Number(value)));
    default: return count(value === null ? null : Number(value));
  }
}

// Of a large count the first digits, for where there is little room.
export function short(value) {
  if (value < 10_000) return whole.format(value);
  return new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 }).format(value).replace(/([KMBT])$/, " $1").replace("K", "k");
}

// "27 Nov" of 2026-11-27.
export function dayName(day) {
  return new Date(`${day}T00:00:00Z`).toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
}
