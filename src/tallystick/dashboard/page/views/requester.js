// One requester at a registry: what it signed for, of the batch data that were found.

import { COUNTED } from "../charts.js";
import { get } from "../data.js";
import { el, pathOf, stranger, time } from "../dom.js";
import { count, share } from "../format.js";
import { modelLink, operatorLink } from "../links.js";
import { bar, capital } from "../shapes.js";
import { sortable } from "../table.js";
import { EXTRACT, card, figures, heading, listCard, networkColumn, orMissing } from "./cards.js";
import { batchLink, numberLink, resolversBadge, stateBadge } from "./parts.js";

const COLLECT = ["Who asked stands in the batch data. It comes in from the stores that hold it by:", "tallystick collect STORES"];

const figure = (name) => ({ name: capital(name), number: true, cell: (row) => count(row[name]), by: (row) => row[name] });

const NETWORKS = [
  { name: "Network", cell: (row) => [el("a", { href: `#/network/${pathOf(row)}`, class: "name" }, stranger(row.name)), el("div", {}, resolversBadge(row))], by: (row) => row.name.toLowerCase() },
  { name: "Asked", number: true, cell: (row) => [count(row.asked), el("div", { class: "note soft" }, `${count(row.operators)} operators, ${count(row.batches)} batches`)], by: (row) => row.asked },
  { name: "Share of signed", kind: "shared", numeric: true, cell: (row) => [share(row.share), bar([{ kind: "ink", value: row.share }], 1, `${share(row.share)} of what anybody signed for in the network`, "thin")], by: (row) => row.share },
  { name: "Data found", number: true, cell: (row) => numberLink({ ...row, cautions: [] }, "found_share", "Data found") },
  figure("verified"),
  ...COUNTED.map(figure),
  figure("open"),
];

function askedColumns(named) {
  return [
    { name: "Batch", cell: batchLink },
    { name: "Inference", number: true, cell: (row) => count(row.leaf_index) },
    { name: "State", cell: stateBadge },
    networkColumn(named),
    { name: "Operator", cell: (row) => operatorLink(row) },
    { name: "Model", cell: (row) => modelLink(row) },
    { name: "When", cell: (row) => time(row.block_time) },
  ];
}

export async function requester(parts, state) {
  const path = `requesters/${parts.join("/")}`;
  const { found: one, missing } = await orMissing("Requester", parts[2], get(path), [COLLECT, EXTRACT]);
  if (missing) return missing;
  const names = new Map(one.networks.map((row) => [pathOf(row), row.name]));
  state.networks ??= {};
  const largest = one.networks.reduce((found, row) => (found && found.share >= row.share ? found : row), null);
  return {
    title: `Requester ${one.requester.slice(0, 10)}`,
    head: heading("Requester", one.requester, one.chain_id, { kind: "address" }),
    body: [
      figures(
        ["Signed for", count(one.asked), "inferences whose data was found"],
        ["Networks", count(one.networks.length)],
        ["Largest share", share(largest.share), ["of what was signed for in ", stranger(largest.name)]],
        ["Networks that lack data", count(one.not_all_found), "It may have asked for more there."],
      ),
      card("By network", "What it signed for, and what became of that. An inference that was committed to two networks stands in both.", [],
        sortable("Its inferences by network", NETWORKS, one.networks, state.networks)),
      await listCard(state, "Inferences", `${path}/inferences`, askedColumns((row) => names.get(pathOf(row)) ?? ""), { words: "A receipt of each is with whoever asked, and with its operator: this page has the batch and the place in it." }),
    ],
  };
}
