// One resolver: a contract that networks name, as auditor, enclave, verifier of proofs, or arbiter.

import { get, rows } from "../data.js";
import { el, facts, id, pathOf, stranger } from "../dom.js";
import { amount, count, NONE, share } from "../format.js";
import { badge, bar, capital } from "../shapes.js";
import { table } from "../table.js";
import { EXTRACT, card, command, figures, heading, listCard, orMissing } from "./cards.js";
import { rejectionColumns } from "./network.js";
import { numberLink } from "./parts.js";

const STANDINGS = ["known", "self-declared", "unidentified"];

// A network that does not know it: the conditions that are not met.
function why(row) {
  return row.unmet.length
    ? el("details", { class: "more", "data-key": `why ${row.network_id} ${row.gives}` }, el("summary", {}, "Why"), el("ul", {}, row.unmet.map((one) => el("li", { "data-condition": one.condition }, one.reason))))
    : null;
}

const NETWORKS = [
  { name: "Network", cell: (row) => el("a", { href: `#/network/${pathOf(row)}`, class: "name" }, stranger(row.name)) },
  { name: "As", cell: (row) => (row.gives === "arbiter" ? "arbiter" : badge(row.standing === "known" ? row.gives : "", capital(row.gives))) },
  { name: "Standing", kind: "whole", cell: (row) => [row.standing === "known" ? "known" : badge("", row.standing), why(row)] },
  { name: "Inferences in its grade", number: true, cell: (row) => (row.gives === "arbiter" ? "gives none" : numberLink({ ...row, [row.gives]: row.counted, cautions: [] }, row.gives, capital(row.gives))) },
  { name: "Audits on record", number: true, cell: (row) => (row.gives === "arbiter" ? "" : count(row.audits)) },
];

const SEATS = [
  { name: "Account", cell: (row) => id(row.account) },
  { name: "Seats", number: true, cell: (row) => count(row.seats) },
  { name: "Share", numeric: true, cell: (row) => [share(row.share), bar([{ kind: "ink", value: row.share }], 1, `${share(row.share)} of the seats`, "thin")] },
];

const AMOUNTS = ["seatStake", "minStake", "feePerLeaf", "ruleFee"];
const DAY = 86_400;

// "seat stake" of seatStake.
function words(name) {
  return name.replaceAll("_", " ").replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

// A term as a view answered it: a number, a text, a list, or a struct of such; `of` names the asset of amounts.
function term(value, of, name = "") {
  if (Array.isArray(value)) return value.length ? el("ul", {}, value.map((one) => el("li", {}, term(one, of)))) : "none";
  if (value !== null && typeof value === "object") return facts(Object.entries(value).map(([key, one]) => [words(key), term(one, { ...of, ...value }, key)]));
  if (AMOUNTS.includes(name) && of.asset) return amount(String(value), of);
  if (name === "exitDelay") return value % DAY ? `${count(value)} s` : `${count(value / DAY)} days`;
  return el("code", {}, String(value));
}

function standing(one) {
  const found = STANDINGS.filter((name) => one.networks.some((row) => row.standing === name));
  return found.length > 1 ? found.map((name) => `${name} in ${count(one.networks.filter((row) => row.standing === name).length)}`).join(", ") : capital(found[0]);
}

async function seats(one, path, state) {
  if (!one.pool) return [];
  if (one.seats === null) return card("Seats", "Not available: no node had the state of the last block when the folder was brought up to it.", [], el("div", { class: "pad" }, el("p", {}, "With a node that has it:"), command("tallystick extract")));
  const { epoch, block, accounts, convicted } = one.seats;
  const words = `In epoch ${count(epoch)}, at block ${count(block)}: ${count(one.seats.seats)} seats in ${count(accounts)} accounts, ${count(convicted)} of convicted keys. One holder may have several accounts.`;
  return listCard(state, "Seats", `${path}/seats`, SEATS, { words });
}

export async function resolver(parts, state) {
  const path = `resolvers/${parts.join("/")}`;
  const { found: one, missing } = await orMissing("Resolver", parts[2], get(path), [EXTRACT]);
  if (missing) return missing;
  const names = new Map((await rows("networks")).rows.map((row) => [pathOf(row), row]));
  const of = (row) => names.get(pathOf(row)) ?? row;
  const { rulings } = one;
  return {
    title: `Resolver ${one.resolver.slice(0, 10)}`,
    head: heading("Resolver", one.resolver, one.chain_id, { kind: "address", title: [one.name || "Resolver", " ", id(one.resolver)] }),
    body: [
      figures(
        ["Kind", one.name || NONE, one.name ? "by its code, on the published list" : "its code is not on the published list"],
        ["Standing", standing(one), "in the networks that name it"],
        ["Networks", count(one.networks_total), "by place in their rules"],
        rulings ? ["Convictions", count(rulings.convictions), `${count(rulings.upheld)} upheld, ${count(rulings.lapsed)} not ruled in time, ${count(rulings.open)} open`] : ["Convictions", NONE, "It is nobody's arbiter."],
      ),
      el("div", { class: "columns" },
        el("div", {},
          card("Networks that use it", "A network's own rules make a difference to whether it is known there.", [], table(`Its place in each network's rules (${count(one.networks.length)} of ${count(one.networks_total)})`, NETWORKS, one.networks)),
          await seats(one, path, state)),
        el("div", {},
          card("Terms", Object.keys(one.terms).length ? "As read on chain." : "It has none, or none that could be read.", [], el("div", { class: "pad" }, Object.entries(one.terms).length ? term(one.terms, { chain_id: one.chain_id }) : null)))),
      rulings ? await listCard(state, "Convictions", `${path}/rejections`, rejectionColumns(of, (row) => of(row).name ?? ""), { words: "Batches that its rulings, and disproofs before it, rejected." }) : [],
    ].flat(),
  };
}
