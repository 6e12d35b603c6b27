"""The exported page, hosted by a server that knows nothing."""

import contextlib
import csv
import http.server
import io
import json
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner
from playwright.sync_api import BrowserContext, expect

from tallystick.cli.serve import export as command
from tallystick.dashboard.export import MARK, ExportError, export
from tallystick.dashboard.live import Live
from tallystick.dashboard.snapshot import Snapshot
from tests.dashboard.conftest import Visit
from tests.support.shown import Shown


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def hosting(folder: Path) -> Iterator[str]:
    handler = partial(Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


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
    with hosting(exported.parent) as url:
        yield f"{url}/{exported.name}"


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
    asked = elsewhere.page.locator("[data-asked]")
    expect(asked).to_contain_text("was not asked: an exported page asks no node")


def test_export__receipt_of_an_older_batch__says_what_the_export_lacks(
    browser: BrowserContext, snapshot: Snapshot, shown: Shown, tmp_path: Path
) -> None:
    export(snapshot, tmp_path / "small", most=1)
    held = {path.stem for path in (tmp_path / "small").glob("api/v1/batches/*/*/*.json")}
    receipts = [line for lines in shown.receipts.values() for line in lines]
    older = next(one for one in receipts if json.loads(one)["batch"]["id"] not in held)
    with hosting(tmp_path / "small") as url:
        visit = Visit(browser.new_page(), url)
        visit.go("check")
        visit.page.get_by_label("Paste a receipt").fill(older)
        visit.page.get_by_role("button", name="Check", exact=True).click()

        expect(visit.page.locator("[data-verdict=good]")).to_have_count(1)
        expect(visit.page.locator("[data-chain=missing]")).to_contain_text("older than the newest")
        row = next(one for one in snapshot.networks() if one["name"] == "Agora")
        agora = "/".join(str(row[name]) for name in ("chain_id", "core", "network_id"))
        visit.go(f"number/{agora}/committed")
        expect(visit.page.locator("main")).to_contain_text("has the newest 1 of 4 events")
        visit.page.close()


def test_export__opened_as_a_file__says_what_to_do(browser: BrowserContext, exported: Path) -> None:
    page = browser.new_page()

    page.goto((exported / "index.html").as_uri())

    expect(page.locator("main")).to_contain_text("python -m http.server")
    page.close()


def test_export__lists__as_csv_by_state(exported: Path, elsewhere: Visit) -> None:
    elsewhere.go("disputes")

    links = elsewhere.page.locator("a[download]").evaluate_all("all => all.map((one) => one.href)")

    assert len(links) == len(set(links)) == 3
    for link in links:
        found = (exported / link.removeprefix(f"{elsewhere.site}/")).read_text().splitlines()
        assert found[0].startswith("chain_id,core,network_id,")
    opened, past, _ = (
        len(list(csv.reader(io.StringIO(text))))
        for text in (
            (exported / link.removeprefix(f"{elsewhere.site}/")).read_text() for link in links
        )
    )
    assert (opened, past) == (2, 3)


def test_export__files__answer_what_the_server_answers(exported: Path, snapshot: Snapshot) -> None:
    found = json.loads((exported / "api/v1/networks.0.json").read_text())

    assert found["version"] == snapshot.version
    assert (found["ranked"], found["none_ranked"]) == (1, "")
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
    assert len(pages) == 5
    assert max(len(json.loads(page.read_text())["rows"]) for page in pages) == 2


def test_command__no_data__one_line(tmp_path: Path) -> None:
    done = CliRunner().invoke(command, [str(tmp_path / "public"), "--data", str(tmp_path)])

    assert done.exit_code == 1
    assert "error: " in done.output
    assert "holds no events" in done.output
