// Numbers as people read them; the exact ones are behind each link.

const NATIVE = `0x${"00".repeat(20)}`;
const whole = new Intl.NumberFormat("en");

export function count(value) {
  return value === null ? "unknown" : whole.format(value);
}

export function share(value) {
  return value === null ? "unknown" : `${(value * 100).toFixed(1)} %`;
}

export function score(value) {
  return value === null ? "unknown" : value.toFixed(3);
}

// An amount in the smallest units, as decimal text; the chain's own coin has 18 decimals.
export function amount(value, asset) {
  if (value === null) return "unknown";
  if (asset !== NATIVE) return `${whole.format(BigInt(value))} units`;
  const digits = value.padStart(19, "0");
  const fraction = digits.slice(-18).replace(/0+$/, "");
  return `${whole.format(BigInt(digits.slice(0, -18)))}${fraction && `.${fraction}`} coin`;
}

// What a fake costs: an amount, or words that say why there is none.
export function price(value, asset) {
  if (value === null) return "not to be had";
  return /^\d+$/.test(value) ? amount(value, asset) : value;
}

export function byUnit(unit, value, asset) {
  switch (unit) {
    case "amount": return amount(value, asset);
    case "price": return price(value, asset);
    case "share": return share(value === null ? null : Number(value));
    case "score": return score(value === null ? null : Number(value));
    case "gas": return value === null ? "unknown" : count(Math.round(Number(value)));
    default: return count(value === null ? null : Number(value));
  }
}
