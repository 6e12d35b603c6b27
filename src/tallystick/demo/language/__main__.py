"""Plays the story: `python -m tallystick.demo.language`; JSON=1 prints JSON lines."""

import json
import os
import sys
import time

from rich.console import Console

from tallystick.demo import report
from tallystick.demo.language.story import run
from tallystick.errors import TallystickError


def main() -> None:
    """Tell it, and say at the end whether events and contract agree."""
    as_json = bool(os.environ.get("JSON"))
    console, start = Console(stderr=as_json, highlight=False), time.monotonic()

    def tell(line: str) -> None:
        console.print(f"[dim]{time.monotonic() - start:5.1f} s[/dim]  ", end="", soft_wrap=True)
        console.print(line, soft_wrap=True, markup=False)

    try:
        rows = run(tell)
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


if __name__ == "__main__":
    main()
