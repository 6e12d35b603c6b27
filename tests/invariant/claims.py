"""What callers say of batches: mostly the truth."""

from dataclasses import replace

from tallystick.protocol.enums import DisputeKind
from tests.invariant import model as plain
from tests.invariant.machine import ACCOUNTS, Machine

STAMPED = "index", "count", "commit_deadline", "slot", "committed_at", "block", "closes_at"


BATCH_WORDS = 2, 3, 6, 7, 8
"""Words of a pre-image, from one, that are wider than what they hold: of batch and stamp."""


DISPUTE_WORDS = 9, 10, 11, 12, 13


def forged(machine: Machine, claim: plain.Claim, stamp_only: bool = False) -> plain.Claim:
    """A claim that is wrong in one thing."""
    choose = machine.choose
    way = 0 if stamp_only else choose.choices([0, 1, 2], [20, 60, 20])[0]
    if way == 0:
        name = choose.choice(STAMPED)
        value = getattr(claim, name)
        near = value ^ 1 if name != "count" else value - 1 or 2
        return replace(claim, **{name: near})
    if way == 1:
        disputed = claim.kind is not DisputeKind.NONE
        changes = [
            {"kind": choose.choice([kind for kind in DisputeKind if kind is not claim.kind])},
            {"with_bytes": not claim.with_bytes},
            {"party": ACCOUNTS[3] if claim.party != ACCOUNTS[3] else ACCOUNTS[2]},
            {"place": claim.place + 1},
            {"due": claim.due + 1},
            {"leaf": 0 if claim.leaf == plain.NO_LEAF else plain.NO_LEAF},
        ]
        if disputed:
            return replace(claim, **choose.choice(changes))
        some = choose.sample(changes[1:], choose.randint(1, 5))
        return replace(claim, **{name: value for change in some for name, value in change.items()})
    return replace(claim, dirt=choose.choice([*BATCH_WORDS, *DISPUTE_WORDS]))


def forged_batch(machine: Machine, claim: plain.Claim) -> plain.Claim:
    """A claim that is wrong in one of the batch's own fields."""
    name = machine.choose.choice(["index", "commit_deadline"])
    return replace(claim, **{name: getattr(claim, name) ^ 1})


def said(machine: Machine, batch: plain.Batch) -> plain.Claim:
    """What the caller says of a batch: mostly the truth."""
    claim = batch.claim()
    return forged(machine, claim) if machine.choose.random() < 0.04 else claim


def said_open(machine: Machine, batch: plain.Batch, dirt: bool = True) -> plain.Claim:
    """The same, for an action that takes no dispute."""
    claim = batch.claim().undisputed()
    if machine.choose.random() >= 0.04:
        return claim
    if dirt and machine.choose.random() < 0.3:
        return replace(claim, dirt=machine.choose.choice(BATCH_WORDS))
    return forged(machine, claim, stamp_only=True)


def open_words(machine: Machine, claim: plain.Claim) -> tuple[object, bytes]:
    return machine.batch_of(claim).abi(), machine.stamp(claim).pack()
