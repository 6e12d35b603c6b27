// One network.

import { age } from "../ago.js";
import { chainName, explorer } from "../chains.js";
import { COUNTED, everyDay, GRADES } from "../charts.js";
import { csvLink, get, isExport, ROWS, rows } from "../data.js";
import { copy, el, facts, id, pathOf, stranger, time, transaction } from "../dom.js";
import { word } from "../explain.js";
import { amount, count, NONE, share } from "../format.js";
import { disputeLink, modelLink, operatorLink, requesterLink, resolverLink } from "../links.js";
import { change, known as knownPeriod, long, madeOf, periodSwitch } from "../periods.js";
import { badge, capital, sign } from "../shapes.js";
import { sortable } from "../table.js";
import { card, listCard, networkColumn } from "./cards.js";
import { auditedCard, closedCard, driftCard, priceCard, requesterCard, verifiedCard } from "./drawn.js";
import { cautionLine, notesOf } from "./notes.js";
import { badges, batchLink, cautionList, closedShare, numberLink, partColumn, partLink, prices, stateBadge, unmetList, utilityBars, verifiedBar } from "./parts.js";
import { linkedNote, useOf } from "./use.js";

const LABELS = [
  ["verified", "Verified"], ["known_verified", "By known resolvers"], ["price_of_a_fake", "Price of a fake"], ["proven", "Proven"], ["enclave", "Enclave"], ["audited", "Audited"], ["committed", "Committed"],
  ["open", "Open"], ["unchallenged", "Unchallenged"], ["unresolved", "Unresolved"], ["rejected", "Rejected"],
  ["utility", "Utility"], ["accessibility", "Accessibility"], ["verifiability", "Verifiability"], ["scalability", "Scalability"],
  ["stake_at_risk", "Stake at risk"], ["stake_per_inference", "Stake per inference"], ["burned", "Burned"],
  ["requesters", "Requesters"], ["top_share", "Top requester"], ["herfindahl", "Herfindahl index"], ["solicited_share", "Solicited"],
  ["found_share", "Data found"], ["audited_share", "Audited share"], ["gas_per_verified", "Gas per verified"],
];
const MOST = 400;

function sentence(words) {
  return `${words[0].toUpperCase()}${words.slice(1)}.`;
}

// Who has most seats of the pool whose panels audit, or judge, the network.
function poolSection(registered, state) {
  const pool = Object.values(registered.resolvers).find((one) => one.seats !== null);
  if (!pool) return [];
  const { seats } = pool;
  state.seats ??= {};
  return card("The pool's seats", `In epoch ${count(seats.epoch)}, at block ${count(seats.block)}: ${count(seats.seats)} seats in ${count(seats.accounts)} accounts. Audits of this network on record: ${count(pool.audits)}. One holder may have several accounts.`, [],
    sortable(`The accounts with most seats (${count(seats.largest.length)} of ${count(seats.accounts)})`, SEATS, seats.largest.map((one) => ({ ...one, share: one.seats / seats.seats })), state.seats));
}

const SEATS = [
  { name: "Account", cell: (row) => id(row.account) },
  { name: "Seats", number: true, cell: (row) => count(row.seats), by: (row) => row.seats },
  { name: "Share", number: true, cell: (row) => share(row.share), by: (row) => row.share },
];

// `named`: gives a network's name by its row; none on the page of the network itself.
const ofNetwork = (named) => (named ? [networkColumn(named)] : []);

const ASKED = { challenge: "challenged", demand: "demanded" };
const ENDED = {
  upheld: "The arbiter ruled that it is right.",
  lapsed: "The arbiter did not rule in time.",
  revealed: "The operator revealed it.",
  rejected: "The batch was rejected.",
};

function what(row) {
  return [`Inference ${count(row.leaf_index)} of `, operatorLink(row), ` ${ASKED[row.kind]} by `, id(row.party), ". ",
    row.ended_as ? [ENDED[row.ended_as], row.ended_by ? ` ${sentence(CAUSES[row.ended_by] ?? row.ended_by)}` : ""] : ["An answer is due ", time(row.due), "."]];
}

