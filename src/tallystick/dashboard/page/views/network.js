// One network.

import { COUNTED, series } from "../charts.js";
import { csvLink, get, isExport, rows } from "../data.js";
import { el, facts, id, pathOf, stranger, time } from "../dom.js";
import { amount, count, share } from "../format.js";
import { paged, sortable } from "../table.js";
import { badges, batchLink, cautionList, numberLink, partColumn, unmetList } from "./parts.js";

const LABELS = [
  ["verified", "Verified"], ["known_verified", "By known resolvers"], ["price_of_a_fake", "Price of a fake"], ["proven", "Proven"], ["enclave", "Enclave"], ["audited", "Audited"], ["committed", "Committed"],
  ["open", "Open"], ["unchallenged", "Unchallenged"], ["unresolved", "Unresolved"], ["rejected", "Rejected"],
  ["utility", "Utility"], ["accessibility", "Accessibility"], ["verifiability", "Verifiability"], ["scalability", "Scalability"],
  ["stake_at_risk", "Stake at risk"], ["stake_per_inference", "Stake per inference"], ["burned", "Burned"],
  ["requesters", "Requesters"], ["top_share", "Top requester"], ["herfindahl", "Herfindahl index"], ["solicited_share", "Solicited"],
  ["found_share", "Data found"], ["audited_share", "Audited share"], ["gas_per_verified", "Gas per verified"],
];
const COUNTS = ["verified", "proven", "enclave", "audited", "committed", "unchallenged", "unresolved", "rejected"];
const PRICES = ["audited", "enclave", "proven", "unchallenged"];
const MOST = 400;

function priceList(one) {
  const shown = PRICES.filter((grade) => one[`price_${grade}`] !== null);
  return el("ul", {}, shown.map((grade) => el("li", {},
    `${grade[0].toUpperCase()}${grade.slice(1)}: `, numberLink(one, `price_${grade}`, `Price of a fake, ${grade}`), `. ${sentence(one[`price_${grade}_because`])}`)));
}

function sentence(words) {
  return `${words[0].toUpperCase()}${words.slice(1)}.`;
}

// Who has most seats of the pool whose panels audit, or judge, the network.
function poolSection(registered, state) {
  const pool = Object.values(registered.resolvers).find((one) => one.seats !== null);
  if (!pool) return [];
  const { seats } = pool;
  state.seats ??= {};
  return [
    el("h2", {}, "The pool's seats"),
    el("p", {}, `In epoch ${count(seats.epoch)}, at block ${count(seats.block)}: ${count(seats.seats)} seats in ${count(seats.accounts)} accounts. Audits of this network on record: ${count(pool.audits)}. One holder may have several accounts.`),
    sortable(`The accounts with most seats (${count(seats.largest.length)} of ${count(seats.accounts)})`, SEATS, seats.largest.map((one) => ({ ...one, share: one.seats / seats.seats })), state.seats),
  ];
}

const SEATS = [
  { name: "Account", cell: (row) => id(row.account) },
  { name: "Seats", number: true, cell: (row) => count(row.seats), by: (row) => row.seats },
  { name: "Share", number: true, cell: (row) => share(row.share), by: (row) => row.share },
];

// `named`: gives a network's name by its row; none on the page of the network itself.
const networkColumn = (named) => (named ? [{ name: "Network", cell: (row) => el("a", { href: `#/network/${pathOf(row)}` }, stranger(named(row)), " ", id(row.network_id)) }] : []);

export const disputeColumns = (named) => [
  { name: "Batch", cell: batchLink },
  ...networkColumn(named),
  { name: "Kind", cell: (row) => row.kind },
  { name: "Leaf", number: true, cell: (row) => count(row.leaf_index) },
  { name: "By", cell: (row) => id(row.party) },
  { name: "Against", cell: (row) => id(row.operator) },
  { name: "Since", cell: (row) => time(row.block_time) },
  { name: "Due", cell: (row) => time(row.due) },
  { name: "Transaction", cell: (row) => id(row.transaction_hash) },
  { name: "Outcome", cell: (row) => (row.ended_as ? [row.ended_as, row.ended_by ? `, ${row.ended_by}` : "", " ", time(row.end_time), " ", id(row.end_transaction)] : el("span", { class: "warn" }, "open")) },
];

