"""The compiled registry and committee against a plain model of the design, by random actions."""

import random
from collections import Counter

import pytest

pytest.importorskip("pyrevm", reason="pyrevm has no wheel for this Python or processor")

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.invariant.choices import Action
from tests.invariant.machine import Machine
from tests.invariant.walk import WEIGHTS, near_the_ends, walk

SEEDS = range(12)
STEPS = 1_000
KINDS = {
    "commit", "commitMany", "commitFor", "setKey", "attest", "challenge", "demand", "reveal",
    "timeout", "resolve", "lapse", "disprove", "faultOrder", "faultRepeat", "faultDeadline",
    "finalize", "archive", "deposit", "withdraw", "stake", "unstake", "sweep", "admit", "close",
    "each", "audit", "convict", "convictOnEvidence", "stake of a member", "requestExit", "payOut",
    "sweep of the committee",
}  # fmt: skip
NEVER_REFUSED = {"setKey"}


@pytest.fixture(scope="module")
def walked() -> list[Machine]:
    return [walk(seed, STEPS, near_the_ends(seed)) for seed in SEEDS]


def test_walk__12_000_actions__contract_model_and_events_agree(walked: list[Machine]) -> None:
    made = sum((machine.done + machine.refused for machine in walked), Counter())
    print(f"{len(SEEDS) * STEPS} steps: {dict(made)}")

    # Actions that need a batch are passed over while there is none; and time alone is no action.
    assert made.total() > 0.7 * len(SEEDS) * STEPS


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_walk__every_kind_of_action__was_made_and_was_refused(
    walked: list[Machine], kind: str
) -> None:
    done = sum(machine.done[kind] for machine in walked)
    refused = sum(machine.refused[kind] for machine in walked)

    assert done >= 5
    assert refused >= (0 if kind in NEVER_REFUSED else 5)


@pytest.mark.parametrize(
    "error",
    [
        "BatchIndexOutOfRange", "BurnRefused", "CommitTimeMismatch", "LaneFull", "LeafNotDrawn",
        "ModelNotFound", "NetworkFull", "NetworkNotFound", "NothingToFinalize", "NotOperatorKey",
        "Panic", "ReentrancyGuardReentrantCall", "Reverted", "TransferFailed",
    ],
)  # fmt: skip
def test_walk__rare_refusal__was_met(walked: list[Machine], error: str) -> None:
    assert any(end == error for machine in walked for *_, end in machine.trace)


def test_walk__disputes_renewed_for_ever__batches_outlast_their_lives(
    walked: list[Machine],
) -> None:
    outlasted = [
        batch
        for machine in walked
        for batch in machine.batches
        if batch.closes_at > batch.committed_at + machine.model.span(batch.network)
    ]

    assert len(outlasted) >= 5
    assert all(batch.lapsed for batch in outlasted)


class Lifecycle(RuleBasedStateMachine):
    """Hypothesis chooses the actions, and shrinks what fails to the fewest."""

    @initialize(edges=st.booleans())
    def deploy(self, edges: bool) -> None:
        self.machine = Machine(random.Random(0), edges)

    @invariant()
    def agree(self) -> None:
        if hasattr(self, "machine"):
            self.machine.checks.words()

    def teardown(self) -> None:
        if hasattr(self, "machine"):
            self.machine.checks.views()
            self.machine.checks.events()


def _rule(action: Action) -> object:
    def act(self: Lifecycle, action: Action, seed: int) -> None:
        self.machine.choose = random.Random(seed)
        action(self.machine)

    seeds = st.integers(0, 2**32 - 1)
    return rule(action=st.just(action), seed=seeds)(act)


for _number, _action in enumerate(WEIGHTS):
    setattr(Lifecycle, f"action_{_number}_{_action.__name__}", _rule(_action))

TestLifecycle = Lifecycle.TestCase
TestLifecycle.settings = settings(max_examples=15, stateful_step_count=60, deadline=None)
