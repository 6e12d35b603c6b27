"""What a verifier writes down.

reopened    everything is there again
once        a statement on a subject, logs behind a checkpoint
money       24 hours, by asset; lost and reverted moves give their bonds back
"""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.enums import Grade
from tallystick.events import BatchAttested, BatchChallenged, BytesRevealed, EvidenceAccepted
from tallystick.node.verifier.journal import Journal, Move, MoveStatus, Noted
from tallystick.node.verifier.money import DAY, MoneyError, Purse
from tallystick.node.verifier.taking import taken
from tests.support.raw_logs import raw_log

BATCH, TOKEN, COIN = b"b" * 32, b"t" * 20, bytes(20)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "node" / "journal.sqlite3")


def move(**changes: Any) -> Move:
    fields = {
        "batch_id": BATCH,
        "kind": "challenge",
        "turn": 0,
        "status": MoveStatus.SIGNED,
        "sender": b"s" * 20,
        "nonce": 0,
        "tx_hash": b"h" * 32,
        "raw": b"raw",
        "asset": COIN,
        "bond": 1 << 95,
        "gas_cost": 1 << 90,
        "made_at": 1000,
    } | changes
    return Move(**fields)


def log(block: int, place: int, batch_id: bytes = BATCH) -> Any:
    return {
        "blockNumber": block,
        "logIndex": place,
        "transactionHash": bytes([block]) * 32,
        "address": "0x" + "ab" * 20,
        "topics": [b"t" * 32, bytes(32), bytes(32), batch_id],
        "data": bytes([place]),
    }


def test_journal__reopened__has_all(journal: Journal, tmp_path: Path):
    noted = Noted("good", 3, "note", 24, b"s" * 32)
    journal.note_finding(BATCH, noted)
    journal.note_move(move())
    journal.note_statement(b"d" * 32, b"subject", '{"kind": "audit"}', 5.0)
    journal.extend(None, [log(1, 0)], 3, b"h" * 32)

    again = Journal(tmp_path / "node" / "journal.sqlite3")
    assert again.finding(BATCH) == noted
    assert again.statement(b"subject") == ('{"kind": "audit"}', 5.0)
    assert again.statement_by_digest(b"d" * 32) == '{"kind": "audit"}'
    assert again.audits() == 1
    assert again.checkpoints() == [(3, b"h" * 32)]
    (found,) = again.moves(BATCH, "challenge")
    assert (found.bond, found.gas_cost, found.raw) == (1 << 95, 1 << 90, b"raw")
    (told,) = again.logs((-1, -1))
    assert (told["topics"], told["address"]) == (log(1, 0)["topics"], log(1, 0)["address"])


def test_note_statement__second_on_a_subject__refused(journal: Journal):
    assert journal.note_statement(b"1" * 32, b"subject", "first", 1.0)
    assert not journal.note_statement(b"2" * 32, b"subject", "second", 2.0)
    assert journal.statement(b"subject") == ("first", 1.0)


def test_extend__another_process_was_first__nothing_kept(journal: Journal):
    assert journal.extend(None, [log(1, 0)], 5, b"5" * 32)
    assert not journal.extend(None, [log(1, 0), log(6, 0)], 6, b"6" * 32)
    assert journal.extend(5, [log(6, 0)], 6, b"6" * 32)
    assert [one["blockNumber"] for one in journal.logs((1, 0))] == [6]


def test_take_back__blocks_of_a_lost_fork__forgotten(journal: Journal):
    journal.extend(None, [log(1, 0), log(2, 0)], 2, b"2" * 32)
    journal.extend(2, [log(3, 0), log(3, 1)], 3, b"3" * 32)
    before = journal.generation
    journal.take_back(2)
    assert [one["blockNumber"] for one in journal.logs((-1, -1))] == [1, 2]
    assert journal.checkpoints() == [(2, b"2" * 32)]
    assert journal.generation == before + 1


def told(block: int, name: str, *values: Any) -> dict[str, Any]:
    """A log of an event; values in the order of its ABI."""
    raw = raw_log(name, *values)
    return {**log(block, 0), "topics": raw.topics, "data": raw.data}


