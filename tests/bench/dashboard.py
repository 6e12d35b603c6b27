"""Print how fast the dashboard answers over 1,000 networks and 10 M events; JSON=1 for objects.

`python -m tests.bench.dashboard`; EVENTS=1000000 for less. After the warm-up, each answer is timed
for networks that nobody had asked for, and once more. Exit code 1 when one takes a second.
"""

import json
import os
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import httpx
from rich.console import Console
from rich.table import Table

from tallystick.dashboard.app import create_app
from tallystick.dashboard.live import Live
from tests.support.shown import served
from tests.support.synthetic import write

CEILING = 1.0
"""Seconds."""
ASKED = 8
"""Networks."""
OF_ALL = ("coverage", "networks?limit=1000", "disputes", "disputes?state=open", "rejections")
OF_ONE = (
    "",
    "/registration",
    "/days",
    "/operators",
    "/models",
    "/batches",
    "/batches?offset=5000",
    "/disputes",
    "/rejections",
    "/numbers/committed",
    "/numbers/verified",
    "/numbers/open",
    "/numbers/burned",
    "/numbers/committed/events",
    "/numbers/verified/events",
    "/numbers/open/events",
)


def timed(client: httpx.Client, path: str) -> float:
    start = perf_counter()
    answer = client.get(f"/api/v1/{path}", timeout=120)
    assert answer.status_code == 200, answer.text
    return perf_counter() - start


def measure(events: int) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    """Return seconds of the warm-up, and of each answer: the slowest first time, and again."""
    with tempfile.TemporaryDirectory() as folder:
        start = perf_counter()
        write(Path(folder) / "data", events)
        written = perf_counter()
        live = Live(Path(folder) / "data")
        warm = {"write the data": written - start, "open the folder": perf_counter() - written}
        found: dict[str, tuple[float, float]] = {}
        with served(create_app(live, every=60)) as url, httpx.Client(base_url=url) as client:
            warm["first answer"] = timed(client, "networks?limit=1000")
            for path in OF_ALL:
                found[path] = timed(client, path), timed(client, path)
            keys = live.snapshot.network_keys()[:: 1_000 // ASKED][:ASKED]
            for part in OF_ONE:
                paths = [f"networks/{key.path}{part}" for key in keys]
                first, again = ([timed(client, path) for path in paths] for _ in range(2))
                found["one network" + part] = max(first), max(again)
            rows = [live.snapshot.batches.page(key, 3, 1)[0] for key in keys]
            paths = [f"batches/{row['chain_id']}/{row['core']}/{row['batch_id']}" for row in rows]
            first, again = ([timed(client, path) for path in paths] for _ in range(2))
            found["one batch"] = max(first), max(again)
        return warm, found


def main() -> None:
    events = int(os.environ.get("EVENTS", "10000000"))
    warm, found = measure(events)
    if os.environ.get("JSON") == "1":
        for name, value in warm.items():
            print(json.dumps({"name": name, "value": value, "unit": "s"}))
        for name, (first, again) in found.items():
            row = {"name": name, "value": first, "again": again, "unit": "s", "ceiling": CEILING}
            print(json.dumps(row))
    else:
        table = Table(
            "answer", "first, ms", "again, ms", title=f"1,000 networks, {events:,} events"
        )
        for name, value in warm.items():
            table.add_row(name, f"{value * 1000:,.0f}", "")
        table.add_section()
        for name, (first, again) in found.items():
            table.add_row(name, f"{first * 1000:,.0f}", f"{again * 1000:,.0f}")
        Console().print(table)
    if max(first for first, _ in found.values()) >= CEILING:
        sys.exit(f"an answer took {CEILING:g} s or more")


if __name__ == "__main__":
    main()