export const disputeColumns = (named) => [
  { name: "State", cell: (row) => disputeLink(row, row.ended_as ? badge(row.ended_as === "rejected" ? "rejected" : "", capital(row.ended_as)) : badge("open", "Open")) },
  { name: "What", kind: "whole", cell: what },
  ...ofNetwork(named),
  { name: "Batch", cell: batchLink },
  { name: "When", cell: (row) => time(row.end_time ?? row.block_time) },
  { name: "Transaction", cell: (row) => transaction(row, row.end_transaction ?? row.transaction_hash) },
];

export const rejectionColumns = (of, named) => [
  { name: "Batch", cell: batchLink },
  ...ofNetwork(named),
  { name: "Operator", cell: (row) => operatorLink(row) },
  { name: "Why", cell: (row) => el("span", { class: "words" }, CAUSES[row.cause] ?? row.cause) },
  { name: "Inference", number: true, cell: (row) => count(row.leaf_index) },
  { name: "Inferences", number: true, cell: (row) => count(row.count) },
  { name: "Lost", number: true, cell: (row) => amount((BigInt(row.reward) + BigInt(row.burned)).toString(), of(row)) },
  { name: "Of it burned", number: true, cell: (row) => amount(row.burned, of(row)) },
  { name: "Rewarded", cell: (row) => id(row.payee) },
  { name: "When", cell: (row) => time(row.block_time) },
  { name: "Transaction", cell: (row) => transaction(row, row.transaction_hash) },
];

export const CAUSES = {
  ruling: "the arbiter ruled against a challenged leaf",
  disproof: "a leaf was proved wrong",
  timeout: "a demand stayed unanswered",
  order: "leaves out of order or equal",
  repeat: "an inference was counted before",
  deadline: "a deadline out of bounds",
};

export const batchColumns = (named) => [
  { name: "Batch", cell: batchLink },
  ...ofNetwork(named),
  { name: "Inferences", number: true, cell: (row) => count(row.count) },
  { name: "State", cell: (row) => stateBadge(row) },
  { name: "Operator", cell: (row) => operatorLink(row) },
  { name: "When", cell: (row) => time(row.block_time) },
  { name: "Transaction", cell: (row) => transaction(row, row.transaction_hash) },
];

// Figures lead to the network's whole number, of which they are a part.
function evidenceColumns(one) {
  const part = (name, row) => el("a", {
    href: `#/number/${pathOf(one)}/${name}`,
    class: "keep",
    "aria-label": `${count(row[name])} of the network's ${name}; what that is made of`,
  }, count(row[name]));
  return [
    { name: "Audited by", cell: (row) => COMPARED[row.kind] },
    { name: "Audited", about: "audited", number: true, cell: (row) => part("audited", row) },
    { name: "Of committed", about: "committed", number: true, cell: (row) => part("committed", row) },
    { name: "Models", number: true, cell: (row) => count(row.models) },
    { name: "Thresholds", cell: (row) => stranger(row.terms.join(", "), "none") },
    { name: "Spec", cell: (row) => id(row.spec_hash) },
  ];
}

const COMPARED = {
  exact: "equal answers",
  tolerance: "answers within a tolerance",
  "in words of its own": "the spec's own words",
  "not known": "spec not known",
};

const requesterColumns = (one) => [
  { name: "Requester", cell: (row) => requesterLink(one, row.requester) },
  { name: "Asked", number: true, cell: (row) => count(row.asked) },
  { name: "Share", number: true, cell: (row) => el("a", { href: `#/number/${pathOf(one)}/solicited_share`, "aria-label": `${share(row.share)} of what anybody signed for; what that is made of` }, share(row.share)) },
  { name: "Verified", number: true, cell: (row) => count(row.verified) },
  { name: "Rejected", number: true, cell: (row) => count(row.rejected) },
];

