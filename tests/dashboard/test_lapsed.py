"""A batch whose disputes outlast its life, from raw logs alone: lapsed, as the registry has it."""

from pathlib import Path

import pytest

from tallystick.dashboard.network_key import NetworkKey
from tallystick.dashboard.snapshot import Snapshot
from tallystick.protocol.batch import Batch, Stamp
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.ledger import Ledger
from tallystick.protocol.rules import Rules
from tests.support.folder import fill
from tests.support.raw_logs import REGISTRY, RawLog, event, raw_log, table

NETWORK, OPERATOR, MODEL = b"n" * 32, b"o" * 20, b"m" * 32
RULES = Rules(
    arbiter=b"a" * 20,
    challenge_bond=20,
    demand_bond=6,
    challenge_window=100,
    response_window=50,
    ruling_window=80,
)
COMMITTED = 1_800_000_000
LAST = COMMITTED + 100 + 16 * 50 + 4 * 80
LEAF = (bytes(20), 2, 1020, b"i" * 32, b"o" * 32, bytes(32))


def story(kind: str, closes_at: int) -> tuple[list[RawLog], bytes]:
    """A batch that is reopened once; returns its id too."""
    stamp = Stamp(0, 5, COMMITTED, 1, COMMITTED + 100)
    batch = Batch(NETWORK, OPERATOR, 0, MODEL, b"r" * 32, 5, 2**64 - 1)
    place, over = (NETWORK, OPERATOR, batch.id()), (bytes(32), 0, 0)
    committed = (MODEL, batch.root, 0, batch.commit_deadline, stamp.pack(), *over)
    party = b"c" * 20
    if kind == "revealed":
        ends = [
            raw_log("BatchDemanded", *place, party, 2, False, COMMITTED + 60),
            raw_log("LeafRevealed", *place, 2, LEAF, closes_at, 6, [b"p" * 32] * 3),
        ]
    else:
        ends = [
            raw_log("BatchChallenged", *place, party, 2, b"l" * 32, COMMITTED + 60),
            raw_log("ChallengeUpheld", *place, closes_at, 10, 10),
        ]
    zero = bytes(32)
    registered = raw_log("NetworkRegistered", NETWORK, OPERATOR, zero, zero, RULES.abi(), b"n", b"")
    deposited = raw_log("Deposited", bytes(20), party, 100)
    return [registered, deposited, raw_log("BatchCommitted", *place, *committed), *ends], batch.id()


@pytest.mark.parametrize(("closes_at", "lapsed"), [(LAST, False), (LAST + 1, True)])
@pytest.mark.parametrize("kind", ["revealed", "upheld"])
def test_find__reopened_at_the_end_of_its_life__lapsed_as_the_ledger_has_it(
    tmp_path: Path, kind: str, closes_at: int, lapsed: bool
) -> None:
    logs, batch_id = story(kind, closes_at)
    fill(tmp_path, REGISTRY, table(logs))
    registry = to_hex(REGISTRY.address)
    snapshot = Snapshot(tmp_path)

    found = snapshot.batches.find(REGISTRY.chain_id, registry, to_hex(batch_id))
    (row,) = snapshot.batches.page(NetworkKey(REGISTRY.chain_id, registry, to_hex(NETWORK)), 0, 10)

    ledger = Ledger.of(event(place, log) for place, log in enumerate(logs))
    assert found is not None
    assert (found["lapsed"], row["lapsed"], ledger.batches[batch_id].lapsed) == (lapsed,) * 3
    assert (found["state"], found["closes_at"]) == ("open", closes_at)
    assert int(found["commit_deadline"]) == 2**64 - 1
    ended = found["history"][-1]
    if kind == "revealed":
        assert (ended["event"], ended["leaf_index"], ended["bond"]) == ("LeafRevealed", 2, "6")
        assert ended["leaf_output_hash"] == to_hex(b"o" * 32)
    (dispute,) = snapshot.disputes.page("past", 0, 10)
    assert dispute["ended_as"] == kind


def test_networks__events_of_an_unregistered_network__neither_crash_nor_count(
    tmp_path: Path,
) -> None:
    logs, _ = story("revealed", LAST)
    stray = (b"?" * 32, OPERATOR, b"b" * 32)
    logs += [raw_log("Unstaked", *stray[:2], 0), raw_log("BatchFinalized", *stray, 1, 5)]
    fill(tmp_path, REGISTRY, table(logs))

    (row,) = Snapshot(tmp_path).networks()

    assert (row["network_id"], row["committed"]) == (to_hex(NETWORK), 5)
