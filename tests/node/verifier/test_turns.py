"""Verifiers take turns: one of them pays for a demand or a challenge, and a dead one costs nothing.

two, three   one demand, challenge, disproof or fault, by whose turn it is
one is dead  its turn passes on; near the deadline nobody waits
answered     no further bond for the operator, unless who asked may have been the operator's friend
"""

import time
from dataclasses import replace

import pytest

from tallystick.node.verifier.turns import Turns
from tallystick.node.verifier.verifier import Verifier
from tallystick.protocol.enums import State
from tallystick.protocol.events import BatchDemanded
from tallystick.protocol.inference import Inference
from tests.node.verifier.stage import GRIEFER, VERIFIERS, Stage, reveal, rounds
from tests.support.story import Committed, keep

FOR_EVER = 1000.0


def in_turn(staged: Stage, batch: Committed, *verifiers: Verifier) -> list[Verifier]:
    """The verifiers, whose turn is first first."""

    def place(verifier: Verifier) -> int:
        verifier.watch.sync()
        open_batch = verifier.watch.open_batch(batch.id)
        assert open_batch is not None
        return len(Turns(verifier.watch, 1.0).before(open_batch))

    return sorted(verifiers, key=place)


def all_in_turn(
    staged: Stage, batch: Committed, turn_every: float, **changes: object
) -> list[Verifier]:
    verifiers = [staged.verifier(number, turn_every=turn_every, **changes) for number in VERIFIERS]
    return in_turn(staged, batch, *verifiers)


def made(verifier: Verifier) -> dict[str, int]:
    return {kind: count for kind, _, count in verifier.journal.made()}


def demands(staged: Stage, batch: Committed) -> list[bytes]:
    """Who has demanded a leaf of a batch, in turn."""
    verifier = staged.verifier(GRIEFER, name="reader")
    verifier.watch.sync()
    found = verifier.watch.follower.events(BatchDemanded, batch.id)
    return [one.demander for one in found]


def test_before__many_batches__each_member_is_first_of_some(staged: Stage) -> None:
    batches = [staged.commit(1) for _ in range(12)]
    verifiers = [staged.verifier(number) for number in VERIFIERS]

    orders = [in_turn(staged, batch, *verifiers) for batch in batches]

    assert {id(order[0]) for order in orders} == {id(one) for one in verifiers}
    stranger = staged.verifier(GRIEFER)
    assert in_turn(staged, batches[0], stranger, *verifiers)[-1] is stranger


@pytest.mark.parametrize("alive", [2, 3])
def test_tick__withheld__one_demand_by_whose_turn_it_is(staged: Stage, alive: int) -> None:
    batch = staged.commit(30, kept=False)
    staged.seeded()
    verifiers = all_in_turn(staged, batch, FOR_EVER)[:alive]

    rounds(*reversed(verifiers))

    assert demands(staged, batch) == [verifiers[0].outbox.address]
    reveal(staged, batch)
    rounds(*reversed(verifiers))
    assert staged.record(batch).state is State.OPEN
    assert len(demands(staged, batch)) == 1


@pytest.mark.parametrize("alive", [1, 2])
def test_tick__the_first_is_dead__one_demand_by_the_next(staged: Stage, alive: int) -> None:
    batch = staged.commit(30, kept=False)
    staged.seeded()
    _, *living = all_in_turn(staged, batch, 1.0)[: 1 + alive]

    rounds(*living, count=1)
    assert demands(staged, batch) == []
    time.sleep(1.1)
    rounds(*living, count=1)
    reveal(staged, batch)
    time.sleep(1.1)
    rounds(*living)

    assert demands(staged, batch) == [living[0].outbox.address]


def test_tick__the_deadline_is_near__nobody_waits(staged: Stage) -> None:
    batch = staged.commit(30, kept=False)
    staged.seeded()
    *_, last = all_in_turn(staged, batch, 60.0)

    rounds(last)
    assert staged.record(batch).state is State.OPEN
    staged.later(staged.network.rules.challenge_window - 500)
    rounds(last)

    assert demands(staged, batch) == [last.outbox.address]


def test_tick__answered_to_one_whose_turn_comes_later__demanded_in_turn(staged: Stage) -> None:
    batch = staged.commit(30, kept=False)
    staged.seeded()
    first, _, last = all_in_turn(staged, batch, FOR_EVER)
    number = next(one for one in VERIFIERS if staged.chain.accounts[one] == last.outbox.address)

    # It may be a friend of the operator's, which asks for a leaf that is there.
    arguments = batch.batch.abi(), batch.stamp.pack(), 0, True
    staged.chain.send(staged.chain.accounts[number], "demand", *arguments)
    reveal(staged, batch)
    rounds(first)

    assert demands(staged, batch) == [last.outbox.address, first.outbox.address]


def test_tick__wrong_leaf__one_challenge_by_whose_turn_it_is(staged: Stage) -> None:
    batch = staged.commit(30, wrong=[3])
    staged.seeded()
    verifiers = all_in_turn(staged, batch, FOR_EVER, drawn=30)

    rounds(*reversed(verifiers))

    assert staged.record(batch).state is State.REJECTED
    assert [made(one).get("challenge", 0) for one in verifiers] == [1, 0, 0]


def test_tick__leaves_out_of_order__one_fault_by_whose_turn_it_is(staged: Stage) -> None:
    def swapped(leaves: list[Inference]) -> list[Inference]:
        first, second, *rest = leaves
        pair = replace(first, nonce=second.nonce), replace(second, nonce=first.nonce)
        return [*pair, *rest]

    batch = staged.commit(10, shape=swapped)
    staged.seeded()
    verifiers = all_in_turn(staged, batch, FOR_EVER)

    rounds(*reversed(verifiers))

    assert [made(one) for one in verifiers] == [{"faultOrder": 1}, {}, {}]


def test_tick__withheld_first_and_unsigned_then__that_leaf_demanded_too(staged: Stage) -> None:
    def skipped(leaves: list[Inference]) -> list[Inference]:
        return [*leaves[:-1], replace(leaves[-1], nonce=leaves[-1].nonce + 1)]

    verifier = staged.verifier()
    batch = staged.commit(10, shape=skipped, kept=False)
    staged.seeded()
    rounds(verifier)
    # Which leaf is asked for first is random; the last one can't be revealed.
    while staged.record(batch).dispute.leaf_index == 9:
        batch = staged.commit(10, shape=skipped, kept=False)
        staged.seeded()
        rounds(verifier)
    reveal(staged, batch)
    keep(staged.store, batch)
    rounds(verifier)

    assert staged.record(batch).dispute.leaf_index == 9