export const rejectionColumns = (asset, named) => [
  { name: "Batch", cell: batchLink },
  ...networkColumn(named),
  { name: "Operator", cell: (row) => id(row.operator) },
  { name: "Why", cell: (row) => el("span", { class: "words" }, CAUSES[row.cause] ?? row.cause) },
  { name: "Leaf", number: true, cell: (row) => count(row.leaf_index) },
  { name: "Inferences", number: true, cell: (row) => count(row.count) },
  { name: "Lost", number: true, cell: (row) => amount((BigInt(row.reward) + BigInt(row.burned)).toString(), asset(row)) },
  { name: "Of it burned", number: true, cell: (row) => amount(row.burned, asset(row)) },
  { name: "Rewarded", cell: (row) => id(row.payee) },
  { name: "When", cell: (row) => time(row.block_time) },
  { name: "Transaction", cell: (row) => id(row.transaction_hash) },
];

const CAUSES = {
  ruling: "the arbiter ruled against a challenged leaf",
  disproof: "a leaf was proved wrong",
  timeout: "a demand stayed unanswered",
  order: "leaves out of order or equal",
  repeat: "an inference was counted before",
  deadline: "a deadline out of bounds",
};

const BATCHES = [
  { name: "Batch", cell: batchLink },
  { name: "Inferences", number: true, cell: (row) => count(row.count) },
  { name: "State", cell: (row) => (row.outcome ? `${row.state}, ${row.outcome}` : row.state) },
  { name: "Grade so far", cell: (row) => row.grade },
  { name: "Operator", cell: (row) => id(row.operator) },
  { name: "Committed", cell: (row) => time(row.block_time) },
  { name: "Block", number: true, cell: (row) => count(row.block_number) },
  { name: "Transaction", cell: (row) => id(row.transaction_hash) },
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
    { name: "Audited", number: true, cell: (row) => part("audited", row) },
    { name: "Of committed", number: true, cell: (row) => part("committed", row) },
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

const MARGINS = [
  { name: "Operator", cell: (row) => id(row.operator) },
  { name: "Model", cell: (row) => id(row.model_id) },
  { name: "Answers", number: true, cell: (row) => count(row.answers) },
  { name: "M", number: true, cell: (row) => (row.mean === null ? "unknown" : row.mean.toFixed(4)) },
  { name: "X", number: true, cell: (row) => row.largest.toFixed(3) },
  { name: "Tokens", number: true, cell: (row) => count(row.tokens) },
  { name: "Other tokens", number: true, cell: (row) => count(row.mismatches) },
  { name: "Doubtful", number: true, cell: (row) => count(row.doubtful) },
  { name: "Wrong", number: true, cell: (row) => count(row.wrong) },
  { name: "Kernels", cell: (row) => stranger(row.kernel) },
  { name: "Author", cell: (row) => stranger(row.author) },
];

async function everyRow(path) {
  const first = await rows(path);
  const all = [...first.rows];
  while (all.length < Math.min(first.total, MOST)) all.push(...(await rows(path, all.length)).rows);
  return all;
}

export async function network(parts, state) {
  const base = `networks/${parts.join("/")}`;
  const [one, registered, days] = await Promise.all([get(base), get(`${base}/registration`), everyRow(`${base}/days`)]);
  const asset = () => one.asset;
  const section = async (title, path, columns, asked = {}) => {
    state[title] ??= {};
    const listed = await paged(title, columns, (at) => rows(`${base}/${path}`, at, asked), state[title]);
    return [el("h2", {}, title), listed.holder, el("p", {}, csvLink(title, `${base}/${path}`, listed.total, asked))];
  };
  const operatorColumns = [
    { name: "Operator", cell: (row) => id(row.operator) },
    ...[...COUNTS, "open", "audited_share", "stake", "burned"].map((name) => partColumn(one, "operator", (row) => row.operator, name)),
    { name: "Standing", cell: (row) => el("span", { class: "keep" }, row.standing ?? "open to anyone") },
  ];
  const modelColumns = [
    { name: "Model", cell: (row) => [stranger(row.name), " ", id(row.model_id)] },
    ...COUNTS.map((name) => partColumn(one, "model", (row) => row.model_id, name)),
    { name: "Address it gave", cell: (row) => stranger(row.uri, "none") },
    { name: "Content hash", cell: (row) => id(row.content_hash) },
  ];
  const dayColumns = [
    { name: "Day", cell: (row) => el("span", { class: "keep" }, row.day), by: (row) => row.day },
    ...["committed", "verified", ...COUNTED].map((name) => ({ ...partColumn(one, "day", (row) => row.day, name), by: (row) => row[name] })),
  ];
  const measured = await rows(`${base}/margins`);
  state.days ??= {};
  return {
    title: `Network ${one.network_id.slice(0, 10)}`,
    heading: ["Network ", stranger(one.name)],
    body: [
      el("p", {}, badges(one)),
      facts([
        ["Id", el("code", {}, one.network_id)],
        ["Chain and registry", el("code", {}, `${one.chain_id}, ${one.core}`)],
        ["Owner", el("code", {}, registered.owner)],
        ["Address it gave", stranger(one.uri, "none")],
        ["Registered", [time(registered.block_time), `, block ${count(registered.block_number)}`]],
      ]),
      one.unranked_because ? el("p", { id: "unranked" }, el("strong", {}, "Without a rank: "), `${one.unranked_because}.`) : [],
      one.unmet.length ? [el("h2", {}, "Conditions that are not met"), unmetList(one)] : [],
      one.cautions.length ? [el("h2", {}, "Cautions"), cautionList(one)] : [],
      el("h2", {}, "Numbers"),
      el("p", { class: "soft" }, `Utility over ${one.days} days, at a reference of ${count(one.reference)} verified inferences a day; ${count(one.answered)} of ${count(one.asked)} probes were answered.`),
      el("dl", { class: "figures" }, LABELS.map(([name, label]) => el("div", {}, el("dt", {}, label), el("dd", {}, numberLink(one, name, label))))),
      el("h2", {}, "What a fake costs"),
      priceList(one),
      el("h2", {}, "Day by day"),
      days.length ? series(days, `Inferences of each day by what became of them, ${days[0].day} to ${days.at(-1).day}; the numbers are in the table below`) : [],
      sortable("Day by day (UTC)", dayColumns, days, state.days),
      el("p", {}, csvLink("Day by day", `${base}/days`, days.length)),
      el("h2", {}, "Rules"),
      el("ul", {}, registered.in_words.map((sentence) => el("li", {}, sentence))),
      ...poolSection(registered, state),
      await section("Audited, by what was compared", "evidence", evidenceColumns(one)),
      measured.total ? [await section("Margins that verifiers noted", "margins", MARGINS), el("p", { class: "soft" }, "These are the words of whoever wrote the files, not of the chain.")] : [],
      ...await section("Operators", "operators", operatorColumns),
      ...await section("Models", "models", modelColumns),
      await section("Disputes open", "disputes", disputeColumns(), { state: "open" }),
      await section("Disputes past", "disputes", disputeColumns(), { state: "past" }),
      await section("Slashed", "rejections", rejectionColumns(asset)),
      await section("Batches", "batches", BATCHES),
      isExport ? el("p", { class: "soft" }, "Of long lists an export has the newest rows only; numbers of an operator, a model or a day lead to the whole network's.") : [],
    ].flat(Infinity),
  };
}
