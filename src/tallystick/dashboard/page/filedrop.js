// The search box takes files too: dropped anywhere on the page while it is not that of receipts, or picked.

import { el } from "./dom.js";
import { hand } from "./handed.js";
import { svg } from "./shapes.js";

const CLIP = "M12.6 8.2l-4.3 4.3a2.6 2.6 0 0 1-3.7-3.7l5-5a1.7 1.7 0 0 1 2.5 2.4l-5 5a.8.8 0 0 1-1.2-1.2l4.3-4.2";

function carries(event) {
  return event.dataTransfer?.types.includes("Files");
}

// `box` holds the search; `tools` gets the button that picks.
export function dropping(box) {
  const file = el("input", { type: "file", accept: ".json,.jsonl,application/json", hidden: true, "aria-label": "A receipt or a file of receipts" });
  const pick = el("button", { type: "button", class: "icon", id: "pick", "aria-label": "Check a file of receipts", title: "Check a file of receipts; or drop it on the page", onclick: () => file.click() },
    svg("svg", { viewBox: "0 0 18 18", "aria-hidden": "true" }, svg("path", { d: CLIP })));
  file.addEventListener("change", () => {
    hand(file.files[0]);
    file.value = "";
  });
  box.after(file, pick);
  const over = (is) => box.classList.toggle("over", is);
  addEventListener("dragover", (event) => {
    // The page of receipts has a field of its own.
    if (!carries(event) || event.target.closest?.(".drop")) return;
    event.preventDefault();
    over(true);
  });
  addEventListener("dragleave", (event) => { if (!event.relatedTarget) over(false); });
  addEventListener("drop", (event) => {
    over(false);
    if (!carries(event) || event.target.closest?.(".drop")) return;
    event.preventDefault();
    hand(event.dataTransfer.files[0]);
  });
}