def test_events__of_a_batch_and_a_kind__only_those_in_order(journal: Journal):
    lane, other = (b"n" * 32, b"o" * 20), b"?" * 32
    logs = [
        told(1, "BytesRevealed", BATCH, 3, b"in", b"out" * 50),
        told(2, "BatchAttested", *lane, BATCH, 1),
        told(3, "BytesRevealed", other, 4, b"", b""),
        told(4, "BytesRevealed", BATCH, 5, b"", b"x"),
        told(5, "BatchAttested", *lane, other, 1),
        told(6, "EvidenceAccepted", BATCH, 1, b"signatures"),
    ]
    journal.extend(None, logs, 6, b"6" * 32)

    revealed = journal.events(BytesRevealed, BATCH)
    assert [(one.leaf_index, one.input, one.output) for one in revealed] == [
        (3, b"in", b"out" * 50),
        (5, b"", b"x"),
    ]
    assert [one.batch_id for one in journal.events(BatchAttested, other)] == [other]
    (accepted,) = journal.events(EvidenceAccepted, BATCH)
    assert (accepted.grade, accepted.evidence) == (Grade.AUDITED, b"signatures")
    assert journal.events(EvidenceAccepted, other) == journal.events(BatchChallenged, BATCH) == []


@settings(max_examples=20, deadline=None)
@given(blocks=st.lists(st.integers(1, 700), min_size=1, max_size=60))
def test_checkpoints__many__thinned_and_still_in_order(
    tmp_path_factory: pytest.TempPathFactory, blocks: list[int]
):
    journal = Journal(tmp_path_factory.mktemp("journal") / "j.sqlite3")
    block, after = 0, None
    for step in blocks:
        block += step
        assert journal.extend(after, [], block, block.to_bytes(32, "big"))
        after = block
    known = [number for number, _ in journal.checkpoints()]
    assert known == sorted(known, reverse=True)
    assert known[0] == block
    assert known[-1] == blocks[0]


# Money


def test_spent__by_asset_and_status__what_may_not_come_back(journal: Journal):
    gas = 7
    journal.note_move(move(asset=TOKEN, bond=100, gas_cost=gas))
    journal.note_move(move(asset=COIN, bond=50, gas_cost=gas, status=MoveStatus.MINED))
    journal.note_move(move(asset=COIN, bond=30, gas_cost=gas, status=MoveStatus.REVERTED))
    journal.note_move(move(asset=COIN, bond=20, gas_cost=gas, status=MoveStatus.LOST))
    journal.note_move(move(asset=COIN, bond=10, gas_cost=gas, status=MoveStatus.DRY))
    assert journal.spent(999) == {TOKEN: 100, COIN: 50 + 3 * gas}
    assert journal.spent(1000) == {}


def test_check__cap_reached__refused_until_a_day_later(journal: Journal):
    purse = Purse(journal, cap=100, gas_price_cap=10)
    purse.check(1000, COIN, 90, 10)
    with pytest.raises(MoneyError, match="over the cap of 100"):
        purse.check(1000, COIN, 91, 10)
    journal.note_move(move(asset=TOKEN, bond=60, gas_cost=30))
    purse.check(1000, TOKEN, 40, 70)
    for asset, bond, gas in ((TOKEN, 41, 0), (COIN, 0, 71), (COIN, 50, 30)):
        with pytest.raises(MoneyError):
            purse.check(1000 + DAY - 1, asset, bond, gas)
        purse.check(1000 + DAY, asset, bond, gas)


@pytest.mark.parametrize(("base", "most"), [(1, 4), (4, 10), (8, 10)])
def test_fees__under_the_cap__never_offer_more(journal: Journal, base: int, most: int):
    eth = SimpleNamespace(get_block=lambda _: {"baseFeePerGas": base}, max_priority_fee=2)
    fees = Purse(journal, 0, gas_price_cap=10).fees(SimpleNamespace(eth=eth))  # type: ignore[arg-type]
    assert (fees.most, fees.priority) == (most, 2)


def test_fees__over_the_cap__refused(journal: Journal):
    eth = SimpleNamespace(get_block=lambda _: {"baseFeePerGas": 9}, max_priority_fee=2)
    with pytest.raises(MoneyError, match="gas costs 11 wei; the cap is 10"):
        Purse(journal, 0, gas_price_cap=10).fees(SimpleNamespace(eth=eth))  # type: ignore[arg-type]


def test_taken__by_one__not_by_another_until_it_is_done(tmp_path: Path):
    with (
        taken(tmp_path, BATCH) as first,
        taken(tmp_path, BATCH) as second,
        taken(tmp_path, b"c" * 32) as other,
    ):
        assert (first, second, other) == (True, False, True)
    with taken(tmp_path, BATCH) as again:
        assert again
