// What somebody has set up on a page stays when it is drawn anew: focus, caret, scrolling, what is open.

const FOCUSABLE = "a[href], button, input, select, textarea, summary, [tabindex='0']";

function nameOf(element) {
  return element.dataset.key || element.getAttribute("href") || element.id || element.getAttribute("aria-label");
}

// Returns what puts it back, to be called when the page stands again.
export function keep(root) {
  const all = [...root.querySelectorAll(FOCUSABLE)];
  const focused = document.activeElement;
  const place = all.indexOf(focused);
  const name = place >= 0 ? nameOf(focused) : null;
  const caret = focused?.matches?.("input[type=search]") ? [focused.selectionStart, focused.selectionEnd] : null;
  const open = new Set([...root.querySelectorAll("details[open]")].map(nameOf));
  const scrolled = [...root.querySelectorAll(".scroll")].map((one) => one.scrollLeft);
  return () => {
    for (const one of root.querySelectorAll("details")) one.open = open.has(nameOf(one));
    root.querySelectorAll(".scroll").forEach((one, at) => { one.scrollLeft = scrolled[at] ?? 0; });
    if (place < 0) return;
    const now = [...root.querySelectorAll(FOCUSABLE)];
    const found = now.find((one) => name && nameOf(one) === name) ?? now[place];
    found?.focus({ preventScroll: true });
    if (caret) found?.setSelectionRange?.(...caret);
  };
}
