// One model: as registered, what became of its inferences, its versions, and who uses it.

import { COUNTED } from "../charts.js";
import { get } from "../data.js";
import { el, facts, id, pathOf, stranger, time, transaction } from "../dom.js";
import { count, share } from "../format.js";
import { modelLink, operatorLink } from "../links.js";
import { capital } from "../shapes.js";
import { table } from "../table.js";
import { EXTRACT, card, command, figures, heading, listCard, networkColumn, orMissing } from "./cards.js";
import { batchColumns } from "./network.js";
import { closedShare, partLink, resolversBadge } from "./parts.js";

const NONE = `0x${"00".repeat(32)}`;
const COMPARED = {
  exact: "Answers are equal, byte for byte.",
  tolerance: "Answers lie within a tolerance.",
  "in words of its own": "Answers are compared by the spec's own words.",
  "not known": "The spec's text is not at hand: how answers are compared is not available.",
};

const counters = COUNTED.map((name) => ({ name: capital(name), number: true, cell: (row) => count(row[name]) }));

function operatorColumns(one) {
  return [
    { name: "Operator", cell: (row) => operatorLink(one, row.operator) },
    { name: "Batches", number: true, cell: (row) => count(row.batches) },
    { name: "Committed", number: true, cell: (row) => count(row.committed) },
    { name: one.resolvers === "known" ? "Verified" : "Says it verified", number: true, cell: (row) => count(row.verified) },
    ...counters,
  ];
}

const VERSIONS = [
  { name: "Version", cell: (row) => [modelLink(row), " ", stranger(row.name)] },
  { name: "Of", cell: (row) => (row.parent === NONE ? "the first of its line" : modelLink(row, row.parent)) },
  { name: "Registered", cell: (row) => time(row.block_time) },
  { name: "By", cell: (row) => id(row.registrant) },
  { name: "Content hash", cell: (row) => id(row.content_hash) },
  { name: "Spec", cell: (row) => id(row.spec_hash) },
];

const ofNetwork = networkColumn((row) => row.network_name);
const SAME = [
  { ...ofNetwork, cell: (row) => [ofNetwork.cell(row), el("div", {}, resolversBadge(row))] },
  { name: "Model", cell: (row) => [modelLink(row), " ", stranger(row.name)] },
  { name: "Committed", number: true, cell: (row) => count(row.committed) },
  { name: "Verified", number: true, cell: (row) => count(row.verified) },
  ...counters,
];

const some = (rows, total) => (rows.length < total ? `${count(rows.length)} of ${count(total)}` : count(total));

export async function model(parts, state) {
  const path = `models/${parts.join("/")}`;
  const { found: one, missing } = await orMissing("Model", parts[2], get(path), [EXTRACT]);
  if (missing) return missing;
  const figure = (name) => partLink(one, "model", one.model_id, name, one);
  const known = one.resolvers === "known";
  return {
    title: `Model ${one.model_id.slice(0, 10)}`,
    head: heading("Model", one.model_id, one.chain_id, {
      title: stranger(one.name),
      about: [["in ", el("a", { href: `#/network/${pathOf(one)}` }, stranger(one.network_name))], ["since ", time(one.block_time)]],
      badges: [resolversBadge(one)].filter(Boolean),
    }),
    body: [
      figures(
        [known ? "Verified" : "Says it verified", figure("verified"), known && one.known_verified !== one.verified ? `${count(one.known_verified)} by known resolvers` : null],
        ["Share verified", share(closedShare(one)), "of what closed"],
        ["Committed", figure("committed"), `in ${count(one.batches)} batches`],
        ["Operators", count(one.operators.length)],
      ),
      el("div", { class: "columns" },
        el("div", {},
          card("By what became of it", null, [], el("dl", { class: "figures pad" }, COUNTED.map((name) => el("div", {}, el("dt", {}, capital(name)), el("dd", {}, figure(name)))))),
          card("Versions", "A registration may name the model that it comes after.", [], table(`Its line, the first registered first (${some(one.versions, one.versions_total)})`, VERSIONS, one.versions))),
        el("div", {},
          card("How answers are compared", COMPARED[one.spec_kind], [], el("div", { class: "pad" },
            one.spec_terms.length ? el("ul", {}, one.spec_terms.map((line) => el("li", {}, stranger(line)))) : null,
            one.spec_kind === "not known" ? [el("p", { class: "note" }, "With the spec's text in a folder:"), command("tallystick serve --specs FOLDER")] : null)),
          card("Registration", null, [], el("div", { class: "pad" }, facts([
            ["Id", el("code", {}, one.model_id)],
            ["Content hash", el("code", {}, one.content_hash)],
            ["Spec", el("code", {}, one.spec_hash)],
            ["Owner", el("code", {}, one.registrant)],
            ["Where its file is", stranger(one.uri, "not told")],
            ["Transaction", transaction(one, one.transaction_hash)],
            ["Block", count(one.block_number)],
          ]))))),
      card("Who runs it", null, [], table("Operators, by verified", operatorColumns(one), one.operators)),
      card("Networks that use it", "Registrations of the same content. The same work may be committed to two networks: not to be added up.", [], table(`Registrations of the same content (${some(one.same_content, one.same_content_total)})`, SAME, one.same_content)),
      await listCard(state, "Batches", `${path}/batches`, batchColumns()),
    ],
  };
}
