"""Operators: the API against the ledger, and the page against the API."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient

from tallystick.cli.totals import totals as totals_command
from tallystick.dashboard.live import Live
from tallystick.protocol.enums import Outcome, State
from tallystick.protocol.hexes import from_hex, to_hex
from tallystick.protocol.ledger import Ledger
from tests.dashboard.conftest import Visit
from tests.dashboard.test_api import COUNTERS
from tests.support.shown import Shown

API = "/api/v1"
PARTS = [("operator", "operator", "operators"), ("model", "model_id", "models")]
"""Splits of `tallystick totals`, their column, and where the API has one of them."""


def path_of(client: TestClient, operator: str) -> str:
    (core,) = client.get(f"{API}/coverage").json()["cores"]
    return f"operators/{core['chain_id']}/{core['core']}/{operator}"


def operators(ledger: Ledger) -> list[str]:
    return sorted({to_hex(operator) for _, operator in ledger.lanes})


def test_operators__each_lane__counts_what_the_ledger_does(
    client: TestClient, ledger: Ledger
) -> None:
    assert len(operators(ledger)) > 5
    for operator in operators(ledger):
        found = client.get(f"{API}/{path_of(client, operator)}").json()
        own = [one for one in ledger.batches.values() if to_hex(one.batch.operator) == operator]

        assert found["batches"] == len(own)
        assert found["rejections"] == sum(one.state is State.REJECTED for one in own)
        assert found["disputes_open"] == sum(one.state is State.DISPUTED for one in own)
        lanes = {one["network_id"]: one for one in found["lanes"]}
        assert set(lanes) == {
            to_hex(network)
            for (network, held), lane in ledger.lanes.items()
            if to_hex(held) == operator and (lane.stake or lane.next_index)
        }
        for network_id, lane in lanes.items():
            batches = [one for one in own if to_hex(one.batch.network_id) == network_id]
            held = ledger.lanes[from_hex(network_id), from_hex(operator)]
            assert lane["committed"] == sum(one.batch.count for one in batches)
            assert lane["open"] == held.open_inferences
            assert int(lane["stake"]) == held.stake
            for outcome in Outcome:
                final = [one for one in batches if one.state is State.FINAL]
                counted = sum(one.batch.count for one in final if one.outcome is outcome)
                assert lane[outcome.name.lower()] == counted
            rejected = sum(one.batch.count for one in batches if one.state is State.REJECTED)
            assert lane["rejected"] == rejected
            rules = ledger.networks[from_hex(network_id)].rules
            assert int(lane["lost"]) == rejected * rules.stake_per_inference


@pytest.mark.parametrize(("by", "column", "kind"), PARTS)
def test_parts__each__equals_the_command(
    client: TestClient, shown: Shown, tmp_path: Path, by: str, column: str, kind: str
) -> None:
    file = tmp_path / "totals.json"
    asked = ["--data", str(shown.data.root), "--by", by, "--json", "--output", str(file)]
    assert CliRunner().invoke(totals_command, asked).exit_code == 0

    printed = json.loads(file.read_text())
    assert len(printed) > 4
    for row in printed:
        registry = f"{row['chain_id']}/{row.get('core') or row['address']}"
        found = client.get(f"{API}/{kind}/{registry}/{row[column]}").json()
        lanes = {one["network_id"]: one for one in found.get("lanes", [found])}
        shown_row = lanes[row["network_id"]]
        assert [shown_row[name] for name in COUNTERS] == [row[name] for name in COUNTERS]


def test_operators__known_verified__is_of_known_resolvers_alone(client: TestClient) -> None:
    for network in client.get(f"{API}/networks").json()["rows"]:
        path = f"{network['chain_id']}/{network['core']}/{network['network_id']}"
        lanes = []
        for row in client.get(f"{API}/networks/{path}/operators").json()["rows"]:
            found = client.get(f"{API}/{path_of(client, row['operator'])}").json()
            lanes += [one for one in found["lanes"] if one["network_id"] == network["network_id"]]
        assert sum(one["known_verified"] for one in lanes) == network["known_verified"]
        assert {one["resolvers"] for one in lanes} == {network["resolvers"]}


def test_operators__key_set__told_with_the_block_from_which_it_holds(
    client: TestClient, shown: Shown, live: Live
) -> None:
    griefer, key = shown.world.senders["griefer"].address, b"\x07" * 20
    sent = shown.world.send("griefer", "setKey", key)
    shown.bring()
    live.look()

    found = client.get(f"{API}/{path_of(client, to_hex(griefer))}").json()

    assert shown.world.ledger().key_of(griefer) == key
    last = found["keys"][-1]
    assert (last["key"], last["block_number"]) == (to_hex(key), sent.block_number)


@pytest.mark.parametrize("name", ["", "/batches", "/disputes", "/rejections"])
def test_operators__whom_no_event_names__404(client: TestClient, name: str) -> None:
    answer = client.get(f"{API}/{path_of(client, '0x' + '9' * 40)}{name}")

    assert answer.status_code == 404
    assert answer.json()["detail"] == f"no event tells of operator 0x{'9' * 40}"


def test_operators__lists__are_of_this_operator_alone(client: TestClient, ledger: Ledger) -> None:
    def whole(name: str, operator: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = client.get(f"{API}/{path_of(client, operator)}/{name}").json()[
            "rows"
        ]
        return rows

    for name, path in (("disputes", "disputes"), ("rejections", "rejections")):
        every = client.get(f"{API}/{path}").json()["rows"]
        listed = [row for one in operators(ledger) for row in whole(name, one)]
        assert len(listed) == len(every) > 0
        assert all(row in every for row in listed)
    for operator in operators(ledger):
        batches = whole("batches", operator)
        own = {
            to_hex(key)
            for key, one in ledger.batches.items()
            if to_hex(one.batch.operator) == operator
        }
        assert {row["batch_id"] for row in batches} == own
        blocks = [row["block_number"] for row in batches]
        assert blocks == sorted(blocks, reverse=True)


def test_page__operator__figures_are_the_apis(
    visit: Visit, client: TestClient, ledger: Ledger
) -> None:
    operator = next(
        one
        for one in operators(ledger)
        if client.get(f"{API}/{path_of(client, one)}").json()["rejections"]
    )
    path = path_of(client, operator)
    found = client.get(f"{API}/{path}").json()
    visit.go(path.replace("operators", "operator"))
    page = visit.page

    keys = [int(one) for one in page.locator(".key").all_inner_texts()]
    assert keys == [
        len(found["lanes"]),
        found["batches"],
        found["rejections"],
        found["disputes_open"],
    ]
    for lane in found["lanes"]:
        line = page.locator("tr", has=page.locator(f"th a[href$='{lane['network_id']}']")).first
        for name in ("verified", "audited", "unchallenged", "rejected", "open"):
            link = line.locator(f"a[href*='/{name}/operator/{operator}']")
            assert int(link.inner_text().replace(",", "")) == lane[name]
        line.locator("a[href*='/verified/operator/']").click()
        shown = page.locator("strong[data-value]").get_attribute("data-value")
        assert shown == str(lane["verified"])
        page.go_back()
