"""A network's charts: their numbers are the API's, and the API's those of totals and contract."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import BrowserContext, expect

from tallystick.dashboard.app import create_app
from tallystick.dashboard.live import Live
from tallystick.dashboard.margins import MarginFiles
from tallystick.data.analysis import Analysis
from tallystick.protocol.hexes import from_hex
from tallystick.protocol.verdicts import Verdict
from tallystick.storage.margins_file import MarginNote, MarginsFile
from tests.dashboard.conftest import Visit
from tests.dashboard.test_page import AXE
from tests.support.shown import Shown, served
from tests.support.synthetic import write

API = "/api/v1"


@pytest.fixture(scope="module")
def networks(client: TestClient) -> dict[str, dict[str, Any]]:
    rows = client.get(f"{API}/networks").json()["rows"]
    return {row["name"]: row for row in rows}


def path_of(row: dict[str, Any]) -> str:
    return f"{row['chain_id']}/{row['core']}/{row['network_id']}"


def rows_of(client: TestClient, network: dict[str, Any], part: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = client.get(f"{API}/networks/{path_of(network)}/{part}").json()[
        "rows"
    ]
    return rows


def violations(visit: Visit) -> list[str]:
    session = visit.page.context.new_cdp_session(visit.page)
    session.send("Runtime.evaluate", {"expression": AXE.read_text()})
    found = visit.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [one["id"] for one in found["violations"] if one["impact"] in ("serious", "critical")]


def test_prices__every_network__are_the_sums_of_their_terms(
    client: TestClient, networks: dict[str, dict[str, Any]]
) -> None:
    amounts = 0
    for network in networks.values():
        for row in rows_of(client, network, "prices"):
            assert row["price"] == network[f"price_{row['grade']}"]
            assert row["because"] == network[f"price_{row['grade']}_because"]
            if row["price"].isdigit():
                amounts += 1
                assert sum(int(term["amount"]) for term in row["terms"]) == int(row["price"])
            else:
                assert row["terms"] == []
    assert amounts > 2


def test_requesters__each_network__are_what_its_measures_rest_on(
    client: TestClient, networks: dict[str, dict[str, Any]], shown: Shown
) -> None:
    by_account = Analysis(shown.data.root).requesters().to_pylist()
    for network in networks.values():
        rows = rows_of(client, network, "requesters")
        signed = {
            row["requester"]: row["inferences"]
            for row in by_account
            if row["network_id"] == network["network_id"] and row["solicited"]
        }
        assert {row["requester"]: row["asked"] for row in rows} == signed
        assert len(rows) == (network["requesters"] or 0)
        if rows:
            assert rows[0]["share"] == pytest.approx(network["top_share"])
            assert sum(row["share"] ** 2 for row in rows) == pytest.approx(network["herfindahl"])
    assert rows_of(client, networks["Bourse"], "requesters")


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_price__on_the_page__terms_add_up_to_the_number(
    visit: Visit, networks: dict[str, dict[str, Any]], colours: Any
) -> None:
    visit.page.emulate_media(color_scheme=colours)
    visit.go(f"network/{path_of(networks['Forum'])}")

    priced = visit.page.locator("[data-grade-price=audited]")
    terms = priced.locator("[data-term-amount]").evaluate_all(
        "all => all.map((one) => one.dataset.termAmount)"
    )
    assert len(terms) == 3
    assert sum(map(int, terms)) == int(networks["Forum"]["price_audited"])
    assert priced.locator(".total dd").inner_text() == priced.locator("a").first.inner_text()
    assert violations(visit) == []
    assert visit.errors == []


def test_audited_share__on_the_page__is_that_of_totals_and_of_the_contract(
    visit: Visit, client: TestClient, networks: dict[str, dict[str, Any]], shown: Shown
) -> None:
    agora, page = networks["Agora"], visit.page
    totals = Analysis(shown.data.root).totals(by=["day"]).to_pylist()
    of_days = {
        str(row["day"]): (row["audited"], row["unchallenged"])
        for row in totals
        if row["network_id"] == agora["network_id"]
    }
    (core,) = client.get(f"{API}/coverage").json()["cores"]
    assert core["compared_block"] is not None, "the contract was not asked"
    visit.go(f"network/{path_of(agora)}")

    card = page.get_by_label("Audited share, day by day", exact=True).first
    line = card.locator(".readout").inner_text()
    card.get_by_role("button", name="Table").click()
    shown_rows = card.locator("tbody tr")

    assert shown_rows.count() == len(of_days)
    for row in range(shown_rows.count()):
        cells = [shown_rows.nth(row).locator("th").inner_text()]
        cells += shown_rows.nth(row).locator("td").all_inner_texts()
        day, share, audited, unchallenged = (cell.strip().split("\n")[-1] for cell in cells)
        counts = int(audited.replace(",", "")), int(unchallenged.replace(",", ""))
        assert counts == of_days[day]
        told = f"{100 * counts[0] / sum(counts):.1f} %" if sum(counts) else "not available"
        assert share == told
        if not row:
            assert told in line
    assert sum(audited for audited, _ in of_days.values()) == agora["audited"] > 0


def test_requesters__by_keyboard_and_as_a_table__are_the_apis(
    visit: Visit, client: TestClient, networks: dict[str, dict[str, Any]]
) -> None:
    bourse, page = networks["Bourse"], visit.page
    rows = rows_of(client, bourse, "requesters")
    page.set_viewport_size({"width": 360, "height": 740})
    visit.go(f"network/{path_of(bourse)}")
    card = page.locator("section[aria-label='Requesters']")
    line = card.locator(".readout")

    expect(line).to_contain_text(f"{rows[0]['share']:.1%}".replace("%", " %"))
    card.locator("[role=img][tabindex='0']").focus()
    page.keyboard.press("ArrowRight")
    expect(line).to_contain_text(f"{rows[1]['asked']:,}")
    assert rows[1]["requester"] in line.locator(".id").get_attribute("title")  # type: ignore[operator]
    card.get_by_role("button", name="Table").click()

    shown_rows = card.locator("tbody tr")
    assert shown_rows.count() == len(rows)
    counts = card.locator("tbody td:nth-child(2)").all_inner_texts()
    assert [int(one.split("\n")[-1].replace(",", "")) for one in counts] == [
        row["asked"] for row in rows
    ]
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_charts__no_data__a_sentence_and_the_next_command(
    visit: Visit, networks: dict[str, dict[str, Any]]
) -> None:
    commons = networks["Commons"]
    visit.go(f"network/{path_of(commons)}")

    none = visit.page.locator(".card .none")
    said = " ".join(none.all_inner_texts())
    assert "No requester signed" in said or "tallystick collect" in said
    for card in visit.page.locator(".card:has(.none)").all():
        assert card.locator("canvas").count() == 0


@pytest.fixture(scope="module")
def measured(
    shown: Shown, client: TestClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, list[dict[str, Any]], dict[str, Any]]]:
    """A site with a file of margins; the file's rows, and the network that they are of."""
    file = tmp_path_factory.mktemp("margins") / "margins.jsonl"
    networks = client.get(f"{API}/networks").json()["rows"]
    bourse = next(row for row in networks if row["name"] == "Bourse")
    batches = rows_of(client, bourse, "batches")
    MarginsFile(file).add(
        MarginNote(
            batch_id=from_hex(one["batch_id"]),
            leaf_index=leaf,
            operator=from_hex(one["operator"]),
            model_id=from_hex(one["model_id"]),
            verdict=Verdict.GOOD,
            tokens=100 * (1 + leaf),
            mean=0.05 * (1 + place + leaf),
            largest=1.5,
            mismatches=2,
            kernel="avx2",
        )
        for place, one in enumerate(batches)
        for leaf in range(2)
    )
    app = create_app(Live(shown.data.root), every=60, margins=MarginFiles([file]))
    with served(app) as url:
        yield url, batches, bourse


