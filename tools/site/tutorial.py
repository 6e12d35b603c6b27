"""The README's tour, as a page of its own."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def page() -> str:
    """Return the page's text."""
    readme = (ROOT / "README.md").read_text()
    parts = [_section(readme, heading) for heading in ("What is counted", "The five-minute tour")]
    text = "\n".join(parts).replace("](docs/", "](").replace("](examples/)", "](python.md)")
    return f"# Tutorial\n\n{text}"


def _section(text: str, heading: str) -> str:
    found = re.search(rf"^## {re.escape(heading)}\n.*?(?=^## )", text, re.MULTILINE | re.DOTALL)
    if found is None:
        raise SystemExit(f"README.md has no section {heading!r}")
    return found[0]
