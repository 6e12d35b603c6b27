"""What a verifier does about a batch, round by round, on a real chain; all in one process.

audits      good batches, by k of n, through a shared folder, once
wrong       challenged once, ruled on, reward claimed
withheld    demanded, timed out
"""

from tallystick.enums import Cause, Grade, State
from tallystick.node.verifier.inspection import Kind
from tests.node.verifier.stage import VERIFIERS, Stage


def kinds(verifier) -> dict[str, int]:
    return {kind: count for kind, _, count in verifier.journal.made()}


def test_tick__good_batch__attested_by_whoever_completes_the_set(staged: Stage):
    batch = staged.commit(50)
    first, second, third = (staged.verifier(number) for number in VERIFIERS)

    first.tick()
    assert first.journal.finding(batch.id) is None  # The seed's block is to come.
    staged.seeded()
    first.tick()
    assert staged.record(batch).grade is Grade.SETTLED
    second.tick()
    second.tick()
    third.tick()

    assert staged.record(batch).grade is Grade.AUDITED
    assert [kinds(one) for one in (first, second, third)] in (
        [{}, {"attest": 1}, {}],
        [{"attest": 1}, {}, {}],
    )
    assert first.journal.finding(batch.id).executed >= 15


def test_tick__wrong_leaf__challenged_once_and_rejected_by_the_committee(staged: Stage):
    batch = staged.commit(100, wrong=[7])
    verifiers = [staged.verifier(number, drawn=100) for number in VERIFIERS]
    staged.seeded()

    for _ in range(4):
        for verifier in verifiers:
            verifier.tick()

    record = staged.record(batch)
    assert (record.state, record.cause, record.leaf_index) == (State.REJECTED, Cause.RULING, 7)
    assert verifiers[0].journal.finding(batch.id).kind == Kind.WRONG
    made = [kinds(one) for one in verifiers]
    assert sum(one.get("challenge", 0) for one in made) == 1
    assert sum(one.get("resolve", 0) for one in made) == 1


def test_tick__no_data__demanded_then_timed_out(staged: Stage):
    batch = staged.commit(30, kept=False)
    verifier = staged.verifier()
    staged.seeded()

    verifier.tick()
    verifier.tick()
    assert staged.record(batch).state is State.DISPUTED
    staged.later(3700)
    verifier.tick()
    verifier.tick()

    record = staged.record(batch)
    assert (record.state, record.cause) == (State.REJECTED, Cause.TIMEOUT)
    assert kinds(verifier) == {"demand": 1, "timeout": 1}