def test_drift__margins_files__m_of_each_operator_by_day(
    browser: BrowserContext, measured: tuple[str, list[dict[str, Any]], dict[str, Any]]
) -> None:
    url, batches, bourse = measured
    visit = Visit(browser.new_page(), url)
    page = visit.page
    visit.go(f"network/{path_of(bourse)}")
    answer = page.request.get(f"{url}{API}/networks/{path_of(bourse)}/drift").json()

    assert sum(row["answers"] for row in answer["rows"]) == 2 * len(batches)
    card = page.locator("section[aria-label='Distance of answers, day by day']")
    lines = card.locator("[data-line]")
    assert lines.count() == len({row["operator"] for row in answer["rows"]}) > 1
    for row in answer["rows"]:
        name = f"{row['operator'][:8]}…{row['operator'][-4:]}"
        expect(card.locator(f"[data-line='{name}']")).to_contain_text(f"{row['mean']:.3f}")
    card.get_by_role("button", name="Table").click()
    assert card.locator("tbody tr").count() == len(answer["rows"])
    assert violations(visit) == []
    assert visit.errors == []
    page.close()


def test_range__of_a_chart__pressed__shows_these_days(
    browser: BrowserContext, tmp_path: Path
) -> None:
    write(tmp_path / "data", 30_000)
    live = Live(tmp_path / "data")
    key = live.snapshot.network_keys()[0]
    with served(create_app(live, every=60)) as url:
        visit = Visit(browser.new_page(), url)
        visit.go(f"network/{key.path}")
        card = visit.page.locator("section[aria-label='What closed each day']")

        card.get_by_role("button", name="30 d", exact=True).click()
        card.get_by_role("button", name="Table").click()

        assert card.locator("tbody tr").count() == 30
        day = json.loads(
            visit.page.request.get(f"{url}{API}/networks/{key.path}/days?limit=1000").text()
        )["rows"][-1]
        first = card.locator("tbody tr").first
        assert first.locator("th").inner_text() == day["day"]
        counts = [int(one.replace(",", "")) for one in first.locator("td").all_inner_texts()]
        names = ("audited", "enclave", "proven", "unchallenged", "unresolved", "rejected")
        assert counts == [day[name] for name in names]
        card.get_by_role("button", name="90 d", exact=True).click()
        assert card.locator("tbody tr").count() == 90
        visit.page.close()