const marginColumns = (one) => [
  { name: "Operator", cell: (row) => operatorLink(one, row.operator) },
  { name: "Model", cell: (row) => modelLink(one, row.model_id) },
  { name: "Answers", number: true, cell: (row) => count(row.answers) },
  { name: "M", number: true, cell: (row) => (row.mean === null ? NONE : row.mean.toFixed(4)) },
  { name: "X", number: true, cell: (row) => row.largest.toFixed(3) },
  { name: "Tokens", number: true, cell: (row) => count(row.tokens) },
  { name: "Other tokens", number: true, cell: (row) => count(row.mismatches) },
  { name: "Doubtful", number: true, cell: (row) => count(row.doubtful) },
  { name: "Wrong", number: true, cell: (row) => count(row.wrong) },
  { name: "Kernels", cell: (row) => stranger(row.kernel) },
  { name: "Author", cell: (row) => stranger(row.author) },
];

// The first rows of a list, as many as a chart takes: { rows, total }.
async function allRows(path) {
  const first = await rows(path);
  const all = [...first.rows];
  while (all.length < Math.min(first.total, MOST)) all.push(...(await rows(path, all.length)).rows);
  return { rows: all, total: first.total };
}

// The newest days; an export has them in pieces of as many.
async function newestDays(path) {
  const first = await rows(path);
  const from = Math.max(0, Math.ceil((first.total - MOST) / ROWS)) * ROWS;
  const all = from ? [] : [...first.rows];
  for (let at = from + all.length; at < first.total; at += ROWS) all.push(...(await rows(path, at)).rows);
  return { days: all, total: first.total };
}

function cumulative(one, days) {
  const sums = Object.fromEntries(GRADES.map((grade) => [grade, one[grade] - days.reduce((sum, day) => sum + day[grade], 0)]));
  return everyDay(days, GRADES).map((day) => {
    for (const grade of GRADES) sums[grade] += day[grade];
    return { day: day.day, ...sums };
  });
}

function head(one, registered, now, coverage, base) {
  const site = explorer(one.chain_id, "address", one.core);
  const core = coverage.cores.find((held) => held.chain_id === one.chain_id && held.core === one.core);
  const known = GRADES.filter((grade) => one[`standing_${grade}`] === "known");
  return [
    el("p", { class: "crumb" }, el("a", { href: "#/" }, "Networks"), " / ", stranger(one.name)),
    el("div", { class: "top" },
      el("div", { class: "titled" }, sign(one.network_id), el("div", {},
        el("h1", {}, stranger(one.name)),
        el("p", { class: "about" },
          one.rank === null ? null : el("span", {}, "Rank ", el("strong", {}, count(one.rank)), ` of ${count(now.ranked_networks)}`),
          el("span", {}, site ? el("a", { href: site, rel: "noreferrer" }, chainName(one.chain_id)) : chainName(one.chain_id)),
          el("span", {}, id(one.network_id), " ", copy(one.network_id, "Copy the network's id")),
          el("span", {}, "since ", time(registered.block_time)),
          core ? el("span", { "data-block": core.last_block }, `to block ${count(core.last_block)}`, age(core)) : null),
        el("p", {}, known.map((grade) => badge(grade, capital(grade))), badges(one),
          core?.compared_block === null || !core ? null : badge("agree", "Events and contract agree")))),
      periodSwitch(now.period, base)),
  ];
}

function keyFigures(one, now) {
  const says = one.resolvers !== "known";
  const name = says ? "verified" : "known_verified";
  const priced = prices(one);
  return el("div", { class: "card keys" },
    el("div", {}, el("p", { class: "label" }, word(says ? "Says it verified" : "Verified", name, madeOf(one, name, now)), `, ${long(now.period)}`),
      el("p", { class: "key" }, el("a", { href: madeOf(one, name, now), "data-key-figure": now[name] }, count(now[name]))),
      says ? null : change(now.change, now.period)),
    el("div", {}, el("p", { class: "label" }, "Share verified"),
      el("p", { class: "key" }, says ? NONE : share(now.share)), el("p", { class: "note soft" }, `of ${count(now.closed)} closed`)),
    el("div", {}, el("p", { class: "label" }, word("Price of a fake", "price_of_a_fake", `#/number/${pathOf(one)}/price_of_a_fake`)),
      priced.length ? el("div", { class: "key" }, priced) : el("p", { class: "key" }, NONE)),
    el("div", {}, el("p", { class: "label" }, word("Utility", "utility", `#/number/${pathOf(one)}/utility`)), utilityBars(one, true),
      one.accessibility === null ? el("p", { class: "note soft" }, "It needs a log of who answers: ", el("code", {}, "tallystick probe")) : null));
}

