"""Disputes, one by one: the API against the registry's events, and the page against the API."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import expect

from tallystick.chain.logs import read_events
from tallystick.protocol import events
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.ledger import Ledger
from tests.dashboard.conftest import Visit
from tests.support.shown import Shown

API = "/api/v1"
OPENINGS = (events.BatchChallenged, events.BatchDemanded)
ENDINGS = (
    events.ChallengeUpheld,
    events.ChallengeLapsed,
    events.LeafRevealed,
    events.BatchRejected,
)


def path_of(row: dict[str, Any]) -> str:
    return f"{row['chain_id']}/{row['core']}/{row['batch_id']}/{row['number']}"


@pytest.fixture(scope="module")
def told(shown: Shown, client: TestClient) -> dict[tuple[str, int], list[Any]]:
    """The events of each dispute as the chain has them: what opened it, what ended it."""
    found: dict[str, list[list[Any]]] = {}
    w3 = shown.world.w3
    for event in read_events(w3, shown.contract.address, 0, w3.eth.block_number):
        batch = to_hex(getattr(event, "batch_id", b""))
        if isinstance(event, OPENINGS):
            found.setdefault(batch, []).append([event])
        elif isinstance(event, ENDINGS) and batch in found and len(found[batch][-1]) == 1:
            found[batch][-1].append(event)
    return {
        (batch, number): own
        for batch, every in found.items()
        for number, own in enumerate(every, 1)
    }


def test_disputes__each__is_its_events_and_the_amounts_of_its_rules(
    client: TestClient, ledger: Ledger, told: dict[tuple[str, int], list[Any]]
) -> None:
    rows = client.get(f"{API}/disputes").json()["rows"]

    assert {(row["batch_id"], row["number"]) for row in rows} == set(told)
    for row in rows:
        found = client.get(f"{API}/disputes/{path_of(row)}").json()
        opened, *ended = told[row["batch_id"], row["number"]]
        batch = ledger.batches[opened.batch_id]
        rules = ledger.networks[opened.network_id].rules
        bond = {"challenge": rules.challenge_bond, "demand": rules.demand_bond}
        assert [one["event"] for one in found["steps"]] == [
            type(one).__name__ for one in (opened, *ended)
        ]
        assert int(found["bond"]) == bond[found["kind"]]
        assert int(found["at_stake"]) == rules.stake_per_inference * batch.batch.count
        assert found["arbiter"] == to_hex(rules.arbiter)
        assert found["leaf_index"] == opened.leaf_index
        assert found["model_id"] == to_hex(batch.batch.model_id)
        assert found["batch_state"] == batch.state.name.lower()
        for one, event in zip(found["steps"][1:], ended, strict=True):
            for name in ("credited", "burned", "returned", "reward", "bond"):
                if hasattr(event, name):
                    assert int(one[name]) == getattr(event, name)


@pytest.mark.parametrize("number", [2, 99])
def test_disputes__number_that_there_is_not__404(client: TestClient, number: int) -> None:
    row = client.get(f"{API}/disputes").json()["rows"][0]

    answer = client.get(f"{API}/disputes/{path_of(row | {'number': number})}")

    assert answer.status_code == 404
    assert answer.json()["detail"].startswith(f"no event tells of dispute {number} of batch")


def test_page__dispute__shows_its_life_sides_and_money(visit: Visit, client: TestClient) -> None:
    page = visit.page
    points = {"revealed": "done", "upheld": "done", "rejected": "ended", None: "possible"}
    for row in client.get(f"{API}/disputes").json()["rows"]:
        found = client.get(f"{API}/disputes/{path_of(row)}").json()
        visit.go("disputes")
        page.locator(f"a[href='#/dispute/{path_of(row)}']").first.click()
        expect(page.locator("h1")).to_contain_text(f"{found['kind'].capitalize()} {row['number']}")

        life = page.locator(".life li")
        assert life.nth(2).get_attribute("class") == points[row["ended_as"]]
        main = page.locator("main")
        expect(main).to_contain_text(found["party"])
        for kind, name in (("operator", "operator"), ("resolver", "arbiter")):
            assert main.locator(f"a[href^='#/{kind}/'][href$='{found[name]}']").count() == 1
        shown = main.locator(".key").nth(1).inner_text()
        assert shown == f"{int(found['bond']) / 10**18:f}".rstrip("0").rstrip(".") + " ETH"
    assert visit.errors == []
