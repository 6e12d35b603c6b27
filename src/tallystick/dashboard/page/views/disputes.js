// Disputes of all networks, and who lost stake.

import { csv, networks, rows } from "../data.js";
import { el } from "../dom.js";
import { paged } from "../table.js";
import { disputeColumns, rejectionColumns } from "./network.js";

export async function disputes(_, state) {
  const assets = new Map((await networks()).map((one) => [`${one.chain_id} ${one.network_id}`, one.asset]));
  const asset = (row) => assets.get(`${row.chain_id} ${row.network_id}`);
  const listed = async (title, path, columns, asked) => {
    state[title] ??= {};
    return [
      el("h2", {}, title),
      await paged(title, columns, (at) => rows(path, at, asked), state[title]),
      el("p", {}, el("a", { href: csv(path), download: `${path}.csv` }, `${title} as CSV`)),
    ];
  };
  return {
    title: "Disputes",
    body: [
      el("p", {}, "A challenge asks the arbiter for a ruling on a leaf; a demand asks the operator to reveal one."),
      await listed("Open", "disputes", disputeColumns(true), { state: "open" }),
      await listed("Past", "disputes", disputeColumns(true), { state: "past" }),
      await listed("Slashed", "rejections", rejectionColumns(asset, true), {}),
    ].flat(Infinity),
  };
}
