"""The compiled pool over its registry against a plain model of the design, by random actions."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("pyrevm", reason="pyrevm has no wheel for this Python or processor")

from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.enums import Cause, Ruling
from tests.invariant import pool_model
from tests.invariant.compare import Mismatch
from tests.invariant.pool_machine import PoolMachine
from tests.invariant.pool_model import PoolModel
from tests.invariant.pool_walk import walk

SEEDS = range(7)
STEPS = 500
KINDS = {
    "deposit into the pool", "withdraw from the pool", "sweep of the pool", "enroll",
    "close a key", "leave", "collect", "fund", "notice", "defund", "audit by the pool", "appeal",
    "ruled UPHELD", "ruled REJECTED", "expire", "convict by the pool",
}  # fmt: skip
NEVER_REFUSED = {"notice", "collect"}


@pytest.fixture(scope="module")
def walked() -> list[PoolMachine]:
    return [walk(seed, STEPS) for seed in SEEDS]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_walk__every_kind_of_action_of_a_pool__was_made_and_was_refused(
    walked: list[PoolMachine], kind: str
) -> None:
    done = sum(machine.done[kind] for machine in walked)
    refused = sum(machine.refused[kind] for machine in walked)

    assert done >= 3
    assert refused >= (0 if kind in NEVER_REFUSED else 1)


@pytest.mark.parametrize(
    "error",
    [
        "AuditStoredBefore", "CaseMissing", "CaseNotOver", "CaseOpen", "EntrySignatureInvalid",
        "EpochGone", "ModelMismatch", "NetworkForeign", "NotConvictable", "PlaceTaken",
        "PoolTooSmall", "RecordMismatch", "SeedUnavailable", "SignerBarred", "SignersOutOfOrder",
        "StakeHeld", "TooFewPlaces",
    ],
)  # fmt: skip
def test_walk__refusal_of_a_pool__was_met(walked: list[PoolMachine], error: str) -> None:
    assert any(end == error for machine in walked for *_, end in machine.trace)


def test_walk__pools__held_coins_and_tokens_and_burned(walked: list[PoolMachine]) -> None:
    assets = Counter(machine.pool.terms.asset == ZERO_ADDRESS for machine in walked)
    assert assets[True] and assets[False]
    assert sum(machine.done["sweep of the pool"] for machine in walked) >= 5
    records = [len(machine.pool_model.records) for machine in walked]
    assert sum(records) >= 30


Fault = Callable[[pytest.MonkeyPatch], object]


def whole_hold(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(pool_model, "HOLD", 0)


def another_share(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(pool_model, "FINDERS", 8)


def older_lists(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(pool_model, "LISTS", 4)


def one_block_more(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(pool_model, "KNOWN_BLOCKS", 8192)


def fewer_reject(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(pool_model.Terms, "needed", lambda self, ruling: self.panel + 1)


def signers_of_a_timeout(patch: pytest.MonkeyPatch) -> None:
    convict = PoolModel.convict

    def convicting(self: Any, finder: bytes, claim: Any, given: Any) -> None:
        batch, cause = claim.batch, claim.batch.cause
        batch.cause = Cause.ORDER if cause is Cause.TIMEOUT else cause
        try:
            convict(self, finder, claim, given)
        finally:
            batch.cause = cause

    patch.setattr(PoolModel, "convict", convicting)


def nobody_barred(patch: pytest.MonkeyPatch) -> None:
    faults = PoolModel._claim_faults
    patch.setattr(
        PoolModel, "_claim_faults", lambda self, *args: faults(self, *args[:5], barred=())
    )


def spared_by_a_stranger(patch: pytest.MonkeyPatch) -> None:
    need = PoolModel._need

    def needing(**reasons: bool) -> None:
        if set(reasons) != {"StateForbids"}:
            need(**reasons)

    patch.setattr(PoolModel, "_need", staticmethod(needing))


def paid_to_the_sender(patch: pytest.MonkeyPatch) -> None:
    ruled = PoolModel.ruled

    def ruling(self: Any, sender: bytes, *rest: Any) -> None:
        ruled(self, sender, *rest)
        if rest[3] is Ruling.UPHELD:
            self.credits[sender] += 1

    patch.setattr(PoolModel, "ruled", ruling)


def no_lists(patch: pytest.MonkeyPatch) -> None:
    """The list of the next epoch is drawn from too."""
    faults = PoolModel._list_faults

    def found(self: Any, epoch: int, now: int) -> dict[str, bool]:
        return faults(self, epoch, now) | {"PoolTooSmall": False}

    patch.setattr(PoolModel, "_list_faults", found)


FAULTS: list[Fault] = [
    whole_hold,
    another_share,
    older_lists,
    one_block_more,
    fewer_reject,
    signers_of_a_timeout,
    nobody_barred,
    spared_by_a_stranger,
    paid_to_the_sender,
    no_lists,
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_walk__fault_planted_in_the_pools_model__is_found(
    fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault(monkeypatch)

    with pytest.raises(Mismatch):
        for seed in range(60):
            walk(seed, STEPS)
