// Networks: the headline, the ranked ones, the unranked ones and why, and those that live elsewhere.

import { age } from "../ago.js";
import { chainName } from "../chains.js";
import { chart, everyDay, GRADES } from "../charts.js";
import { csvLink, get, isExport, networks as load } from "../data.js";
import { el, pathOf, stranger } from "../dom.js";
import { word } from "../explain.js";
import { count, share } from "../format.js";
import { change, known, long, madeOf, periodSwitch } from "../periods.js";
import { badge, bar, capital, mark, shape, sign, spark } from "../shapes.js";
import { sortable, table } from "../table.js";
import { claims } from "./elsewhere.js";
import { cautionLine, noteList, notesOf, reasons } from "./notes.js";
import { prices, utilityBars, verifiedBar } from "./parts.js";

const SAYS = {
  audited: "Stakers re-ran a sample and signed",
  enclave: "Signed inside an approved enclave",
  proven: "Proof of every answer checked on chain",
};
const NOT_COUNTED = [
  ["unchallenged", "nobody checked"],
  ["rejected", "shown wrong"],
  ["unresolved", "no ruling"],
];

export async function networks([asked], state) {
  const period = known(asked);
  const [{ all, none_ranked: noneRanked }, summary, followed, coverage] = await Promise.all([load(), get(`summary/${period}`), get("elsewhere"), get("coverage")]);
  const of = new Map(summary.networks.map((one) => [pathOf(one), one]));
  const rows = all.map((one) => ({ ...one, now: of.get(pathOf(one)) }));
  const ranked = rows.filter((one) => one.rank !== null).sort((one, other) => other.now.known_verified - one.now.known_verified || one.rank - other.rank);
  ranked.forEach((one, at) => { one.place = at + 1; });
  const unranked = rows.filter((one) => one.rank === null);
  for (const name of ["ranked", "unranked", "hero"]) state[name] ??= {};
  const open = (row) => `#/network/${pathOf(row)}`;
  return {
    title: "Networks",
    head: [el("div", { class: "top" },
      el("div", {},
        el("h1", {}, "Verified AI inference, by network"),
        el("p", { class: "lead" }, "An inference counts when drawn stakers re-ran a sample of its batch, an enclave signed it, or a proof of it was checked on chain.")),
      periodSwitch(period, "#/networks"))],
    body: [
      hero(summary, ranked.length, state.hero),
      agreement(coverage),
      section("Ranked networks", "A network is ranked only if its checking code is on the published list and being caught costs it stake.",
        csvLink("Networks", "networks", all.length), el("a", { href: isExport ? "api/v1/networks.0.json" : "api/v1/networks" }, "JSON")),
      noneRanked
        ? el("p", { id: "none-ranked", class: "card text" }, noneRanked)
        : sortable(`Ranked networks (${count(ranked.length)})`, rankedColumns(ranked, summary), ranked, state.ranked, { open, kind: "ranked" }),
      unranked.length ? [
        section("Unranked networks", "In the registry, but nothing independent stands behind what they report. None of it is in the number above."),
        sortable(`Unranked networks (${count(unranked.length)})`, unrankedColumns(summary), unranked, state.unranked, { open, kind: "unranked" }),
      ] : [],
      followed.networks.length ? [
        section("Networks elsewhere", "Counted from their own public records. Claimed is what they say; verified is what we checked again. Every row has its own unit, so rows are neither added nor ranked.", el("a", { href: "#/elsewhere" }, "All verdicts")),
        table(`Networks elsewhere (${count(followed.networks.length)})`, claims, followed.networks, { kind: "claims" }),
      ] : [],
    ].flat(Infinity),
  };
}

function section(title, words, ...links) {
  return el("div", { class: "section" }, el("div", {}, el("h2", {}, title), el("p", { class: "sub" }, words)), links.length ? el("p", { class: "links" }, links) : null);
}

function hero(summary, ranked, state) {
  const { period, verified, closed, by_grade: byGrade, not_counted: not } = summary;
  const days = summary.days.length ? everyDay(summary.days, GRADES, period === "all" ? summary.days[0].day : summary.first_day, summary.last_day) : [];
  const drawn = days.length > 1 || verified ? chart({
    label: `Verified inferences of ranked networks a day by grade, ${days[0].day} to ${days.at(-1).day}`,
    caption: "Verified inferences a day",
    kind: "columns",
    days,
    names: GRADES,
    total: "Verified",
    state,
  }) : null;
  const more = not.not_known ? [...NOT_COUNTED, ["not_known", "its auditor is not known"]] : NOT_COUNTED;
  return el("section", { class: "card hero", "aria-label": "Verified inferences of all ranked networks" },
    el("div", { class: "sum" },
      el("p", { class: "label" }, word("Verified inferences", "ranked_verified", `#/headline/${period}`), `, ${long(period)}`),
      el("p", { class: "headline" }, el("a", { href: `#/headline/${period}`, "data-headline": verified }, count(verified))),
      change(summary.change, period),
      el("p", { class: "note soft" },
        closed ? `${share(summary.share)} of all ${count(closed)} inferences that closed in ${ranked === 1 ? "one ranked network" : `${count(ranked)} ranked networks`}. ` : "Nothing closed in ranked networks. ",
        summary.headline.caveat, " ", el("a", { href: `#/headline/${period}` }, `Definition ${summary.headline.version}`))),
    drawn ? el("div", { class: "days" }, drawn.plot, el("p", { class: "links" }, drawn.button)) : el("div", { class: "days empty" }, el("p", { class: "soft" }, "No day to show.")),
    el("div", { class: "grades" },
      GRADES.map((grade) => el("div", { class: `grade ${grade}` },
        el("p", { class: "label" }, shape(grade), " ", el("strong", {}, word(capital(grade), grade)), el("span", { class: "share soft" }, verified ? share(byGrade[grade] / verified) : "")),
        el("p", { class: "figure", "data-grade": grade }, count(byGrade[grade])),
        el("p", { class: "note soft" }, SAYS[grade]))),
      el("div", { class: "grade not" }, el("p", { class: "label" }, el("strong", {}, "Not counted")),
        el("ul", {}, more.map(([name, why]) => el("li", {}, shape(name), " ", el("span", {}, name === "not_known" ? "Not known" : word(capital(name), name), " ", el("span", { class: "soft" }, why)), el("span", { class: "share", "data-not": name }, count(not[name]))))))));
}

