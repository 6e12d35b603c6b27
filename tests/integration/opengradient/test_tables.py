"""tables.py: audited settlements as a network of a data folder, beside a registry's own."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tallystick.data.analysis import Analysis
from tallystick.data.decode.files import decode_logs
from tallystick.data.extract.extractor import ExtractPlan, extract
from tallystick.data.reconcile.folder import reconcile
from tallystick.data.totals.coverage import CoverageError
from tallystick.opengradient.audit import audit
from tallystick.opengradient.tables import MOST_CLAIMED, NAME, network_id, publish
from tallystick.protocol.hexes import to_hex
from tests.integration.opengradient.conftest import Auditor
from tests.support.opengradient import OpenGradient, Tee
from tests.support.story import Network


def published(auditor: Auditor) -> dict[str, Any]:
    """Audit, publish, and return the network's totals."""
    folder = auditor.extract()
    publish(folder, audit(folder, auditor.source(), workers=1))
    rows = Analysis(auditor.data.root).totals().to_pylist()
    (row,) = (row for row in rows if row["network_id"] == to_hex(network_id(folder.relay)))
    return row


def told(row: dict[str, Any]) -> tuple[int, ...]:
    names = ("committed", "enclave", "rejected", "unchallenged", "verified", "open")
    return tuple(row[name] for name in names)


def test_publish__lies_and_honest_batches__are_the_networks_totals(
    og: OpenGradient, tee: Tee, auditor: Auditor
) -> None:
    items = tee.items(range(5), og.chain.now)
    og.settle(items, claimed=7)
    og.individual(items[0])
    og.batch(b"r" * 32, 11, b"A" * 43)
    og.individual(tee.item(9, og.chain.now))

    row = published(auditor)

    assert row["name"] == NAME
    assert told(row) == (7 + 1 + 11 + 1, 6, 3, 11, 6, 0)


def test_publish__claim_beyond_all_sums__is_cut(
    og: OpenGradient, tee: Tee, auditor: Auditor
) -> None:
    og.settle(tee.items([0], og.chain.now), claimed=2**256 - 1)
    og.settle(tee.items([1], og.chain.now), claimed=10**12)

    row = published(auditor)

    assert told(row) == (MOST_CLAIMED + 10**12, 2, MOST_CLAIMED + 10**12 - 2, 0, 2, 0)


def test_publish__by_day__claimed_beside_verified(
    og: OpenGradient, tee: Tee, auditor: Auditor
) -> None:
    og.settle(tee.items(range(3), og.chain.now), claimed=5)
    first = datetime.fromtimestamp(og.chain.now, UTC).date()
    og.chain.at(og.chain.now + 86_400)
    og.settle(tee.items([7], og.chain.now))
    published(auditor)

    rows = Analysis(auditor.data.root).totals(by=["day"]).to_pylist()

    assert [(row["committed"], row["verified"]) for row in rows] == [(5, 3), (1, 1)]
    assert rows[0]["day"] == first


def test_publish__new_parts_and_runs__count_once(
    og: OpenGradient, tee: Tee, auditor: Auditor
) -> None:
    og.settle(tee.items([0], og.chain.now))
    before = told(published(auditor))
    og.chain.mine(40)
    og.settle(tee.items([1, 2], og.chain.now))
    og.chain.mine(40)
    og.individual(tee.item(3, og.chain.now))

    after = told(published(auditor))
    again = told(published(auditor))

    assert (before[1], after[1]) == (1, 4)
    assert again == after
    assert len(Analysis(auditor.data.root).networks()) == 1


def test_publish__no_settlement__is_no_network(og: OpenGradient, auditor: Auditor) -> None:
    folder = auditor.extract()
    publish(folder, audit(folder, auditor.source(), workers=1))

    assert Analysis(auditor.data.root).totals().num_rows == 0


def test_measures__imported_network__is_self_declared_and_unbacked(
    og: OpenGradient, tee: Tee, auditor: Auditor
) -> None:
    og.settle(tee.items(range(3), og.chain.now))
    published(auditor)

    (row,) = Analysis(auditor.data.root).measures().to_pylist()

    assert (row["resolvers"], row["backed"]) == ("self-declared", False)
    assert (row["verified"], row["known_verified"]) == (3, 0)
    assert row["price_enclave"] == "gas only" and row["unranked_because"]


def test_utility__imported_network__has_its_parts(
    og: OpenGradient, tee: Tee, auditor: Auditor
) -> None:
    og.settle(tee.items(range(3), og.chain.now), claimed=4)
    published(auditor)

    (found,) = Analysis(auditor.data.root).utility().values()

    assert found.verifiability == pytest.approx(0.75)
    assert found.scalability > 0


def test_publish__beside_a_registry__both_are_shown_and_the_registry_agrees(
    og: OpenGradient, tee: Tee, auditor: Auditor, network: Network, operator: bytes
) -> None:
    network.final(operator)
    og.settle(tee.items(range(3), og.chain.now))
    imported = published(auditor)
    url: str = og.chain.w3.provider.endpoint_uri  # type: ignore[attr-defined]
    done = extract(auditor.data, ExtractPlan([url], og.chain.registry.address, depth=0))
    decode_logs(auditor.data, done.contract)

    rows = Analysis(auditor.data.root).totals().to_pylist()

    assert {row["network_id"]: row["committed"] for row in rows} == {
        imported["network_id"]: 3,
        to_hex(network.id): 5,
    }
    compared = reconcile(Analysis(auditor.data.root), {done.contract.chain_id: [url]})
    assert {one.address for one in compared} == {to_hex(og.chain.registry.address)}
    assert all(one.agrees for one in compared)


def test_analysis__extracted_and_not_audited__says_which_command(
    og: OpenGradient, auditor: Auditor
) -> None:
    auditor.extract()

    with pytest.raises(CoverageError, match="run `tallystick opengradient audit`"):
        Analysis(auditor.data.root)


def test_decode_logs__relay__leaves_what_was_published(
    og: OpenGradient, tee: Tee, auditor: Auditor
) -> None:
    og.settle(tee.items(range(3), og.chain.now))
    before = published(auditor)

    assert decode_logs(auditor.data, auditor.extract().relay) == 0
    assert Analysis(auditor.data.root).totals().to_pylist() == [before]
