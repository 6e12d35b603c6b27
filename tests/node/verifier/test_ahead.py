"""Data are asked for before the draw is known, and held against who shows them only afterwards.

cheat      waits for the draw: no audit, though all that is drawn is right
unlucky    an operator whose data come in time, or were asked for too late; a verifier that was down
"""

import pytest

from tallystick.node.verifier.findings import FindingKind
from tallystick.node.verifier.verifier import Verifier
from tallystick.protocol.enums import Grade, State
from tests.node.verifier.stage import Stage, rounds
from tests.support.story import Committed, keep


def asking(staged: Stage, verifier: Verifier, seconds: int, every: int = 5) -> None:
    """Let time pass on the chain, without the draw's block, while a verifier looks."""
    for _ in range(0, seconds, every):
        verifier.tick()
        # The pending block's time is what it sees.
        staged.chain.w3.provider.make_request("evm_increaseTime", [every])  # type: ignore[arg-type]
    verifier.tick()


def found(verifier: Verifier, batch: Committed) -> str:
    finding = verifier.journal.finding(batch.id)
    assert finding is not None
    return finding.kind


def test_tick__data_in_time__fetched_before_the_draw_and_good(staged: Stage) -> None:
    batch = staged.commit(20)
    verifier = staged.verifier()

    verifier.tick()
    asked = verifier.journal.asked(batch.id)
    assert asked is not None
    assert asked.got
    (staged.store / f"{batch.batch.root.hex()}.parquet").unlink()
    asking(staged, verifier, 60)
    staged.seeded()
    rounds(verifier)

    assert found(verifier, batch) == FindingKind.GOOD


def test_tick__data_come_with_the_draw__no_audit_and_no_demand(staged: Stage) -> None:
    batch = staged.commit(20, kept=False)
    verifier = staged.verifier()

    asking(staged, verifier, 30)
    staged.seeded()
    keep(staged.store, batch)
    rounds(verifier)

    assert found(verifier, batch) == FindingKind.LATE
    assert verifier.journal.audits() == 0
    assert staged.record(batch).state is State.OPEN
    rounds(staged.verifier(), count=2)  # Begun anew, it says the same.
    assert verifier.journal.audits() == 0


def test_tick__late_and_wrong__convicted_all_the_same(staged: Stage) -> None:
    batch = staged.commit(20, wrong=[3], kept=False)
    verifier = staged.verifier(drawn=20)

    asking(staged, verifier, 30)
    staged.seeded()
    keep(staged.store, batch)
    rounds(verifier)

    assert found(verifier, batch) == FindingKind.WRONG
    assert staged.record(batch).state is State.DISPUTED


def test_tick__late_by_a_store_that_cannot_be_reached__demanded_and_no_more(
    staged: Stage,
) -> None:
    batch = staged.commit(20)
    verifier = staged.verifier(stores=["http://127.0.0.1:9/batches"])

    asking(staged, verifier, 30)
    staged.seeded()
    rounds(verifier)

    assert found(verifier, batch) == FindingKind.WITHHELD
    assert staged.record(batch).state is State.DISPUTED
    assert {kind for kind, _, _ in verifier.journal.made()} == {"demand"}


def test_tick__verifier_was_down_until_the_draw__nothing_against_the_batch(staged: Stage) -> None:
    batch = staged.commit(20, kept=False)
    staged.later(60)
    staged.seeded()
    keep(staged.store, batch)
    verifier = staged.verifier()

    rounds(verifier)

    assert found(verifier, batch) == FindingKind.GOOD


def test_tick__verifier_went_down_before_the_draw__nothing_against_the_batch(
    staged: Stage,
) -> None:
    batch = staged.commit(20, kept=False)
    asking(staged, staged.verifier(), 10)
    staged.later(60)
    staged.seeded()
    keep(staged.store, batch)
    restarted = staged.verifier()

    rounds(restarted)

    assert found(restarted, batch) == FindingKind.GOOD


def test_tick__asked_just_before_the_draw__nothing_against_the_batch(staged: Stage) -> None:
    batch = staged.commit(20, kept=False)
    verifier = staged.verifier(prompt_within=40.0)

    asking(staged, verifier, 30)
    staged.seeded()
    keep(staged.store, batch)
    rounds(verifier)

    assert found(verifier, batch) == FindingKind.GOOD


@pytest.mark.parametrize("answered", [False, True])
def test_tick__store_keeps_its_answer_back_until_the_draw__late(
    staged: Stage, monkeypatch: pytest.MonkeyPatch, answered: bool
) -> None:
    """One request, begun long before the draw's block and answered after it."""
    batch = staged.commit(20)
    verifier = staged.verifier()
    stores = verifier._inspector._stores
    load = stores.load

    def slow(record: object) -> object:
        staged.later(60)
        if answered:
            staged.seeded()
        return load(record)  # type: ignore[arg-type]

    monkeypatch.setattr(stores, "load", slow)
    verifier.tick()
    monkeypatch.undo()
    staged.seeded()
    rounds(verifier)

    expected = FindingKind.LATE if answered else FindingKind.GOOD
    assert found(verifier, batch) == expected
    assert staged.record(batch).grade is Grade.UNCHALLENGED
