// A network's other charts: how much was audited, how far answers were off, who asks, what a fake costs.

import { chart, COUNTED, cursored, everyDay, GRADES } from "../charts.js";
import { csvLink } from "../data.js";
import { el, id, pathOf } from "../dom.js";
import { word } from "../explain.js";
import { amount, count, NONE, share } from "../format.js";
import { requesterLink } from "../links.js";
import { lines, MOST_LINES } from "../lines.js";
import { ranged } from "../ranges.js";
import { capital, shape } from "../shapes.js";
import { table } from "../table.js";
import { card } from "./cards.js";
import { numberLink } from "./parts.js";

const LARGEST = 10;

// A sentence in place of a chart that has no numbers, with the command that brings some.
function none(words, command) {
  return el("p", { class: "pad none" }, words, command ? [" ", el("code", {}, command)] : null);
}

// What closed on each day, by what became of it.
export function closedCard(base, days, grey, state) {
  if (!days.length) return [];
  const title = "What closed each day";
  const { plot, links } = ranged(title, everyDay(days, COUNTED), state, (some) => chart({ label: `Inferences that closed each day by what became of them, ${some[0].day} to ${some.at(-1).day}`, caption: title, kind: "columns", days: some, names: COUNTED, grey, state }));
  return card(title, "Rejected below the line.", [links, csvLink(title, `${base}/days`, days.length)], el("div", { class: "pad" }, plot));
}

export function verifiedCard(base, days, total, grey, state) {
  if (!days.length) return [];
  const title = grey ? "What it says it verified" : "Verified since registration";
  const { plot, links } = ranged(title, days, state, (some) => chart({ label: `Verified inferences by grade, cumulative, ${some[0].day} to ${some.at(-1).day}`, caption: "Verified inferences to each day", kind: "area", days: some, names: GRADES, total: grey ? "Says it verified" : "Verified", grey, state }));
  return card(title, grey ? "By grade, cumulative. Grey: nothing independent stands behind it." : "By grade, cumulative.", [links, csvLink("Day by day", `${base}/days`, total)], el("div", { class: "pad" }, plot));
}

function auditedShare({ audited, unchallenged }) {
  return audited + unchallenged ? audited / (audited + unchallenged) : null;
}

// Of what could have been audited, what was: days on which nothing could are gaps.
export function auditedCard(base, one, days, state) {
  const title = "Audited share, day by day";
  const words = "Of the inferences that became final on a day and could have been audited, those that were.";
  if (!days.some((day) => auditedShare(day) !== null)) {
    return card(title, null, [], none("Nothing that could have been audited is final yet. Newer blocks come with", "tallystick extract"));
  }
  const { plot, links } = ranged(title, everyDay(days, COUNTED), state, (some) => lines({
    label: `Audited share, ${some[0].day} to ${some.at(-1).day}`,
    caption: title,
    days: some.map((day) => day.day),
    series: [{ name: "Audited share", values: some.map(auditedShare) }],
    told: share,
    most: 1,
    state,
    tabled: () => table(title, [
      { name: "Day", cell: (row) => el("span", { class: "keep" }, row.day) },
      { name: "Audited share", about: "audited_share", number: true, cell: (row) => share(auditedShare(row)) },
      { name: "Audited", about: "audited", number: true, cell: (row) => count(row.audited) },
      { name: "Unchallenged", about: "unchallenged", number: true, cell: (row) => count(row.unchallenged) },
    ], [...some].reverse()),
  }));
  return card(title, words, [links, csvLink(title, `${base}/days`, days.length)], el("div", { class: "pad" }, plot, el("p", { class: "note soft" }, "Since registration: ", numberLink(one, "audited_share", "Audited share"), ".")));
}

// A row for each day and operator: M of all its tokens together.
export function driftLines(rows) {
  const sums = new Map();
  for (const row of rows) {
    if (row.mean === null) continue;
    const of = sums.get(row.operator) ?? { answers: 0, days: new Map() };
    const [tokens, total] = of.days.get(row.day) ?? [0, 0];
    of.days.set(row.day, [tokens + row.tokens, total + row.tokens * row.mean]);
    of.answers += row.answers;
    sums.set(row.operator, of);
  }
  const days = [...new Set([...sums.values()].flatMap((of) => [...of.days.keys()]))].sort();
  const every = everyDay(days.map((day) => ({ day })), []).map((one) => one.day);
  const most = [...sums].sort(([, one], [, other]) => other.answers - one.answers).slice(0, MOST_LINES);
  return {
    days: every,
    operators: sums.size,
    series: most.map(([operator, of]) => ({ operator, values: every.map((day) => (of.days.has(day) ? of.days.get(day)[1] / of.days.get(day)[0] : null)) })),
  };
}

