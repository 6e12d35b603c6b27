// What to beware of at a network: one line at most where it would change a decision, the rest behind a word.

import { el } from "../dom.js";
import { count } from "../format.js";

const percent = (value) => `${Math.round(value * 100)} %`;

// In the order in which they would change a decision; the first stands in the row.
const LINES = {
  "one-requester": (one) => `One requester: ${percent(one.top_share)} of signed requests`,
  "own-arbiter": () => "The party that audits also rules",
  "rarely-audited": (one) => `Only ${percent(one.audited_share)} of what could be audited was`,
};
const NOTES = {
  "data-missing": (one) => (one.found_share === null ? "The data of the inferences was not found." : `${percent(1 - one.found_share)} of the data was not found.`),
  "few-requesters": (one) => `${count(one.requesters)} account${one.requesters === 1 ? "" : "s"} signed requests.`,
  "few-probes": (one) => `Based on ${count(one.asked)} probes.`,
  "short-period": (one) => `Based on ${Number(one.days.toFixed(1))} days.`,
  "few-verified": () => "Fewer than 1,000 verified.",
};
// Said elsewhere in the row: why it is unranked, and that utility is not available.
const ELSEWHERE = ["unbacked", "no-probes"];

function sentence(words) {
  return `${words[0].toUpperCase()}${words.slice(1)}${/[.!?]$/.test(words) ? "" : "."}`;
}

// { line, notes }: the caution of the row, if there is one, and the other ones in words.
export function notesOf(network) {
  const found = new Map(network.cautions.map((one) => [one.code, one]));
  const lined = network.rank === null ? [] : Object.keys(LINES).filter((code) => found.has(code));
  const [first] = lined;
  const notes = network.cautions
    .filter((one) => one.code !== first && !ELSEWHERE.includes(one.code) && !(one.code === "resolvers" && one.about === "verified"))
    .map((one) => (LINES[one.code] ? `${LINES[one.code](network)}.` : NOTES[one.code]?.(network) ?? sentence(one.reason)));
  if (network.solicited_share !== null && network.solicited_share < 0.9) notes.push(`No requester signed for ${percent(1 - network.solicited_share)} of the inferences. An operator may have asked itself.`);
  return { line: first ? LINES[first](network) : null, notes };
}

export function cautionLine(words) {
  return el("p", { class: "beware" }, el("span", { class: "sign-warn", "aria-hidden": "true" }, "⚠ "), words);
}

export function noteList({ notes }, key, more = true) {
  if (!notes.length) return null;
  return el("details", { class: "more", "data-key": `notes ${key}` }, el("summary", {}, `${notes.length} ${more ? "more " : ""}note${notes.length === 1 ? "" : "s"}`),
    el("ul", {}, notes.map((words) => el("li", {}, words))));
}

// Why a network is unranked: [badge, sentence].
export function reasons(network) {
  const why = {
    "self-declared": ["self-declared", "Its owner chose the auditors"],
    unidentified: ["unidentified", "Its resolvers were not looked up"],
    none: ["no auditor", "Nobody checks: nothing can be verified"],
  }[network.resolvers];
  const found = network.unmet.some((one) => one.condition === "held_by_one") ? [["held by one", "One account holds too many of the auditors' seats"]] : [];
  if (why) found.unshift(why);
  if (!network.backed) found.push(["unbacked", "No stake: a rejection costs nothing"]);
  if (network.resolvers === "known" && !network.convictable) found.push(["no conviction", "Nobody independent can convict a fake"]);
  return found;
}
