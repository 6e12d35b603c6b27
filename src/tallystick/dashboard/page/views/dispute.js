// One dispute: its life as a line, its sides, how it ended, and where the money went.

import { get } from "../data.js";
import { el, facts, id, pathOf, stranger, time, transaction } from "../dom.js";
import { amount, count } from "../format.js";
import { modelLink, operatorLink, resolverLink } from "../links.js";
import { badge, capital } from "../shapes.js";
import { EXTRACT, card, figures, heading, orMissing } from "./cards.js";
import { CAUSES } from "./network.js";
import { batchLink, stateBadge } from "./parts.js";

const OPENED = { challenge: "Challenged", demand: "Demanded" };
const ENDED = {
  upheld: "Ruled right",
  lapsed: "No ruling in time",
  revealed: "Revealed",
  rejected: "Rejected",
};

function outcome(one) {
  if (!one.ended_as) return one.kind === "challenge" ? "The arbiter has not ruled yet." : "The operator has not answered yet.";
  if (one.ended_as === "rejected") return `The batch was rejected: ${CAUSES[one.ended_by] ?? one.ended_by}.`;
  return { upheld: "The arbiter ruled that the inference is right.", lapsed: "The arbiter did not rule in time: the batch counts as unresolved.", revealed: "The operator revealed the inference." }[one.ended_as];
}

// A point of a life: kind is done, possible or ended.
function point(kind, name, ...notes) {
  return el("li", { class: kind }, el("strong", {}, name), notes.map((note) => el("div", { class: "note soft" }, note)));
}

function life(one) {
  const over = one.ended_as;
  return el("section", { class: "card", "aria-label": "Life" }, el("ol", { class: "life" },
    point("done", "Committed", time(one.committed_at), `block ${count(one.committed_block)}`),
    point("done", OPENED[one.kind], time(one.block_time), `block ${count(one.block_number)}`),
    over
      ? point(over === "rejected" ? "ended" : "done", ENDED[over], time(one.end_time), `block ${count(one.end_block)}`)
      : point("possible", one.kind === "challenge" ? "Ruling due" : "Answer due", time(one.due), "if nothing comes, anyone may end it"),
    over === "rejected" ? null : point(one.batch_state === "final" ? "done" : one.batch_state === "rejected" ? "ended" : "possible", one.batch_outcome ? `Final, ${one.batch_outcome}` : one.batch_state === "rejected" ? "Rejected later" : "Final", one.batch_state === "disputed" && over ? "disputed again" : null)));
}

// Where the money went, by the event that ended it.
function money(one) {
  const end = one.steps[1];
  const told = (value) => amount(String(value), one);
  const rows = [["Bond of who opened it", told(one.bond)], ["Operator's stake behind the batch", told(one.at_stake)]];
  if (!end) return rows;
  if (end.event === "BatchRejected") return [...rows, ["Paid to", id(end.payee)], ["Reward", told(end.reward)], ["Burned", told(end.burned)], ["Bond back to", id(end.bond_owner)], ["Bond returned", told(end.bond)]];
  if (end.event === "ChallengeUpheld") return [...rows, ["Of the bond to the operator", told(end.credited)], ["Of the bond burned", told(end.burned)]];
  if (end.event === "ChallengeLapsed") return [...rows, ["Returned to", id(end.challenger)], ["Of the bond returned", told(end.returned)], ["Of the bond burned", told(end.burned)]];
  return [...rows, ["Bond to the operator", told(end.bond)]];
}

export async function dispute(parts) {
  const { found: one, missing } = await orMissing("Dispute", parts[2] ?? "", get(`disputes/${parts.join("/")}`), [EXTRACT]);
  if (missing) return missing;
  const batch = { ...one, state: one.batch_state, outcome: one.batch_outcome };
  return {
    title: `Dispute ${one.number} of batch ${one.batch_id.slice(0, 10)}`,
    head: heading("Dispute", one.batch_id, one.chain_id, {
      whose: "Batch",
      title: [`${capital(one.kind)} ${one.number} of batch `, id(one.batch_id)],
      about: [["in ", el("a", { href: `#/network/${pathOf(one)}` }, stranger(one.name))]],
      badges: [one.ended_as ? badge(one.ended_as === "rejected" ? "rejected" : "", capital(one.ended_as)) : badge("open", "Open")],
    }),
    body: [
      life(one),
      figures(
        ["Inference", count(one.leaf_index), `of ${count(one.count)} in the batch`],
        ["Bond", amount(one.bond, one), "of who opened it"],
        ["At stake", amount(one.at_stake, one), "of the operator, if the batch is rejected"],
        ["Outcome", one.ended_as ? capital(ENDED[one.ended_as]) : "Open", outcome(one)],
      ),
      el("div", { class: "columns" },
        el("div", {},
          card("Its events", null, [], el("ul", { class: "lines" }, one.steps.map((step) => el("li", {}, el("strong", {}, step.event), " ", time(step.block_time), `, block ${count(step.block_number)}, log ${count(step.log_index)} `, transaction(one, step.transaction_hash))))),
          card("Amounts", null, [], el("div", { class: "pad" }, facts(money(one))))),
        el("div", {},
          card("Sides", null, [], el("div", { class: "pad" }, facts([
            ["Opened by", id(one.party)],
            ["Operator", operatorLink(one)],
            ["Arbiter", one.arbiter ? [resolverLink(one, one.arbiter), ` ${one.arbiter_standing}`] : "none: nobody can rule"],
            ["Batch", [batchLink(one), " ", stateBadge(batch)]],
            ["Model", modelLink(one)],
          ]))))),
    ],
  };
}
