"""A story as a program: told line by line, with its table, or as JSON lines, at the end.

JSON=1 prints JSON lines, DATA=FOLDER keeps what the page shows.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tallystick.errors import TallystickError

Row = dict[str, Any]
Tell = Callable[[str], None]


def tell_story(
    run: Callable[[Tell, Path | None], list[Row]],
    tables: Callable[[list[Row]], Sequence[Table]],
    serve: Callable[[Path], str] = lambda data: f"--data {data}",
    last: Sequence[str] = (),
) -> None:
    """Tell it, and exit with 1 where it fails, or events and contract disagree.

    Args:
        run: plays it; is given what to call with each line and where to keep data, returns rows
            that each say whether events and contract agree (events_agree).
        tables: makes tables of the rows.
        serve: says by which options the page serves what was kept.
        last: lines to end with.
    """
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
        for one in tables(rows):
            console.print(one)
    if not all(row["events_agree"] for row in rows):
        sys.exit("Error: events and contract disagree")
    console.print("Events and contract agree on every counter.")
    for line in last:
        console.print(line, soft_wrap=True, markup=False)
    if data is not None:
        console.print(
            f"As a page at http://127.0.0.1:8080: tallystick serve {serve(data)}", soft_wrap=True
        )
