// What a page of one thing is made of: its heading, its key figures, cards, lists, and what to do when it is not here.

import { chainName, explorer } from "../chains.js";
import { csvLink, isExport, rows } from "../data.js";
import { copy, el, id, pathOf, stranger } from "../dom.js";
import { count } from "../format.js";
import { paged } from "../table.js";

export function card(title, words, links, ...body) {
  return el("section", { class: "card", "aria-label": title },
    el("header", {}, el("div", {}, el("h2", {}, title), words ? el("p", { class: "sub" }, words) : null), links?.length ? el("div", { class: "links" }, links) : null),
    body);
}

// A list of which each page is asked for; `state` is the whole page's.
export async function listCard(state, title, path, columns, { asked = {}, words = null, kind = "" } = {}) {
  state[title] ??= {};
  const listed = await paged(title, columns, (at) => rows(path, at, asked), state[title], { kind });
  return card(title, words, [el("span", { class: "soft" }, count(listed.total)), csvLink(title, path, listed.total, asked)], listed.holder);
}

// [label, value, note] of the few figures that stand first.
export function figures(...some) {
  return el("div", { class: "card keys" }, some.map(([label, value, note]) => el("div", {},
    el("p", { class: "label" }, label), el("p", { class: "key" }, value), note ? el("p", { class: "note soft" }, note) : null)));
}

// `value` is the id, address or hash that it goes by, `whose` whose that is; `kind` what explorers call it, if they know it.
export function heading(name, value, chain, { title = null, whose = name, kind = null, about = [], badges = [] } = {}) {
  const site = kind ? explorer(chain, kind, value) : null;
  return [
    el("p", { class: "crumb" }, el("a", { href: "#/" }, "Networks"), ` / ${name}`),
    el("div", { class: "top" }, el("div", { class: "titled" }, el("div", {},
      el("h1", {}, title ?? [`${name} `, id(value)]),
      el("p", { class: "about" },
        el("span", {}, chainName(chain)),
        el("span", {}, id(value), " ", copy(value, `Copy the ${whose.toLowerCase()}'s ${value.length === 42 ? "address" : kind === "tx" ? "hash" : "id"}`)),
        site ? el("span", {}, el("a", { href: site, rel: "noreferrer" }, "Explorer")) : null,
        about.map((one) => el("span", {}, one))),
      badges.length ? el("p", {}, badges) : null))),
  ];
}

export function networkColumn(named) {
  return { name: "Network", cell: (row) => el("a", { href: `#/network/${pathOf(row)}` }, stranger(named(row)), " ", id(row.network_id)) };
}

export function command(line) {
  return el("pre", { tabindex: "0", role: "region", "aria-label": `Command: ${line}` }, el("code", {}, line));
}

// In place of a page whose thing no event tells of: why, and what brings more. Other faults stay faults.
export async function orMissing(name, value, asked, commands) {
  try {
    return { found: await asked };
  } catch (error) {
    if (error.status !== 404) throw error;
    const why = isExport ? "This export does not have it: of each kind it holds the newest only." : `${error.message[0].toUpperCase()}${error.message.slice(1)}.`;
    return {
      missing: {
        title: `${name} not found`,
        body: [el("section", { class: "card text", "data-missing": name.toLowerCase() },
          el("h2", {}, `No ${name.toLowerCase()} `, id(value)),
          el("p", {}, why),
          commands.map(([words, line]) => [el("p", {}, words), command(line)]))],
      },
    };
  }
}

export const EXTRACT = ["Newer blocks come in by:", "tallystick extract"];
