// Elements made of text only: nothing here takes HTML, so strangers' words stay words.

import { explorer } from "./chains.js";

export function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return made;
}

const MOST = 80;
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cn}\p{Co}\p{Cs}\p{Zl}\p{Zp}\u00a0\u115f\u1160\u2800\u3164\uffa0\ufffc]/u;
const MARKS = /\p{M}/u;

// A stranger's text in pieces: what cannot be seen or turns the order of letters is spelt out.
function pieces(text, most) {
  const found = [];
  let marks = 0;
  for (const letter of [...text].slice(0, most)) {
    marks = MARKS.test(letter) ? marks + 1 : 0;
    const spelt = UNSEEN.test(letter) || marks > 2;
    const piece = spelt ? `\\u{${letter.codePointAt(0).toString(16).padStart(4, "0")}}` : letter;
    if (found.length && found.at(-1).spelt === spelt) found.at(-1).text += piece;
    else found.push({ spelt, text: piece });
  }
  return found;
}

// The same as plain text, for where there are no elements.
export function plain(text, most = MOST) {
  return pieces(text, most).map((piece) => piece.text).join("");
}

// The same as an element; says when it is cut.
export function stranger(text, fallback = "(no name)") {
  const { length } = [...text];
  return el("span", { class: "stranger", dir: "ltr" },
    pieces(text, MOST).map((piece) => (piece.spelt ? el("span", { class: "escaped" }, piece.text) : piece.text)),
    length > MOST ? el("span", { class: "soft" }, ` … ${length} characters`) : null,
    text.trim() ? null : el("span", { class: "soft" }, fallback));
}

// An id, cut for the eye, whole for copying and for searching the page.
export function id(value) {
  if (value.length <= 20) return el("span", { class: "id" }, value);
  return el("span", { class: "id", title: value }, value.slice(0, 8), el("span", { class: "cut" }, value.slice(8, -4)), value.slice(-4));
}

export function time(seconds) {
  const [day, clock] = new Date(Number(seconds) * 1000).toISOString().slice(0, 19).split("T");
  return el("time", { datetime: `${day}T${clock}Z` }, el("span", { class: "keep" }, day), " ", el("span", { class: "keep" }, `${clock} UTC`));
}

export function facts(pairs) {
  return el("dl", { class: "facts" }, pairs.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

export function pathOf(network) {
  return `${network.chain_id}/${network.core}/${network.network_id}`;
}

// An id or hash, to take along.
export function copy(value, label) {
  const button = el("button", {
    type: "button",
    class: "copy",
    "aria-label": label,
    title: label,
    onclick: async () => {
      await navigator.clipboard?.writeText(value);
      button.textContent = "copied";
      setTimeout(() => { button.textContent = "copy"; }, 1500);
    },
  }, "copy");
  return button;
}

// A transaction's page and, where an explorer of its chain is known, what that says.
export function transaction(row, hash) {
  const site = explorer(row.chain_id, "tx", hash);
  return [el("a", { href: `#/transaction/${row.chain_id}/${hash}` }, id(hash)), site ? [" ", el("a", { href: site, rel: "noreferrer", "aria-label": `Transaction ${hash.slice(0, 10)} in an explorer` }, "↗")] : null];
}
