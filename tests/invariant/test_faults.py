"""Faults planted in the model, one at a time: the walk finds each, as it would in the contract."""

from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

pytest.importorskip("pyrevm", reason="pyrevm has no wheel for this Python or processor")

from tallystick.protocol.enums import Cause, DisputeKind
from tests.invariant import machine, model
from tests.invariant.committee_model import CommitteeModel
from tests.invariant.compare import Mismatch
from tests.invariant.shrink import shrink
from tests.invariant.walk import follow, walk

Fault = Callable[[pytest.MonkeyPatch], object]


def another_reward(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(model, "REWARD_BONDS", 17)


def no_lapse_by_age(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(model.Model, "span", lambda self, network: 10**9)


def no_clamp(patch: pytest.MonkeyPatch) -> None:
    reject = model.Model._reject

    def unclamped(self: Any, batch: Any, *rest: Any) -> None:
        lane = self.lanes[batch.network, batch.operator]
        stake, short = lane.stake, self.rules[batch.network].stake_per_inference * batch.count
        lane.stake += short
        reject(self, batch, *rest)
        lane.stake = stake - short

    patch.setattr(model.Model, "_reject", unclamped)


def reward_to_the_prover(patch: pytest.MonkeyPatch) -> None:
    reject = model.Model._reject

    def rejecting(self: Any, batch: Any, payee: bytes, cause: Cause, place: int) -> None:
        if cause is Cause.DISPROOF and batch.kind is DisputeKind.CHALLENGE:
            payee = machine.ACCOUNTS[0]
        reject(self, batch, payee, cause, place)

    patch.setattr(model.Model, "_reject", rejecting)


def no_lock(patch: pytest.MonkeyPatch) -> None:
    class Never(defaultdict):
        def get(self, *_: Any) -> bool:
            return False

    make = model.Model.__init__

    def made(self: Any, *args: Any) -> None:
        make(self, *args)
        self.armed = Never()

    patch.setattr(model.Model, "__init__", made)


def key_of_everybody(patch: pytest.MonkeyPatch) -> None:
    commit_for = model.Model.commit_for
    patch.setattr(
        model.Model,
        "commit_for",
        lambda self, sender, operator, commits: commit_for(self, operator, operator, commits),
    )


def dirty_dispute(patch: pytest.MonkeyPatch) -> None:
    claim = model.Batch.claim
    patch.setattr(
        model.Model,
        "_mismatch",
        lambda self, said: {
            "PreImageMismatch": not self.held(said.batch)
            or said.undisputed() != claim(said.batch).undisputed(),
            "Reverted": said.dirt > 0,
        },
    )


def forgotten(reason: str) -> Fault:
    """A check that is not made."""

    def forget(patch: pytest.MonkeyPatch) -> None:
        need = model.Model._need

        def needing(**reasons: bool) -> None:
            need(**{name: holds for name, holds in reasons.items() if name != reason})

        patch.setattr(model.Model, "_need", staticmethod(needing))

    forget.__name__ = f"no {reason}"
    return forget


def signers_of_a_repeat(patch: pytest.MonkeyPatch) -> None:
    convict = CommitteeModel.convict

    def convicting(self: Any, batch: Any, *rest: Any) -> None:
        cause = batch.cause
        batch.cause = Cause.ORDER if cause is Cause.REPEAT or cause is Cause.TIMEOUT else cause
        try:
            convict(self, batch, *rest)
        finally:
            batch.cause = cause

    patch.setattr(CommitteeModel, "convict", convicting)


FAULTS: list[Fault] = [
    another_reward,
    no_lapse_by_age,
    no_clamp,
    reward_to_the_prover,
    no_lock,
    key_of_everybody,
    forgotten("NetworkFull"),
    forgotten("LaneFull"),
    forgotten("NetworkNotFound"),
    forgotten("SlotTaken"),
    dirty_dispute,
    signers_of_a_repeat,
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_walk__planted_fault__is_found(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    fault(monkeypatch)

    with pytest.raises(Mismatch):
        for seed in range(30):
            walk(seed, 500, edges=seed % 2 == 0)


def test_shrink__planted_fault__few_actions_do_it(monkeypatch: pytest.MonkeyPatch) -> None:
    key_of_everybody(monkeypatch)

    story = shrink(partial(follow, 1), seed=1, steps=500, seconds=20)

    assert isinstance(story.failure, Mismatch)
    assert "commitFor" in story.actions[-1]
    assert len(story.numbers) <= 5