function agreement(coverage) {
  const lag = coverage.cores.filter((one) => one.compared_block === null);
  const asked = coverage.cores.filter((one) => one.compared_block !== null);
  const blocks = asked.map((one, at) => [`${at ? ", " : ""}${chainName(one.chain_id)} block ${count(one.compared_block)}`, one.compared_block === one.last_block ? age(one) : []]);
  return el("p", { class: "agreement" },
    blocks.length ? [mark(), " ", el("strong", {}, "Events and contract agree"), " on every count, as of ", blocks, ". "] : null,
    lag.length ? `The contract was not asked for its own counts on ${lag.map((one) => chainName(one.chain_id)).join(", ")}. ` : null,
    el("a", { href: "#/check" }, "Check it yourself"));
}

function named(row, kind) {
  const notes = notesOf(row);
  return el("div", { class: "named" }, sign(row.network_id), el("div", {},
    el("a", { href: `#/network/${pathOf(row)}`, class: "name" }, stranger(row.name)),
    el("div", { class: "sub" }, `${chainName(row.chain_id)}, inferences`),
    notes.line ? cautionLine(notes.line) : null,
    noteList(notes, row.network_id, kind === "ranked")));
}

function shares(now) {
  return GRADES.filter((grade) => now.known[grade]).map((grade) => badge(grade, `${capital(grade)} ${Math.round((100 * now.known[grade]) / now.known_verified)} %`));
}

function rankedColumns(ranked, summary) {
  const scale = Math.max(...ranked.map((one) => one.now.known_verified), 1);
  const verified = (row) => el("a", { href: madeOf(row, "known_verified", summary), class: "big", "data-number": "known_verified", "aria-label": `Verified: ${count(row.now.known_verified)}; what it is made of` }, count(row.now.known_verified));
  return [
    { name: "Network", kind: "who", cell: (row) => el("div", { class: "placed" }, el("span", { class: "place" }, count(row.place)), named(row, "ranked")), by: (row) => row.name.toLowerCase() },
    { name: "Verified", about: "known_verified", kind: "verified", numeric: true, cell: (row) => [verified(row), verifiedBar(row.now, scale), el("div", { class: "badges" }, shares(row.now))], by: (row) => row.now.known_verified },
    { name: "Share verified", kind: "shared", numeric: true, cell: (row) => [share(row.now.share), row.now.share === null ? null : bar([{ kind: "ink", value: row.now.share }], 1, `${share(row.now.share)} of what closed`, "thin")], by: (row) => row.now.share },
    { name: "Price of a fake", about: "price_of_a_fake", kind: "priced", cell: prices },
    { name: "30 days", kind: "trend", cell: (row) => [spark(row.now.trend, `Verified in each of the last 30 days, ${count(row.now.trend[0])} to ${count(row.now.trend.at(-1))}`), change(row.now.change, summary.period, false)] },
    { name: "Utility", about: "utility", kind: "utility", numeric: true, cell: (row) => utilityBars(row), by: (row) => row.utility },
  ];
}

function unrankedColumns(summary) {
  const figure = (row, name, value) => el("a", { href: madeOf(row, name, summary), "data-number": name, "aria-label": `${capital(name)}: ${count(value)}; what it is made of` }, count(value));
  return [
    { name: "Network", kind: "who", cell: (row) => named(row, "unranked"), by: (row) => row.name.toLowerCase() },
    { name: "Committed", about: "committed", number: true, cell: (row) => figure(row, "committed", row.now.committed), by: (row) => row.now.committed },
    { name: "Says it verified", about: "verified", number: true, cell: (row) => figure(row, "verified", row.now.verified), by: (row) => row.now.verified },
    { name: "Why it is unranked", kind: "why", cell: (row) => [reasons(row).map(([word, words]) => el("div", {}, badge("", word), words)), el("details", { class: "more", "data-key": `why ${row.network_id}` }, el("summary", {}, "In full"), el("p", { class: "sub" }, `${row.unranked_because}.`))] },
  ];
}
