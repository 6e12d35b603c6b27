"""What a verifier writes down.

reopened    everything is there again
once        a statement on a subject
money       24 hours, by asset; lost and reverted moves give their bonds back
"""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tallystick.node.verifier.budget import DAY, Budget, MoneyError
from tallystick.node.verifier.journal import (
    Move,
    MoveStatus,
    StatementKind,
    StoredFinding,
    VerifierJournal,
)
from tallystick.node.verifier.locks import taken

BATCH, TOKEN, COIN = b"b" * 32, b"t" * 20, bytes(20)


@pytest.fixture
def journal(tmp_path: Path) -> VerifierJournal:
    return VerifierJournal(tmp_path / "node" / "journal.sqlite3")


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


def test_journal__reopened__has_all(journal: VerifierJournal, tmp_path: Path) -> None:
    noted = StoredFinding("good", 3, "note", 24, b"s" * 32)
    journal.note_finding(BATCH, noted)
    journal.note_move(move())
    journal.note_statement(b"d" * 32, b"subject", StatementKind.AUDIT, "{}", 5.0)
    journal.note_statement(b"e" * 32, b"other", StatementKind.VERDICT, '{"kind": "audit"}', 5.0)

    again = VerifierJournal(tmp_path / "node" / "journal.sqlite3")
    assert again.finding(BATCH) == noted
    assert again.statement(b"subject") == ("{}", 5.0)
    assert again.statement_by_digest(b"d" * 32) == "{}"
    assert again.audits() == 1
    (found,) = again.moves(BATCH, "challenge")
    assert (found.bond, found.gas_cost, found.raw) == (1 << 95, 1 << 90, b"raw")


def test_note_statement__second_on_a_subject__refused(journal: VerifierJournal) -> None:
    assert journal.note_statement(b"1" * 32, b"subject", StatementKind.AUDIT, "first", 1.0)
    assert not journal.note_statement(b"2" * 32, b"subject", StatementKind.AUDIT, "second", 2.0)
    assert journal.statement(b"subject") == ("first", 1.0)


def test_claims__two_assets_and_days__each_its_own(journal: VerifierJournal) -> None:
    for asset, day in ((TOKEN, 1), (COIN, 1), (COIN, 2)):
        journal.note_move(move(batch_id=None, kind="withdraw", asset=asset, turn=day, bond=0))

    (found,) = journal.claims(COIN, "withdraw", 1)

    assert (found.batch_id, found.asset, found.turn) == (None, COIN, 1)
    assert journal.claims(TOKEN, "withdraw", 2) == []
    assert journal.moves(COIN + bytes(12), "withdraw", 1) == []


# Money


def test_spent__by_asset_and_status__what_may_not_come_back(journal: VerifierJournal) -> None:
    gas = 7
    journal.note_move(move(asset=TOKEN, bond=100, gas_cost=gas))
    journal.note_move(move(asset=COIN, bond=50, gas_cost=gas, status=MoveStatus.MINED))
    journal.note_move(move(asset=COIN, bond=30, gas_cost=gas, status=MoveStatus.REVERTED))
    journal.note_move(move(asset=COIN, bond=20, gas_cost=gas, status=MoveStatus.LOST))
    journal.note_move(move(asset=COIN, bond=10, gas_cost=gas, status=MoveStatus.DRY))
    assert journal.spent(999) == {TOKEN: 100, COIN: 50 + 3 * gas}
    assert journal.spent(1000) == {}


def test_check__cap_reached__refused_until_a_day_later(journal: VerifierJournal) -> None:
    budget = Budget(journal, cap=100, gas_price_cap=10)
    budget.check(1000, COIN, 90, 10)
    with pytest.raises(MoneyError, match="over the cap of 100"):
        budget.check(1000, COIN, 91, 10)
    journal.note_move(move(asset=TOKEN, bond=60, gas_cost=30))
    budget.check(1000, TOKEN, 40, 70)
    for asset, bond, gas in ((TOKEN, 41, 0), (COIN, 0, 71), (COIN, 50, 30)):
        with pytest.raises(MoneyError):
            budget.check(1000 + DAY - 1, asset, bond, gas)
        budget.check(1000 + DAY, asset, bond, gas)


@pytest.mark.parametrize(("base", "most"), [(1, 4), (4, 10), (8, 10)])
def test_fees__under_the_cap__never_offer_more(
    journal: VerifierJournal, base: int, most: int
) -> None:
    eth = SimpleNamespace(get_block=lambda _: {"baseFeePerGas": base}, max_priority_fee=2)
    fees = Budget(journal, 0, gas_price_cap=10).fees(SimpleNamespace(eth=eth))  # type: ignore[arg-type]
    assert (fees.most, fees.priority) == (most, 2)


def test_fees__over_the_cap__refused(journal: VerifierJournal) -> None:
    eth = SimpleNamespace(get_block=lambda _: {"baseFeePerGas": 9}, max_priority_fee=2)
    with pytest.raises(MoneyError, match="gas costs 11 wei; the cap is 10"):
        Budget(journal, 0, gas_price_cap=10).fees(SimpleNamespace(eth=eth))  # type: ignore[arg-type]


def test_taken__by_one__not_by_another_until_it_is_done(tmp_path: Path) -> None:
    with (
        taken(tmp_path, BATCH) as first,
        taken(tmp_path, BATCH) as second,
        taken(tmp_path, b"c" * 32) as other,
    ):
        assert (first, second, other) == (True, False, True)
    with taken(tmp_path, BATCH) as again:
        assert again
