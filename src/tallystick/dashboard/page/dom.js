// Elements made of text only: nothing here takes HTML, so strangers' words stay words.

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

// A stranger's text: what cannot be seen or turns the order of letters is spelt out; cut when long.
export function stranger(text, fallback = "(no name)") {
  const holder = el("span", { class: "stranger clip", dir: "ltr" });
  const letters = [...text];
  let marks = 0;
  let plain = "";
  const spell = (letter) => {
    const code = letter.codePointAt(0).toString(16).padStart(4, "0");
    holder.append(plain, el("span", { class: "escaped" }, `\\u{${code}}`));
    plain = "";
  };
  for (const letter of letters.slice(0, MOST)) {
    marks = MARKS.test(letter) ? marks + 1 : 0;
    if (UNSEEN.test(letter) || marks > 2) spell(letter);
    else plain += letter;
  }
  holder.append(plain);
  if (letters.length > MOST) holder.append(el("span", { class: "soft" }, ` … ${letters.length} characters`));
  if (!letters.length || !text.trim()) holder.append(el("span", { class: "soft" }, fallback));
  return holder;
}

export function short(id) {
  return id.length > 20 ? `${id.slice(0, 8)}…${id.slice(-4)}` : id;
}

// An id, cut for the eye, whole for copying and for screen readers.
export function id(value) {
  return el("span", { class: "id", title: value }, short(value));
}

export function time(seconds) {
  const text = new Date(Number(seconds) * 1000).toISOString().replace("T", " ").slice(0, 19);
  return el("time", { datetime: `${text.replace(" ", "T")}Z` }, `${text} UTC`);
}

export function facts(pairs) {
  return el("dl", { class: "facts" }, pairs.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

export function pathOf(network) {
  return `${network.chain_id}/${network.core}/${network.network_id}`;
}
