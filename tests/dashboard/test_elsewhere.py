"""Networks that live elsewhere: the API's answer, the page's table, the export's file."""

import json
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import BrowserContext, expect

from tallystick.dashboard.app import create_app
from tallystick.dashboard.export import export
from tallystick.dashboard.live import Live
from tallystick.networks import state
from tallystick.networks.state import State
from tallystick.networks.verdicts import Verdict, judged
from tests.dashboard.conftest import Visit
from tests.support.shown import Shown, served

HOSTILE = "<img src=x onerror=alert(1)>"


def findings(*counted: tuple[Verdict, int]) -> pa.Table:
    claims = pa.table(
        {"day": [date(2026, 1, 1)] * len(counted), "chain_id": [16661] * len(counted)}
    )
    return judged(claims, [verdict for verdict, _ in counted], [count for _, count in counted])


@pytest.fixture(scope="module")
def elsewhere(shown: Shown, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's folder, and two networks in it."""
    root = tmp_path_factory.mktemp("elsewhere") / "data"
    shutil.copytree(shown.data.root, root)
    zero_g = State("0g", "0g", "0G Compute", "settlement", {"16661": 99}, {}, 1, {"fees": 10**30})
    counted = findings((("enclave", ""), 5), (("rejected", HOSTILE), 2), (("chain-checked", ""), 3))
    state.write(root, zero_g, counted)
    failed = State("olas", "olas", "Olas", "request", {}, {"100": "https://node/SECRET is down"})
    state.write(root, failed, findings())
    return root


@pytest.fixture(scope="module")
def answers(elsewhere: Path) -> Iterator[TestClient]:
    with TestClient(create_app(Live(elsewhere))) as found:
        yield found


def test_elsewhere__followed__claimed_beside_verified_with_its_unit(answers: TestClient) -> None:
    found = answers.get("/api/v1/elsewhere").json()["networks"]

    assert [(one["name"], one["unit"]) for one in found] == [
        ("0g", "settlement"),
        ("olas", "request"),
    ]
    assert (found[0]["claimed"], found[0]["verified"], found[0]["chain_checked"]) == (10, 5, 3)
    assert found[0]["measures"] == {"fees": str(10**30)}


def test_elsewhere__chain_failed__is_named_without_the_nodes_words(answers: TestClient) -> None:
    answer = answers.get("/api/v1/elsewhere")

    assert answer.json()["networks"][1]["behind"] == ["100"]
    assert "SECRET" not in answer.text


def test_elsewhere__followed_again__is_a_new_answer(elsewhere: Path, tmp_path: Path) -> None:
    root = tmp_path / "data"
    shutil.copytree(elsewhere, root)
    live = Live(root)
    with TestClient(create_app(live)) as client:
        before = client.get("/api/v1/elsewhere")
        known = state.read(root, "0g")
        assert known is not None
        more = State("0g", "0g", "0G Compute", "settlement", {"16661": 100})
        state.write(root, more, findings((("enclave", ""), 6)))
        live.look()
        after = client.get("/api/v1/elsewhere", headers={"If-None-Match": before.headers["ETag"]})

    assert (before.status_code, after.status_code) == (200, 200)
    assert after.json()["networks"][0]["verified"] == 6


def test_elsewhere__nothing_followed__is_an_empty_list(client: TestClient) -> None:
    assert client.get("/api/v1/elsewhere").json()["networks"] == []


def test_export__followed__has_the_same_answer(
    elsewhere: Path, answers: TestClient, tmp_path: Path
) -> None:
    export(Live(elsewhere).snapshot, tmp_path / "site", most=10)

    written = json.loads((tmp_path / "site/api/v1/elsewhere.json").read_text())
    assert written == answers.get("/api/v1/elsewhere").json()


def test_page__elsewhere__a_row_a_network_with_its_unit_and_strangers_words_as_text(
    elsewhere: Path, browser: BrowserContext
) -> None:
    with served(create_app(Live(elsewhere))) as url:
        visit = Visit(browser.new_page(), url)
        visit.go("elsewhere")
        rows = visit.page.locator("tbody tr")
        expect(rows).to_have_count(2)
        cells = rows.nth(0).locator("th, td").all_inner_texts()
        rows.nth(0).locator("summary").click()
        expect(rows.nth(0).locator("li", has_text=HOSTILE)).to_be_visible()
        expect(rows.nth(1)).to_contain_text("could not bring all of it up to date")
        visit.page.close()

    assert cells[1:5] == ["settlement", "10", "5", "5"]
    assert (visit.errors, visit.strangers) == ([], [])
