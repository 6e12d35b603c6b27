"""Models: the API against the ledger, and the page against the API."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tallystick.dashboard.live import Live
from tallystick.protocol.enums import Outcome, State
from tallystick.protocol.hexes import from_hex, to_hex
from tallystick.protocol.ledger import Ledger
from tallystick.protocol.rules import model_id
from tests.dashboard.conftest import Visit
from tests.support.shown import Shown

API = "/api/v1"


def found(client: TestClient, model: str, name: str = "") -> Any:
    (core,) = client.get(f"{API}/coverage").json()["cores"]
    return client.get(f"{API}/models/{core['chain_id']}/{core['core']}/{model}{name}")


def test_models__each__counts_what_the_ledger_does(client: TestClient, ledger: Ledger) -> None:
    assert len(ledger.models) >= 5
    for key, model in ledger.models.items():
        row = found(client, to_hex(key)).json()
        own = [one for one in ledger.batches.values() if one.batch.model_id == key]

        assert row["network_id"] == to_hex(model.network_id)
        assert (row["name"], row["uri"]) == (model.name, model.uri)
        assert row["content_hash"] == to_hex(model.content_hash)
        assert row["committed"] == sum(one.batch.count for one in own)
        assert row["batches"] == len(own)
        for outcome in Outcome:
            final = [one for one in own if one.state is State.FINAL and one.outcome is outcome]
            assert row[outcome.name.lower()] == sum(one.batch.count for one in final)
        for operator in row["operators"]:
            run = [one for one in own if to_hex(one.batch.operator) == operator["operator"]]
            assert operator["committed"] == sum(one.batch.count for one in run) > 0
            assert operator["batches"] == len(run)
        assert sum(one["committed"] for one in row["operators"]) == row["committed"]
        listed = found(client, to_hex(key), "/batches").json()["rows"]
        ids = {to_hex(place) for place, one in ledger.batches.items() if one in own}
        assert {one["batch_id"] for one in listed} == ids


def test_models__same_content__is_every_registration_of_it(
    client: TestClient, ledger: Ledger
) -> None:
    for key, model in ledger.models.items():
        same = [
            other for other in ledger.models.values() if other.content_hash == model.content_hash
        ]
        row = found(client, to_hex(key)).json()
        assert {one["model_id"] for one in row["same_content"]} == {to_hex(one.id) for one in same}
        assert row["same_content_total"] == len(same)


def test_models__spec__is_told_only_where_its_text_is_at_hand(
    client: TestClient, ledger: Ledger, shown: Shown
) -> None:
    digits = next(one for one in ledger.models.values() if one.name == "digits")

    assert found(client, to_hex(digits.id)).json()["spec_kind"] == "exact"
    assert found(client, to_hex(shown.model)).json()["spec_kind"] == "not known"


def test_models__versions__hold_who_comes_before_and_after(
    client: TestClient, shown: Shown, live: Live
) -> None:
    owner = shown.world.senders["griefer"].address
    line = [shown.model]
    for number in (2, 3):
        content = bytes([number]) * 32
        made = (shown.hostile, content, b"s" * 32, line[-1])
        shown.world.send("griefer", "registerModel", *made, f"version {number}", "")
        line.append(model_id(shown.hostile, owner, content, b"s" * 32, line[-1]))
    shown.bring()
    live.look()

    for model in line:
        row = found(client, to_hex(model)).json()
        assert [from_hex(one["model_id"]) for one in row["versions"]] == line
        assert row["versions_total"] == 3
    parents = [from_hex(one["parent"]) for one in row["versions"]]
    assert parents == [bytes(32), *line[:-1]]


@pytest.mark.parametrize("name", ["", "/batches"])
def test_models__that_nobody_registered__404(client: TestClient, name: str) -> None:
    answer = found(client, "0x" + "9" * 64, name)

    assert answer.status_code == 404
    assert answer.json()["detail"] == f"no event tells of model 0x{'9' * 64}"


def test_page__model__figures_are_the_apis_and_lead_to_their_events(
    visit: Visit, client: TestClient, ledger: Ledger
) -> None:
    digits = next(one for one in ledger.models.values() if one.name == "digits")
    row = found(client, to_hex(digits.id)).json()
    visit.go(f"model/{row['chain_id']}/{row['core']}/{row['model_id']}")
    page = visit.page

    for name in ("verified", "committed", "audited", "unchallenged", "rejected"):
        link = page.locator(f"a[data-part={name}]").first
        assert int(link.inner_text().replace(",", "")) == row[name]
    page.locator("a[data-part=verified]").first.click()
    shown = page.locator("strong[data-value]").get_attribute("data-value")
    assert shown == str(row["verified"])
    assert visit.errors == []


def test_page__names_that_are_attacks__are_text_that_does_nothing(
    visit: Visit, client: TestClient, shown: Shown
) -> None:
    row = found(client, to_hex(shown.model)).json()
    registry = f"{row['chain_id']}/{row['core']}"
    operator = row["operators"][0]["operator"]
    registered = row["transaction_hash"]
    page = visit.page

    for route in (
        f"model/{registry}/{row['model_id']}",
        f"operator/{registry}/{operator}",
        f"transaction/{row['chain_id']}/{registered}",
    ):
        visit.go(route)
        assert page.evaluate("window.hacked") is None
        assert page.locator("main img, main script, main iframe").count() == 0
        assert page.locator(".stranger svg, [onload], [onerror]").count() == 0
        assert "\u202e" not in page.locator("main").inner_text()
    assert visit.errors == [] and visit.strangers == []
