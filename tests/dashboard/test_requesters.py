"""Requesters: the API against analysis, ledger and receipts, and the page against the API."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tallystick.dashboard.live import Live
from tallystick.data.analysis import Analysis
from tallystick.protocol.enums import State
from tallystick.protocol.hexes import from_hex
from tallystick.protocol.ledger import Ledger
from tests.dashboard.conftest import Visit
from tests.support.shown import Shown

API = "/api/v1"
OUTCOMES = ("open", "unchallenged", "audited", "enclave", "proven", "rejected", "unresolved")


@pytest.fixture(scope="module")
def analysed(shown: Shown) -> dict[str, dict[str, dict[str, Any]]]:
    """Rows of the analysis of who signed, by requester and network."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for row in Analysis(shown.data.root).requesters().to_pylist():
        if row["solicited"]:
            found.setdefault(row["requester"], {})[row["network_id"]] = row
    return found


def path_of(live: Live, requester: str) -> str:
    (held,) = live.snapshot.coverage
    return f"requesters/{held.contract.chain_id}/0x{held.contract.address.hex()}/{requester}"


def test_requesters__each__equal_the_analysis_and_the_networks_share(
    client: TestClient, live: Live, analysed: dict[str, dict[str, dict[str, Any]]]
) -> None:
    networks = {row["network_id"]: row for row in client.get(f"{API}/networks").json()["rows"]}
    shares: dict[str, list[float]] = {}

    assert len(analysed) > 5
    for requester, rows in analysed.items():
        found = client.get(f"{API}/{path_of(live, requester)}").json()
        assert {one["network_id"] for one in found["networks"]} == set(rows)
        assert found["asked"] == sum(row["inferences"] for row in rows.values())
        for one in found["networks"]:
            row = rows[one["network_id"]]
            assert one["asked"] == row["inferences"]
            assert [one[name] for name in OUTCOMES] == [row[name] for name in OUTCOMES]
            shares.setdefault(one["network_id"], []).append(one["share"])
    for network_id, found in shares.items():
        assert sum(found) == pytest.approx(1)
        assert max(found) == pytest.approx(networks[network_id]["top_share"])
        assert len(found) == networks[network_id]["requesters"]
        assert sum(one * one for one in found) == pytest.approx(networks[network_id]["herfindahl"])


def test_requesters__inferences__stand_as_the_ledger_and_receipts_have_them(
    client: TestClient,
    live: Live,
    shown: Shown,
    ledger: Ledger,
    analysed: dict[str, dict[str, dict[str, Any]]],
) -> None:
    receipts = [json.loads(line) for lines in shown.receipts.values() for line in lines]
    held = {(one["batch"]["id"], one["inference"]["requester"]) for one in receipts}
    for requester in analysed:
        page = client.get(f"{API}/{path_of(live, requester)}/inferences?limit=10000").json()
        assert page["total"] == len(page["rows"])
        for row in page["rows"]:
            batch = ledger.batches[from_hex(row["batch_id"])]
            over = batch.state is State.FINAL
            assert row["outcome"] == (batch.outcome.name.lower() if over else None)
            assert row["state"] == {State.DISPUTED: "open"}.get(
                batch.state, batch.state.name.lower()
            )
            assert 0 <= row["leaf_index"] < batch.batch.count
        places = [(row["batch_id"], row["leaf_index"]) for row in page["rows"]]
        assert len(set(places)) == len(places)
        assert {batch for batch, of in held if of == requester} <= {place[0] for place in places}


def test_requesters__of_a_network__are_all_who_signed_there_most_first(
    client: TestClient, analysed: dict[str, dict[str, dict[str, Any]]]
) -> None:
    for network in client.get(f"{API}/networks").json()["rows"]:
        path = f"{network['chain_id']}/{network['core']}/{network['network_id']}"
        rows = client.get(f"{API}/networks/{path}/requesters").json()["rows"]
        signed = {
            requester: of[network["network_id"]]
            for requester, of in analysed.items()
            if network["network_id"] in of
        }
        assert {row["requester"]: row["asked"] for row in rows} == {
            requester: row["inferences"] for requester, row in signed.items()
        }
        for row in rows:
            own = signed[row["requester"]]
            assert row["verified"] == own["audited"] + own["enclave"] + own["proven"]
            assert row["rejected"] == own["rejected"]
        asked = [row["asked"] for row in rows]
        assert asked == sorted(asked, reverse=True)
        assert not rows or rows[0]["share"] == pytest.approx(network["top_share"])


@pytest.mark.parametrize("name", ["", "/inferences"])
@pytest.mark.parametrize("requester", ["0x" + "9" * 40, "0x" + "0" * 40])
def test_requesters__whom_no_data_names__are_not_there_rather_than_zero(
    client: TestClient, live: Live, requester: str, name: str
) -> None:
    answer = client.get(f"{API}/{path_of(live, requester)}{name}")

    assert answer.status_code == 404
    assert "no batch data that were found name requester" in answer.json()["detail"]


def test_page__requester__figures_are_the_apis(
    visit: Visit, client: TestClient, live: Live, analysed: dict[str, dict[str, dict[str, Any]]]
) -> None:
    requester = min(analysed)
    path = path_of(live, requester)
    found = client.get(f"{API}/{path}").json()
    visit.go(path.replace("requesters", "requester", 1))
    page = visit.page

    keys = page.locator(".key").all_inner_texts()
    largest = max(one["share"] for one in found["networks"])
    assert keys[0].replace(",", "") == str(found["asked"])
    assert keys[1:3] == [str(len(found["networks"])), f"{100 * largest:.1f} %"]
    row = page.locator("tbody tr", has_text="Bourse").first
    shown = row.locator("td").first.inner_text().splitlines()[0]
    assert int(shown.replace(",", "")) == found["networks"][0]["asked"]
    assert visit.errors == []
