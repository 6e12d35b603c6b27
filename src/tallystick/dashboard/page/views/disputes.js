// Disputes of all networks, and who lost stake.

import { csvLink, networks, rows } from "../data.js";
import { el, pathOf } from "../dom.js";
import { paged } from "../table.js";
import { disputeColumns, rejectionColumns } from "./network.js";

export async function disputes(_, state) {
  const known = new Map((await networks()).all.map((one) => [pathOf(one), one]));
  const of = (row) => known.get(pathOf(row)) ?? row;
  const named = (row) => known.get(pathOf(row))?.name ?? "";
  const listed = async (title, path, columns, asked) => {
    state[title] ??= {};
    const shown = await paged(title, columns, (at) => rows(path, at, asked), state[title]);
    return [el("h2", {}, title), shown.holder, el("p", {}, csvLink(title, path, shown.total, asked))];
  };
  return {
    title: "Disputes",
    body: [
      el("p", {}, "A challenge asks the arbiter for a ruling on a leaf; a demand asks the operator to reveal one."),
      await listed("Open", "disputes", disputeColumns(named), { state: "open" }),
      await listed("Past", "disputes", disputeColumns(named), { state: "past" }),
      await listed("Slashed", "rejections", rejectionColumns(of, named), {}),
    ].flat(Infinity),
  };
}
