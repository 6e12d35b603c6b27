// A file that somebody dropped or picked elsewhere, on its way to the page that checks receipts.

let file = null;

// Lead to that page, or draw it anew where it is shown.
export function hand(chosen) {
  if (!chosen) return;
  file = chosen;
  if (location.hash === "#/check") dispatchEvent(new HashChangeEvent("hashchange"));
  else location.hash = "#/check";
}

// The file, once.
export function handed() {
  const was = file;
  file = null;
  return was;
}
