// What a number means, where it stands: a note for hover, focus and touch, which Escape closes.
// One note for the page: it is put behind what it explains, so that Tab leads into its links.

import { get } from "./data.js";
import { el } from "./dom.js";

const PAUSE = 150;
const GAP = 6;
const note = el("div", { id: "note", class: "explained", role: "note", popover: "manual" });
let of = null;
let timer;
let known;
let closing = false;

async function definitions() {
  known ??= get("definitions").catch((error) => {
    known = undefined;
    throw error;
  });
  const found = await known;
  return new Map([...found.definitions, found.headline.definition].map((one) => [one.name, one]));
}

function close() {
  clearTimeout(timer);
  if (!of) return;
  of.setAttribute("aria-expanded", "false");
  of.removeAttribute("aria-describedby");
  of = null;
  note.remove();
}

function place(trigger) {
  const at = trigger.getBoundingClientRect();
  const { width, height } = note.getBoundingClientRect();
  const below = at.bottom + GAP + height <= innerHeight || at.top < height + GAP;
  note.style.left = `${Math.max(8, Math.min(at.left, innerWidth - width - 8))}px`;
  const top = below ? Math.min(at.bottom + GAP, innerHeight - height - GAP) : at.top - GAP - height;
  note.style.top = `${Math.max(GAP, top)}px`;
}

async function open(trigger, name, more) {
  clearTimeout(timer);
  if (of === trigger) return;
  close();
  of = trigger;
  let one;
  try {
    one = (await definitions()).get(name);
  } catch {
    one = null;
  }
  if (of !== trigger) return;
  if (!one || !trigger.isConnected) {
    of = null;
    return;
  }
  note.replaceChildren(
    el("strong", {}, one.label),
    el("p", {}, one.meaning),
    el("p", {}, el("code", {}, one.formula)),
    el("p", { class: "links" }, el("a", { href: `#/counting/${name}` }, "How it is counted"), more ? el("a", { href: more }, "The query") : null));
  trigger.after(note);
  note.showPopover?.();
  trigger.setAttribute("aria-expanded", "true");
  trigger.setAttribute("aria-describedby", note.id);
  place(trigger);
}

function later(what) {
  clearTimeout(timer);
  timer = setTimeout(what, PAUSE);
}

note.addEventListener("pointerenter", () => clearTimeout(timer));
note.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") later(close); });
addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !of) return;
  const back = note.contains(document.activeElement) ? of : null;
  close();
  closing = true;
  back?.focus();
  closing = false;
});
addEventListener("focusin", (event) => { if (of && event.target !== of && !note.contains(event.target)) close(); });
addEventListener("pointerdown", (event) => { if (of && !of.contains(event.target) && !note.contains(event.target)) close(); });
addEventListener("scroll", (event) => { if (of && note.isConnected && !note.contains(event.target)) place(of); }, { capture: true, passive: true });
addEventListener("hashchange", close);

// Makes a button or link tell what `name` means; `more` is where its query is shown.
export function explains(trigger, name, more = null) {
  trigger.classList.add("dotted");
  trigger.dataset.about = name;
  trigger.setAttribute("aria-expanded", "false");
  trigger.addEventListener("pointerenter", (event) => { if (event.pointerType === "mouse") later(() => open(trigger, name, more)); });
  trigger.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") later(close); });
  trigger.addEventListener("focus", () => { if (!closing) open(trigger, name, more); });
  trigger.addEventListener("click", () => open(trigger, name, more));
  return trigger;
}

// A word that tells what it means.
export function word(text, name, more = null) {
  return explains(el("button", { type: "button", class: "word", "data-key": `word ${name} ${text}` }, text), name, more);
}