const PLACES = { attestors_0: "Audited by", attestors_1: "Enclave checked by", attestors_2: "Proven by", arbiter: "Ruled by" };

// The contracts that its rules name.
function resolverCard(one, registered) {
  const named = Object.entries(registered.resolvers);
  if (!named.length) return [];
  return card("Resolvers", "The contracts that its rules name.", [], el("div", { class: "pad" }, facts(named.map(([place, found]) => [PLACES[place], [resolverLink(one, found.address), ` ${[found.name, found.standing].filter(Boolean).join(", ")}`]]))));
}

// An operator's or a model's other numbers, behind a word.
function others(one, by, of, names) {
  return { name: "More", kind: "whole", cell: (row) => el("details", { class: "more", "data-key": `more ${of(row)}` }, el("summary", {}, "All numbers"),
    facts(names.map((name) => [word(capital(name.replaceAll("_", " ")), name), partLink(one, by, of(row), name, row)]))) };
}

function counted(one, by, of, scale) {
  const known = (row) => ({ known_verified: GRADES.reduce((sum, grade) => sum + (one[`standing_${grade}`] === "known" ? row[grade] : 0), 0), known: Object.fromEntries(GRADES.filter((grade) => one[`standing_${grade}`] === "known").map((grade) => [grade, row[grade]])) });
  return [
    { name: one.resolvers === "known" ? "Verified" : "Says it verified", about: "verified", kind: "verified", cell: (row) => [partLink(one, by, of(row), "verified", row), verifiedBar(known(row), scale)] },
    { name: "Share verified", number: true, cell: (row) => share(closedShare(row)) },
    { ...partColumn(one, by, of, "rejected"), kind: "" },
  ];
}

