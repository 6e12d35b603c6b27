"""Print how fast the dashboard answers over 1,000 networks and 10 M events; JSON=1 for objects.

`python -m tests.bench.dashboard`; EVENTS=1000000 for less. After the warm-up, each answer is timed
for networks that nobody had asked for, and once more; then the page of networks in Chromium, and
new events that come in. Exit code 1 when anything takes longer than its ceiling.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from time import perf_counter

import httpx
from playwright.sync_api import Page, sync_playwright

from tallystick.dashboard.app import create_app
from tallystick.dashboard.live import Live
from tallystick.dashboard.network_key import NetworkKey
from tallystick.dashboard.snapshot import Snapshot
from tallystick.data.extract.dataset import Dataset
from tests.bench.figures import Figure, tell
from tests.support.shown import served
from tests.support.synthetic import add, write

CEILINGS = {"first": 1.0, "again": 0.2}
"""Seconds of an answer."""
PAINT, DRAWN, NEW_STATE = 0.5, 1.0, 5.0
"""Seconds."""
BLOCK = 1_000
"""Events that come in at once."""
ASKED = 8
"""Networks."""
CHROMIUM = "/usr/bin/chromium"
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
OF_ALL = (
    "coverage",
    "networks?limit=1000",
    "summary/30d",
    "search?q=network+77",
    "disputes",
    "disputes?state=open",
    "rejections",
)
OF_ONE = (
    "",
    "/registration",
    "/summary/30d",
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
PART = "/numbers/verified?by={by}&of={of}"


def timed(client: httpx.Client, path: str) -> float:
    start = perf_counter()
    answer = client.get(f"/api/v1/{path}", timeout=120)
    assert answer.status_code == 200, answer.text
    return perf_counter() - start


def paths_of(now: Snapshot, keys: list[NetworkKey]) -> Iterator[tuple[str, list[str]]]:
    """Yield what is asked of each network, by its name."""
    for part in OF_ONE:
        yield f"one network{part}", [f"networks/{key.path}{part}" for key in keys]
    rows = [now.batches.page(key, 3, 1)[0] for key in keys]
    yield (
        "one batch",
        [f"batches/{row['chain_id']}/{row['core']}/{row['batch_id']}" for row in rows],
    )
    for by in ("operator", "model", "day"):
        column, listed = {
            "operator": ("operator", now.operators),
            "model": ("model_id", now.models),
            "day": ("day", now.days),
        }[by]
        yield (
            f"one {by}'s number",
            [
                f"networks/{key.path}" + PART.format(by=by, of=listed(key)[0][column])
                for key in keys
            ],
        )


def measure(events: int) -> Iterator[Figure]:
    """Yield seconds of the warm-up, of each answer's slowest first time and again, of the page."""
    with tempfile.TemporaryDirectory() as folder:
        start = perf_counter()
        write(Path(folder) / "data", events)
        written = perf_counter()
        yield Figure("write the data", written - start, "s")
        live = Live(Path(folder) / "data")
        yield Figure("open the folder, with the first screen", perf_counter() - written, "s")
        with served(create_app(live, every=3600)) as url, httpx.Client(base_url=url) as client:
            yield Figure("first answer", timed(client, "networks?limit=1000"), "s")
            keys = live.snapshot.network_keys()[:: 1_000 // ASKED][:ASKED]
            # Made as it is asked: what a path is made of would warm the answers up.
            asked = chain(((path, [path]) for path in OF_ALL), paths_of(live.snapshot, keys))
            for name, paths in asked:
                for time in CEILINGS:
                    slowest = max(timed(client, path) for path in paths)
                    yield Figure(f"{name}, {time}", slowest, "s", ceiling=CEILINGS[time])
            yield from drawn(url)
        yield from grown(live, Dataset(Path(folder) / "data"))


def grown(live: Live, data: Dataset) -> Iterator[Figure]:
    """Yield seconds from new events in the folder to what the first screen shows of them."""
    for time in ("first", "second"):
        add(data, BLOCK)
        start = perf_counter()
        assert live.look()
        seconds = perf_counter() - start
        yield Figure(f"{BLOCK:,} new events, {time} time", seconds, "s", ceiling=NEW_STATE)


def drawn(url: str) -> Iterator[Figure]:
    """Yield seconds of what somebody does on the page of 1,000 networks."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        table = page.locator("table").last
        _load(page, url)
        steps: dict[str, Callable[[], object]] = {
            "drawn": lambda: _load(page, url),
            "sorted": lambda: (
                table.get_by_role("button", name="Committed").click(),
                page.locator("th[aria-sort='descending']").wait_for(),
            ),
            "turned over": lambda: (
                page.get_by_role("button", name="Next").last.click(),
                page.get_by_text("51 to 100 of 1,000").wait_for(),
            ),
            "searched": lambda: (
                page.get_by_label("Name, address, id or hash").fill("network 77"),
                page.locator("#found [role=option]").first.wait_for(),
            ),
        }
        for name, step in steps.items():
            start = perf_counter()
            step()
            seconds = perf_counter() - start
            yield Figure(f"page of networks in Chromium, {name}", seconds, "s", ceiling=DRAWN)
            if name == "drawn":
                painted = page.evaluate(PAINTED) / 1_000
                yield Figure(
                    "page of networks in Chromium, first paint", painted, "s", ceiling=PAINT
                )
        browser.close()


def _load(page: Page, url: str) -> None:
    page.goto("about:blank")
    page.goto(f"{url}/#/")
    page.locator("main:not([aria-busy]) tbody a").first.wait_for()


def main() -> None:
    events = int(os.environ.get("EVENTS", "10000000"))
    figures = list(measure(events))
    tell(f"1,000 networks, {events:,} events", figures)
    if any(one.ceiling is not None and one.value >= one.ceiling for one in figures):
        sys.exit("something took longer than its ceiling")


if __name__ == "__main__":
    main()
