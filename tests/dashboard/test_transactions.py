"""Transactions: the API against the chain's own receipts, and the page against the API."""

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import expect

from tallystick.chain.logs import decode_log, topics
from tallystick.dashboard.live import Live
from tallystick.dashboard.transactions import transaction_hashes
from tallystick.protocol.hexes import to_hex
from tests.dashboard.conftest import Visit
from tests.support.shown import Shown

API = "/api/v1"


def test_transactions__each__has_the_events_of_its_receipt(
    client: TestClient, live: Live, shown: Shown
) -> None:
    hashes = transaction_hashes(live.snapshot, 1_000)
    read = live.snapshot.events.rows("SELECT transaction_hash, gas_used FROM transactions")
    gas = {row["transaction_hash"]: row["gas_used"] for row in read}

    assert len(hashes) > 30 and len(gas) > 10
    for chain_id, hashed in hashes:
        found = client.get(f"{API}/transactions/{chain_id}/{hashed}").json()
        receipt = shown.world.w3.eth.get_transaction_receipt(hashed)  # type: ignore[arg-type]
        own = [
            (decode_log(log), log["logIndex"])
            for log in receipt["logs"]
            if bytes.fromhex(log["address"][2:]) == shown.contract.address
            and to_hex(bytes(log["topics"][0])) in topics()
        ]
        assert [(one["event"], one["log_index"]) for one in found["events"]] == [
            (type(event).__name__, index) for event, index in own
        ]
        assert found["block_number"] == receipt["blockNumber"]
        assert gas.get(hashed) in (receipt["gasUsed"], None)
        assert found["gas_used"] == gas.get(hashed)
        for one, (event, _) in zip(found["events"], own, strict=True):
            for name in ("network_id", "operator", "batch_id", "count", "amount", "burned"):
                if hasattr(event, name):
                    value = getattr(event, name)
                    text = to_hex(value) if isinstance(value, bytes) else str(value)
                    assert str(one[name]) == text


def test_transactions__disputes__name_what_they_opened_and_ended(client: TestClient) -> None:
    disputes = client.get(f"{API}/disputes").json()["rows"]

    assert len(disputes) == 3
    for row in disputes:
        for place, opened in (("transaction_hash", True), ("end_transaction", False)):
            if row[place]:
                path = f"transactions/{row['chain_id']}/{row[place]}"
                found = client.get(f"{API}/{path}").json()["disputes"]
                assert (row["batch_id"], row["number"], opened) in [
                    (one["batch_id"], one["number"], one["opened"]) for one in found
                ]


@pytest.mark.parametrize("chain", [1, 31337])
def test_transactions__without_an_event__404(client: TestClient, chain: int) -> None:
    answer = client.get(f"{API}/transactions/{chain}/0x{'9' * 64}")

    assert answer.status_code == 404
    assert "no event of a registry is in transaction" in answer.json()["detail"]


def test_page__transaction__leads_to_batch_operator_and_dispute(
    visit: Visit, client: TestClient
) -> None:
    row = client.get(f"{API}/disputes").json()["rows"][-1]
    visit.go(f"transaction/{row['chain_id']}/{row['transaction_hash']}")
    page = visit.page

    registry = f"{row['chain_id']}/{row['core']}"
    links = page.locator("main a").evaluate_all("all => all.map((one) => one.getAttribute('href'))")
    assert f"#/batch/{registry}/{row['batch_id']}" in links
    assert f"#/operator/{registry}/{row['operator']}" in links
    assert f"#/network/{registry}/{row['network_id']}" in links
    page.locator(f"a[href='#/dispute/{registry}/{row['batch_id']}/{row['number']}']").click()
    expect(page.locator("h1")).to_contain_text(f"{row['number']} of batch")
    assert visit.errors == []