export async function network([chain, core, networkId, asked, ...linked], state, coverage) {
  const base = `networks/${chain}/${core}/${networkId}`;
  const period = knownPeriod(asked);
  const [one, registered, { days }, now] = await Promise.all([get(base), get(`${base}/registration`), newestDays(`${base}/days`), get(`${base}/summary/${period}`)]);
  const itself = () => one;
  const section = (title, path, columns, options) => listCard(state, title, `${base}/${path}`, columns, options);
  const ofOperator = (row) => row.operator;
  const ofModel = (row) => row.model_id;
  const operatorColumns = [
    { name: "Operator", cell: (row) => operatorLink(one, row.operator) },
    ...counted(one, "operator", ofOperator, Math.max(one.known_verified, 1)),
    partColumn(one, "operator", ofOperator, "open"),
    partColumn(one, "operator", ofOperator, "stake"),
    { name: "Standing", cell: (row) => row.standing ?? "open to anyone" },
    others(one, "operator", ofOperator, ["committed", "proven", "enclave", "audited", "unchallenged", "unresolved", "audited_share", "burned"]),
  ];
  const modelColumns = [
    { name: "Model", cell: (row) => [stranger(row.name), " ", modelLink(one, row.model_id)] },
    ...counted(one, "model", ofModel, Math.max(one.known_verified, 1)),
    { name: "Website", kind: "whole", cell: (row) => stranger(row.uri, "none") },
    { name: "Content hash", cell: (row) => id(row.content_hash) },
    others(one, "model", ofModel, ["committed", "proven", "enclave", "audited", "unchallenged", "unresolved"]),
  ];
  const dayColumns = [
    { name: "Day", cell: (row) => el("span", { class: "keep" }, row.day), by: (row) => row.day },
    ...["committed", "verified", ...COUNTED].map((name) => ({ ...partColumn(one, "day", (row) => row.day, name), by: (row) => row[name] })),
  ];
  const measured = await rows(`${base}/margins`);
  for (const name of ["days", "area", "flows", "audited", "drift", "askers"]) state[name] ??= {};
  const grey = one.resolvers !== "known";
  const notes = notesOf(one);
  const [priced, askers, drifted, evidence] = await Promise.all(["prices", "requesters", "drift", "evidence"].map((part) => allRows(`${base}/${part}`)));
  const tolerant = evidence.rows.some((row) => row.kind === "tolerance");
  return {
    title: `Network ${one.network_id.slice(0, 10)}`,
    head: head(one, registered, now, coverage, `#/network/${chain}/${core}/${networkId}`),
    body: [
      linkedNote(one, coverage, ...linked),
      keyFigures(one, now),
      notes.line ? cautionLine(notes.line) : [],
      one.unranked_because ? el("p", { id: "unranked", class: "caution" }, el("strong", {}, "Unranked: "), `${one.unranked_because}.`) : [],
      el("div", { class: "columns" },
        el("div", {},
          verifiedCard(base, days.length ? cumulative(one, days) : [], days.length, grey, state.area),
          closedCard(base, days, grey, state.flows),
          auditedCard(base, one, days, state.audited),
          await section("Operators", "operators", operatorColumns, { kind: "wide-cards" }),
          await section("Models", "models", modelColumns),
          await section("Audited, by what was compared", "evidence", evidenceColumns(one)),
          driftCard(base, drifted, tolerant, state.drift),
          measured.total ? await section("Distance between reported and re-run answers", "margins", marginColumns(one), { words: "The words of whoever wrote the files, not of the chain." }) : [],
          one.requesters ? await section("Who asked", "requesters", requesterColumns(one), { words: "Of the inferences that somebody signed for, and whose data was found." }) : [],
          await section("Batches", "batches", batchColumns())),
        el("div", {},
          priceCard(base, one, priced),
          card("Rules", "Fixed when the network was registered. Nobody can change them.", [], el("ul", { class: "lines" }, registered.in_words.map((words) => el("li", {}, words)))),
          resolverCard(one, registered),
          poolSection(registered, state),
          one.unmet.length ? card("Conditions that are not met", null, [], el("div", { class: "pad" }, unmetList(one))) : [],
          requesterCard(base, one, askers, state.askers),
          one.cautions.length ? card("Cautions", null, [], el("div", { class: "pad" }, cautionList(one))) : [],
          card("Use this number", "For your own page; it follows the data.", [], useOf(base, one, coverage, period)),
          card("Registration", null, [], el("div", { class: "pad" }, facts([
            ["Id", el("code", {}, one.network_id)],
            ["Registry", el("code", {}, one.core)],
            ["Owner", el("code", {}, registered.owner)],
            ["Website", stranger(one.uri, "none")],
            ["Registered", [time(registered.block_time), `, block ${count(registered.block_number)}`]],
          ]))))),
      await section("Disputes open", "disputes", disputeColumns(), { asked: { state: "open" } }),
      await section("Disputes past", "disputes", disputeColumns(), { asked: { state: "past" } }),
      await section("Slashed", "rejections", rejectionColumns(itself)),
      card("All numbers", `Since registration. Utility over ${one.days} days, at a reference of ${count(one.reference)} verified inferences a day; ${count(one.answered)} of ${count(one.asked)} probes were answered.`, [],
        el("dl", { class: "figures pad" }, LABELS.map(([name, label]) => el("div", {}, el("dt", {}, word(label, name, `#/number/${pathOf(one)}/${name}`)), el("dd", {}, numberLink(one, name, label)))))),
      card("Day by day", null, [csvLink("Day by day", `${base}/days`, days.length)], sortable("Day by day (UTC)", dayColumns, days, state.days)),
      isExport ? el("p", { class: "soft" }, "Of long lists an export has the newest rows only; numbers of an operator, a model or a day lead to the whole network's.") : [],
    ].flat(Infinity),
  };
}
