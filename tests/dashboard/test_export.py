"""The exported page, hosted by a server that knows nothing."""

import http.server
import json
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner
from playwright.sync_api import BrowserContext, expect

from tallystick.console.serve import export as command
from tallystick.dashboard.export import MARK, ExportError, export
from tallystick.dashboard.live import Live
from tallystick.dashboard.snapshot import Snapshot
from tests.dashboard.conftest import Visit
from tests.support.shown import Shown


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def snapshot(live: Live) -> Snapshot:
    return live.snapshot


@pytest.fixture(scope="module")
def exported(snapshot: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported") / "deep" / "down"
    export(snapshot, folder)
    return folder


@pytest.fixture(scope="module")
def hosted(exported: Path) -> Iterator[str]:
    """Below a folder, as a project's pages are."""
    handler = partial(Quiet, directory=exported.parent)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/{exported.name}"
        server.shutdown()


@pytest.fixture
def elsewhere(browser: BrowserContext, hosted: str) -> Iterator[Visit]:
    page = browser.new_page()
    yield Visit(page, hosted)
    page.close()


def test_export__each_link__leads_to_a_page(elsewhere: Visit, screenshots: Path) -> None:
    todo, seen = [""], set[str]()
    while todo:
        route = todo.pop()
        if route in seen:
            continue
        seen.add(route)
        elsewhere.go(route)
        assert elsewhere.page.locator("main [role=alert]").count() == 0, route
        links = elsewhere.page.locator("a[href^='#/']").evaluate_all(
            "all => all.map((one) => one.getAttribute('href').slice(2))"
        )
        # A page of each kind and network; all of them are made alike.
        kinds = {tuple(one.split("/")[:1] + one.split("/")[4:]) for one in seen | set(todo)}
        for link in links:
            kind = tuple(link.split("/")[:1] + link.split("/")[4:])
            if link.split("/")[0] == "network" or kind not in kinds:
                kinds.add(kind)
                todo.append(link)
        if not route:
            elsewhere.page.screenshot(path=screenshots / "export.png", full_page=True)

    assert {"", "check", "disputes", "counting"} <= {route.split("/")[0] for route in seen}
    assert {"network", "number", "batch"} <= {route.split("/")[0] for route in seen}
    assert elsewhere.strangers == []
    assert elsewhere.errors == []


def test_export__receipt__checked_without_any_server(elsewhere: Visit, shown: Shown) -> None:
    elsewhere.go("check")

    elsewhere.page.get_by_label("Paste a receipt").fill(shown.receipts["cyd"][7])
    elsewhere.page.get_by_role("button", name="Check", exact=True).click()

    expect(elsewhere.page.locator("[data-verdict=good]")).to_have_count(1)
    expect(elsewhere.page.locator("[data-chain=committed]")).to_have_count(1)


def test_export__files__answer_what_the_server_answers(exported: Path, snapshot: Snapshot) -> None:
    found = json.loads((exported / "api/v1/networks.0.json").read_text())

    assert found["version"] == snapshot.version
    assert [row["verified"] for row in found["rows"]] == [
        row["verified"] for row in snapshot.networks()
    ]


def test_export__folder_of_something_else__is_refused(snapshot: Snapshot, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")

    with pytest.raises(ExportError, match="holds something else"):
        export(snapshot, tmp_path)

    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_command__export__in_place_of_an_older_one(shown: Shown, tmp_path: Path) -> None:
    (tmp_path / MARK).touch()
    (tmp_path / "left.txt").touch()
    asked = [str(tmp_path), "--data", str(shown.data.root), "--rows", "2"]

    done = CliRunner().invoke(command, asked)

    assert done.exit_code == 0, done.output
    assert not (tmp_path / "left.txt").exists()
    pages = sorted((tmp_path / "api/v1/networks").rglob("batches.*.json"))
    assert len(pages) == 4
    assert max(len(json.loads(page.read_text())["rows"]) for page in pages) == 2


def test_command__no_data__one_line(tmp_path: Path) -> None:
    done = CliRunner().invoke(command, [str(tmp_path / "public"), "--data", str(tmp_path)])

    assert done.exit_code == 1
    assert "error: " in done.output
    assert "holds no events" in done.output
