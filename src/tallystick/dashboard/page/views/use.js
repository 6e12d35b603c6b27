// A network's numbers on other people's pages: links that last, a badge, a chart, snippets to copy.

import { isExport } from "../data.js";
import { copy, el } from "../dom.js";
import { count } from "../format.js";

function core(one, coverage) {
  return coverage.cores.find((held) => held.chain_id === one.chain_id && held.core === one.core);
}

// A permanent link names its block and definitions: where the page has others by now, it says so.
export function linkedNote(one, coverage, block, definitions) {
  if (!/^\d{1,15}$/.test(block ?? "") || !/^\d{1,5}(-\d{1,5}){2}$/.test(definitions ?? "")) return [];
  const [then, version, now] = [Number(block), definitions.replaceAll("-", "."), core(one, coverage)];
  if (!now) return [];
  if (then === now.last_block && version === coverage.definitions_version) return [];
  return el("p", { id: "linked", class: "caution" }, `This link was made at block ${count(then)}, under definitions ${version}. The numbers here are as of block ${count(now.last_block)}, under definitions ${coverage.definitions_version}.`);
}

function absolute(path) {
  return new URL(path, document.baseURI.split("#")[0]).href;
}

function snippet(name, text) {
  return el("details", { class: "more", "data-key": `snippet ${name}` },
    el("summary", {}, name),
    el("pre", { tabindex: "0", "aria-label": name }, el("code", { "data-snippet": name }, text)),
    copy(text, `Copy: ${name}`));
}

export function useOf(base, one, coverage, period) {
  const [page, badge] = [absolute(`${base}/`), absolute(`api/v1/${base}/badge.svg`)];
  const named = `?block=${core(one, coverage)?.last_block}&definitions=${coverage.definitions_version}`;
  return [
    el("p", { class: "pad links" },
      el("a", { href: `api/v1/${base}/badge.svg` }, "Badge (SVG)"),
      el("a", { href: `${base.replace("networks/", "embed/")}/` }, "Chart"),
      el("a", { href: `api/v1/${base}/summary/${period}${isExport ? ".json" : ""}` }, "JSON"),
      el("a", { href: `api/v1/${base}/feed.atom`, type: "application/atom+xml" }, "News (Atom)"),
      el("a", { href: `${base}/${named}`, "data-permanent": true }, "Permanent link")),
    el("div", { class: "pad snippets" },
      snippet("Embed the chart", `<iframe src="${absolute(`${base.replace("networks/", "embed/")}/`)}" title="Verified inferences, counted by Tallystick" width="520" height="380" loading="lazy" sandbox="allow-popups allow-popups-to-escape-sandbox"></iframe>`),
      snippet("Badge, Markdown", `[![verified inferences](${badge})](${page})`),
      snippet("Badge, HTML", `<a href="${page}"><img src="${badge}" alt="verified inferences" height="20"></a>`)),
  ];
}
