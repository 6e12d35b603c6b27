"""The compiled core against a plain model of the design, by random moves."""

import random
from collections import Counter

import pytest

pytest.importorskip("pyrevm", reason="pyrevm has no wheel for this Python or processor")

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.invariant import moves
from tests.invariant.machine import Machine, Mismatch
from tests.invariant.moves import WEIGHTS, walk

SEEDS = range(15)
STEPS = 2_000
KINDS = {
    "commit", "attest", "challenge", "demand", "reveal", "timeout", "resolve", "lapse",
    "disprove", "faultOrder", "faultRepeat", "faultDeadline", "finalize", "archive",
    "deposit", "withdraw", "stake", "unstake", "sweep", "admit", "close",
}  # fmt: skip


@pytest.fixture(scope="module")
def walked() -> list[Machine]:
    return [walk(seed, STEPS) for seed in SEEDS]


def test_walk__30_000_moves__contract_model_and_events_agree(walked):
    made = sum((machine.done + machine.refused for machine in walked), Counter())
    print(f"{len(SEEDS) * STEPS} steps: {dict(made)}")

    # Moves that need a batch are passed over while there is none; and time alone is no move.
    assert made.total() > 0.7 * len(SEEDS) * STEPS


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_walk__every_kind_of_move__was_made_and_was_refused(walked, kind):
    done = sum(machine.done[kind] for machine in walked)
    refused = sum(machine.refused[kind] for machine in walked)

    assert done >= 5
    assert refused >= (0 if kind == "deposit" else 5)


def test_walk__a_model_with_another_reward__is_caught():
    machine = Machine(random.Random(0))
    machine.model.reward_bonds += 1

    with pytest.raises(Mismatch):
        for _ in range(20_000):
            moves.step(machine)
            machine.compare()


class Lifecycle(RuleBasedStateMachine):
    """Hypothesis chooses the moves, and shrinks what fails to the fewest."""

    @initialize()
    def deploy(self) -> None:
        self.machine = Machine(random.Random(0))

    @invariant()
    def agree(self) -> None:
        if hasattr(self, "machine"):
            self.machine.compare()

    def teardown(self) -> None:
        if hasattr(self, "machine"):
            self.machine.compare_events()


def _rule(move: moves.Move) -> object:
    def act(self: Lifecycle, move: moves.Move, seed: int) -> None:
        self.machine.choose = random.Random(seed)
        move(self.machine)

    seeds = st.integers(0, 2**32 - 1)
    return rule(move=st.just(move), seed=seeds)(act)


for _number, _move in enumerate(WEIGHTS):
    setattr(Lifecycle, f"move_{_number}_{_move.__name__}", _rule(_move))

TestLifecycle = Lifecycle.TestCase
TestLifecycle.settings = settings(max_examples=15, stateful_step_count=60, deadline=None)
