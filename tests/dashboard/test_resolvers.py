"""Resolvers: the API against rules, rejections and pools, and the page against the API."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tallystick.dashboard.live import Live
from tallystick.data.pools.state import SeatsAtBlock
from tallystick.protocol.enums import Cause, State
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.ledger import Ledger
from tests.dashboard.conftest import Visit
from tests.support.shown import Shown

API = "/api/v1"
NOBODY = bytes(20)


def path_of(live: Live, resolver: str) -> str:
    (held,) = live.snapshot.coverage
    return f"resolvers/{held.contract.chain_id}/{to_hex(held.contract.address)}/{resolver}"


def places(ledger: Ledger) -> dict[str, list[tuple[str, str]]]:
    """Network and what it is there for, by resolver."""
    found: dict[str, list[tuple[str, str]]] = {}
    for key, network in ledger.networks.items():
        rules = network.rules
        named = (*rules.attestors, rules.arbiter)
        for gives, one in zip(("audited", "enclave", "proven", "arbiter"), named, strict=True):
            if one != NOBODY:
                found.setdefault(to_hex(one), []).append((to_hex(key), gives))
    return found


def test_resolvers__each__stands_where_rules_name_it(
    client: TestClient, live: Live, ledger: Ledger
) -> None:
    named = places(ledger)
    networks = {row["network_id"]: row for row in client.get(f"{API}/networks").json()["rows"]}

    assert len(named) > 4
    for resolver, expected in named.items():
        found = client.get(f"{API}/{path_of(live, resolver)}").json()
        rows = found["networks"]
        assert sorted((one["network_id"], one["gives"]) for one in rows) == sorted(expected)
        assert found["networks_total"] == len(expected)
        for one in rows:
            network = networks[one["network_id"]]
            assert one["standing"] == network[f"standing_{one['gives']}"]
            counted = None if one["gives"] == "arbiter" else network[one["gives"]]
            assert one["counted"] == counted


def test_resolvers__convictions__are_what_the_ledger_rejected_by_its_word(
    client: TestClient, live: Live, ledger: Ledger
) -> None:
    total = 0
    for resolver, named in places(ledger).items():
        path = path_of(live, resolver)
        found, listed = (client.get(f"{API}/{path}{name}").json() for name in ("", "/rejections"))
        rules = {network for network, gives in named if gives == "arbiter"}
        convicted = {
            to_hex(key)
            for key, one in ledger.batches.items()
            if to_hex(one.batch.network_id) in rules
            and one.state is State.REJECTED
            and one.cause in (Cause.RULING, Cause.DISPROOF)
        }
        assert {row["batch_id"] for row in listed["rows"]} == convicted
        if rules:
            assert found["rulings"]["convictions"] == len(convicted)
        else:
            assert found["rulings"] is None
        total += len(convicted)
    assert total > 0


def test_resolvers__pool__seats_are_those_of_the_folders_last_block(
    client: TestClient, live: Live, shown: Shown
) -> None:
    state = SeatsAtBlock.read(shown.data.pools(shown.contract))
    assert state is not None
    ((pool, held),) = state.pools.items()
    path = path_of(live, pool)

    found = client.get(f"{API}/{path}").json()
    listed = client.get(f"{API}/{path}/seats").json()

    assert (found["pool"], found["name"]) == (True, "Pool")
    assert (found["seats"]["epoch"], found["seats"]["seats"]) == (held.epoch, held.seats)
    assert {row["account"]: row["seats"] for row in listed["rows"]} == held.accounts
    assert listed["total"] == len(held.accounts) > 3
    assert sum(row["share"] for row in listed["rows"]) == pytest.approx(1)


def test_resolvers__pool_that_was_not_read__seats_are_null_not_zero(
    poolless: TestClient, live: Live, shown: Shown
) -> None:
    state = SeatsAtBlock.read(shown.data.pools(shown.contract))
    assert state is not None
    found = poolless.get(f"{API}/{path_of(live, next(iter(state.pools)))}").json()

    assert (found["pool"], found["seats"]) == (True, None)
    assert {one["standing"] for one in found["networks"]} == {"unidentified"}


@pytest.mark.parametrize("name", ["", "/seats", "/rejections"])
def test_resolvers__whom_no_network_names__404(client: TestClient, live: Live, name: str) -> None:
    answer = client.get(f"{API}/{path_of(live, '0x' + '9' * 40)}{name}")

    assert answer.status_code == 404
    assert "no network of the registry names resolver" in answer.json()["detail"]


def test_page__resolver__says_whether_it_is_known_and_why(
    visit: Visit, client: TestClient, live: Live, ledger: Ledger
) -> None:
    for resolver in places(ledger):
        path = path_of(live, resolver)
        found: Any = client.get(f"{API}/{path}").json()
        visit.go(path.replace("resolvers", "resolver", 1))
        main = visit.page.locator("main")
        text = main.inner_text()
        for one in found["networks"]:
            assert one["standing"] in text
            for unmet in one["unmet"]:
                assert unmet["reason"] in (main.text_content() or "")
        shown = main.locator(".key").all_inner_texts()
        assert shown[0] == (found["name"] or "not available")
        rulings = found["rulings"]
        assert shown[3] == (str(rulings["convictions"]) if rulings else "not available")
    assert visit.errors == []


def test_page__pool__tells_its_terms_in_words(
    visit: Visit, client: TestClient, live: Live, shown: Shown
) -> None:
    state = SeatsAtBlock.read(shown.data.pools(shown.contract))
    assert state is not None
    path = path_of(live, next(iter(state.pools)))
    terms = client.get(f"{API}/{path}").json()["terms"]["terms"]

    visit.go(path.replace("resolvers", "resolver", 1))

    told = dict(
        zip(
            visit.page.locator("main dl.facts dl.facts dt").all_inner_texts(),
            visit.page.locator("main dl.facts dl.facts dd").all_inner_texts(),
            strict=True,
        )
    )
    assert told["seat stake"] == f"{int(terms['seatStake']) / 10**18:.3f} ETH"
    assert told["exit delay"] == f"{int(terms['exitDelay']) // 86_400} days"
    assert told["min seats"] == str(terms["minSeats"])
