"""The age of the block that numbers are of, which goes on by itself; and the way to the docs."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from playwright.sync_api import BrowserContext, Page, expect

from tallystick.cli.main import main
from tallystick.dashboard.app import create_app
from tallystick.dashboard.export import export
from tallystick.dashboard.live import Live
from tallystick.dashboard.site import SITE_INDEX
from tests.dashboard.test_export import hosting
from tests.support.shown import Shown

API = "/api/v1"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that looks like a built site."""
    folder = tmp_path_factory.mktemp("built")
    (folder / SITE_INDEX).parent.mkdir()
    (folder / SITE_INDEX).write_text("{}")
    (folder / "index.html").write_text("<!doctype html><title>Docs</title><h1>Docs</h1>")
    return folder


@pytest.fixture
def tab(browser: BrowserContext) -> Iterator[Page]:
    page = browser.new_page()
    yield page
    page.close()


def shows(page: Page, place: str, at: int) -> None:
    """Open a page whose clock is set to a time, and goes on from there."""
    page.add_init_script(
        f"const now = Date.now, begun = now(); window.at = {at * 1000};"
        "Date.now = () => now() - begun + window.at;"
    )
    page.goto(place)
    page.locator("main:not([aria-busy]) h1").wait_for()


def test_coverage__last_time__is_that_of_the_block(shown: Shown, client: TestClient) -> None:
    (core,) = client.get(f"{API}/coverage").json()["cores"]

    block = shown.world.w3.eth.get_block(core["last_block"])

    assert core["last_time"] == block["timestamp"]
    assert core["newest_event"] <= core["last_time"]
    assert client.get(f"{API}/coverage").json()["exported"] is None


def test_block__told_on_the_page__grows_old_by_itself(
    tab: Page, site: str, client: TestClient
) -> None:
    (core,) = client.get(f"{API}/coverage").json()["cores"]
    network = client.get(f"{API}/networks").json()["rows"][0]
    of = f"{network['chain_id']}/{network['core']}/{network['network_id']}"
    shows(tab, f"{site}/#/network/{of}", core["last_time"] + 125)
    (core,) = tab.evaluate("() => fetch('api/v1/coverage').then((one) => one.json())")["cores"]
    times = tab.locator("time[data-ago]")
    first = times.first.inner_text()

    tab.evaluate("() => { window.at += 3_600_000; }")
    expect(times.first).to_have_text("1 hour ago", timeout=20_000)

    expect(tab.locator("[data-block]")).to_contain_text(f"block {core['last_block']:,}")
    assert re.fullmatch(r"\d+ (seconds?|minutes?) ago", first)
    for at in range(times.count()):
        assert times.nth(at).inner_text() == "1 hour ago"
        exact = f"{datetime.fromtimestamp(core['last_time'], UTC):%-d %b %Y, %H:%M:%S} UTC"
        assert times.nth(at).get_attribute("title") == exact
    assert times.count() == 2  # beside the name, and in the footer


def test_export__says_when_it_was_made(tab: Page, live: Live, tmp_path: Path) -> None:
    before = int(datetime.now(UTC).timestamp())
    export(live.snapshot, tmp_path / "out")
    with hosting(tmp_path / "out") as url:
        tab.goto(url)
        tab.locator("main:not([aria-busy]) h1").wait_for()
        made = tab.locator("#covered time").first.get_attribute("data-ago")
        expect(tab.locator("#covered")).to_contain_text(re.compile(r"^Exported \d+ seconds? ago\."))

    assert before <= int(made or 0) <= datetime.now(UTC).timestamp()


def test_docs__built__stand_below_the_page_and_it_links_to_them(live: Live, built: Path) -> None:
    with TestClient(create_app(live, docs=built)) as client:
        link = re.search(r'<a href="(docs/[^"]*)">Docs</a>', client.get("/").text)
        assert link
        for path in (f"/{link[1]}", "/docs/", "/docs"):
            assert "<h1>Docs</h1>" in client.get(path).text
        assert "frame-ancestors 'none'" in client.get("/docs/").headers["Content-Security-Policy"]
        assert client.get("/docs/none.html").status_code == 404
        assert client.get(f"{API}/openapi.json").json()["info"]["title"] == "Tallystick"


def test_docs__none__no_link(client: TestClient) -> None:
    assert ">Docs</a>" not in client.get("/").text
    assert client.get("/docs/").status_code == 404


def test_export__docs__are_linked(live: Live, built: Path, tab: Page, tmp_path: Path) -> None:
    export(live.snapshot, tmp_path / "out", docs=built)
    with hosting(tmp_path / "out") as url:
        tab.goto(url)
        tab.get_by_role("link", name="Docs", exact=True).click()
        expect(tab.locator("h1")).to_have_text("Docs")


def test_serve__docs_of_something_else__one_line(shown: Shown, tmp_path: Path) -> None:
    asked = ["serve", "--data", str(shown.data.root), "--docs", str(tmp_path)]

    done = CliRunner().invoke(main, asked)

    assert done.exit_code == 1
    assert "make docs-build" in done.output
