// Colours: as the system has them, light, or dark; a browser remembers which.

const CHOICES = ["", "light", "dark"];
const NAMES = { "": "as the system", light: "light", dark: "dark" };

function kept() {
  try {
    const found = localStorage.getItem("theme") ?? "";
    return CHOICES.includes(found) ? found : "";
  } catch {
    return ""; // storage may be off
  }
}

// `changed` is called when the colours are others.
export function theme(button, changed) {
  let chosen = kept();
  const apply = () => {
    if (chosen) document.documentElement.dataset.theme = chosen;
    else delete document.documentElement.dataset.theme;
    button.setAttribute("aria-label", `Colours: ${NAMES[chosen]}`);
    button.title = `Colours: ${NAMES[chosen]}`;
    changed();
  };
  apply();
  button.addEventListener("click", () => {
    chosen = CHOICES[(CHOICES.indexOf(chosen) + 1) % CHOICES.length];
    try { localStorage.setItem("theme", chosen); } catch { /* storage may be off */ }
    apply();
  });
}