// How far operators' answers were from the rule's, as verifiers noted it.
export function driftCard(base, found, expected, state) {
  const title = "Distance of answers, day by day";
  const { days, operators, series } = driftLines(found.rows);
  if (!days.length) {
    return expected ? card(title, null, [], none("No verifier's file of margins names an answer of this network. A node writes one; show it with", "tallystick serve --margins FILE")) : [];
  }
  const whole = days.map((day, at) => ({ day, at }));
  const { plot, links } = ranged(title, whole, state, (some) => lines({
    label: `M of each operator's answers by the day of their batches, ${some[0].day} to ${some.at(-1).day}`,
    caption: title,
    days: some.map((one) => one.day),
    series: series.map(({ operator, values }) => ({ name: `${operator.slice(0, 8)}…${operator.slice(-4)}`, values: some.map((one) => values[one.at]) })),
    told: (value) => Number(value).toFixed(3),
    state,
    tabled: () => table(title, [
      { name: "Day", cell: (row) => el("span", { class: "keep" }, row.day) },
      { name: "M", number: true, cell: (row) => (row.mean === null ? NONE : row.mean.toFixed(4)) },
      { name: "X", number: true, cell: (row) => row.largest.toFixed(3) },
      { name: "Answers", number: true, cell: (row) => count(row.answers) },
      { name: "Doubtful", number: true, cell: (row) => count(row.doubtful) },
      { name: "Wrong", number: true, cell: (row) => count(row.wrong) },
      { name: "Operator", cell: (row) => id(row.operator) },
      { name: "Model", cell: (row) => id(row.model_id) },
    ], found.rows.filter((row) => row.day >= some[0].day).reverse()),
  }));
  const words = operators > series.length ? ` The ${series.length} of ${count(operators)} operators with most answers.` : "";
  return card(title, `M in logits, by operator: a line that climbs is another model, or other kernels. The words of whoever wrote the files.${words}`, [links, csvLink(title, `${base}/drift`, found.total)], el("div", { class: "pad" }, plot));
}

// Who asks: the largest one by one, then all others.
export function requesterCard(base, one, found, state) {
  const row = (name, label) => el("p", { class: "row-of" }, word(label, name, `#/number/${pathOf(one)}/${name}`), numberLink(one, name, label));
  const figures = [row("requesters", "Accounts"), row("solicited_share", "Signed for"), row("found_share", "Data found"), row("top_share", "Largest requester"), row("herfindahl", "Herfindahl index")];
  if (!found.total) {
    const why = one.found_share === null ? none("The data of its inferences was not found: who asked is not available. Look for it with", "tallystick collect") : none("No requester signed for an inference whose data was found.");
    return card("Requesters", null, [], why, el("div", { class: "pad" }, figures));
  }
  const largest = found.rows.slice(0, LARGEST);
  const rest = 1 - largest.reduce((sum, { share: part }) => sum + part, 0);
  const others = found.total - largest.length;
  const parts = [...largest, ...(others ? [{ share: rest, others }] : [])];
  const pieces = parts.map((part, at) => {
    const piece = el("span", { class: part.others ? "piece rest" : "piece" });
    piece.style.flexGrow = part.share;
    piece.addEventListener("pointerenter", () => made.move(at));
    piece.addEventListener("pointerdown", () => made.move(at));
    return piece;
  });
  const mark = (at) => pieces.forEach((piece, place) => piece.toggleAttribute("data-here", place === at));
  const ten = `${largest.length === 1 ? "The largest" : `The ${count(largest.length)} largest`}: ${share(1 - rest)}`;
  const picture = el("div", { class: "pieces", role: "img", tabindex: "0", "aria-label": `${ten} of what was signed for${others ? `, ${count(others)} others the rest` : ""}. Arrow keys move from one to the next; the numbers stand above.` }, pieces);
  const made = cursored({
    picture,
    holder: picture,
    length: parts.length,
    caption: "Requesters by inferences",
    state,
    moved: mark,
    told: (at) => (parts[at].others
      ? [el("span", {}, `${count(others)} other${others === 1 ? "" : "s"} `, el("strong", {}, share(rest)))]
      : [el("span", {}, requesterLink(one, parts[at].requester)), el("span", {}, count(parts[at].asked), " ", el("strong", {}, share(parts[at].share)))]),
    tabled: () => table("Requesters by inferences", [
      { name: "Requester", cell: (part) => requesterLink(one, part.requester) },
      { name: "Inferences", number: true, cell: (part) => count(part.asked) },
      { name: "Share", number: true, cell: (part) => share(part.share) },
    ], found.rows),
  });
  made.move(0);
  mark(0);
  return card("Requesters", "Accounts that signed for inferences whose data was found; the largest first.", [made.button, csvLink("Requesters", `${base}/requesters`, found.total)],
    el("div", { class: "pad" }, made.plot, el("p", { class: "row-of note" }, el("strong", {}, ten), others ? el("span", {}, `${count(others)} other${others === 1 ? "" : "s"}: ${share(rest)}`) : null), figures));
}

function signed(value, of) {
  return value.startsWith("-") ? `− ${amount(value.slice(1), of)}` : amount(value, of);
}

// Each price with the terms that it is the sum of.
export function priceCard(base, one, found) {
  return card("Price of a fake", "What burns if one fake inference is counted and somebody then proves it wrong.", [csvLink("Price of a fake", `${base}/prices`, found.total)],
    el("ul", { class: "lines" }, found.rows.map((row) => el("li", { "data-grade-price": row.grade },
      el("p", { class: "row-of" }, el("span", {}, shape(row.standing === "known" || row.grade === "unchallenged" ? row.grade : `grey ${row.grade}`), " ", word(capital(row.grade), `price_${row.grade}`, `#/number/${pathOf(one)}/price_${row.grade}`)), numberLink(one, `price_${row.grade}`, `Price of a fake, ${row.grade}`)),
      row.terms.length ? el("dl", { class: "terms" },
        row.terms.map((term) => el("div", {}, el("dt", {}, capital(term.label)), el("dd", { "data-term-amount": term.amount }, signed(term.amount, one)))),
        el("div", { class: "total" }, el("dt", {}, "Burned"), el("dd", {}, amount(row.price, one)))) : null,
      el("p", { class: "note soft" }, `${capital(row.because)}.`)))));
}
