"""Plays the story: `python -m tallystick.demo.language`.

JSON=1 prints JSON lines, DATA=FOLDER keeps what the page shows.
"""

import json
import os
import sys
import time
from pathlib import Path

from rich.console import Console

from tallystick.demo import report
from tallystick.demo.language.story import MARGINS, SPECS, run
from tallystick.errors import TallystickError


def main() -> None:
    """Tell it, and say at the end whether events and contract agree."""
    as_json = bool(os.environ.get("JSON"))
    console, start = Console(stderr=as_json, highlight=False), time.monotonic()

    def tell(line: str) -> None:
        console.print(f"[dim]{time.monotonic() - start:5.1f} s[/dim]  ", end="", soft_wrap=True)
        console.print(line, soft_wrap=True, markup=False)

    data = Path(os.environ["DATA"]) if os.environ.get("DATA") else None
    if data is not None and data.exists() and any(data.iterdir()):
        sys.exit(f"Error: {data} is not empty; needed: a folder of its own")
    try:
        rows = run(tell, data)
    except TallystickError as error:
        sys.exit(f"Error: {' '.join(str(error).split())}")
    if as_json:
        for row in rows:
            print(json.dumps(row))
    else:
        console.print(report.table(rows))
    if not all(row["events_agree"] for row in rows):
        sys.exit("Error: events and contract disagree")
    console.print("Events and contract agree on every counter.")
    if data is not None:
        kept = f"--data {data} --specs {data / SPECS} --margins {data / MARGINS}"
        console.print(
            f"As a page at http://127.0.0.1:8080: tallystick serve {kept}", soft_wrap=True
        )


if __name__ == "__main__":
    main()
