"""What an action is about: a network, a batch that suits it, a leaf."""

from collections.abc import Callable

from tallystick.protocol.abi_words import ZERO32
from tallystick.protocol.enums import DisputeKind, State
from tests.invariant import model as plain
from tests.invariant.batches import fresh
from tests.invariant.machine import ACCOUNTS, SLOTS, Machine

Action = Callable[[Machine], object]


def network_of(machine: Machine) -> int:
    """A network, now and then one that does not exist."""
    if machine.choose.random() < 0.03:
        known = machine.choose.choice(machine.networks)
        near = known[:-1] + bytes([known[-1] ^ 1])
        machine.unknown = machine.choose.choice([ZERO32, near, known[::-1]])
        return plain.UNKNOWN
    return machine.choose.choice(machine.playing)


Fits = Callable[[Machine, plain.Batch], bool]


def some(machine: Machine, fits: Fits = lambda machine, batch: True) -> plain.Batch | None:
    """A batch, mostly one of the latest, and one that fits."""
    choose = machine.choose
    if choose.random() < 0.01:
        machine.unknown = ZERO32
        network = choose.choice([plain.UNKNOWN, *machine.playing])
        return fresh(machine, network, choose.choice(ACCOUNTS), 0, choose.randrange(SLOTS))
    if not machine.batches:
        return None
    fitting = [batch for batch in machine.batches[-30:] if fits(machine, batch)]
    if fitting and choose.random() < 0.75:
        return choose.choice(fitting)
    return choose.choice(machine.batches[-10:] if choose.random() < 0.9 else machine.batches)


def on_batch(fits: Fits) -> Callable[[Callable[[Machine, plain.Batch], object]], Action]:
    """An action that needs a batch."""

    def decorate(action: Callable[[Machine, plain.Batch], object]) -> Action:
        def moving(machine: Machine) -> None:
            batch = some(machine, fits)
            if batch is not None:
                action(machine, batch)

        moving.__name__ = action.__name__
        return moving

    return decorate


def place_of(machine: Machine, batch: plain.Batch) -> int:
    """A leaf that somebody knows."""
    return machine.choose.randrange(len(batch.leaves))


def sound(machine: Machine) -> bool:
    """Whether a proof is right."""
    return machine.choose.random() < 0.97


def answer(machine: Machine, highest: int) -> int:
    return machine.choose.choice([*range(highest + 1), highest, highest])


def in_window(machine: Machine, batch: plain.Batch) -> bool:
    return batch.state is State.OPEN and batch.closes_at > machine.now


def demanded(machine: Machine, batch: plain.Batch) -> bool:
    return batch.kind is DisputeKind.DEMAND


def challenged(machine: Machine, batch: plain.Batch) -> bool:
    return batch.kind is DisputeKind.CHALLENGE


def answerable(machine: Machine, batch: plain.Batch) -> bool:
    return demanded(machine, batch) and batch.due >= machine.now


def rulable(machine: Machine, batch: plain.Batch) -> bool:
    return challenged(machine, batch) and batch.due >= machine.now


def pending(machine: Machine, batch: plain.Batch) -> bool:
    return batch.state in (State.OPEN, State.DISPUTED)


def disordered(machine: Machine, batch: plain.Batch) -> bool:
    return pending(machine, batch) and bool(faults_of_order(batch))


def misdated(machine: Machine, batch: plain.Batch) -> bool:
    latest = batch.committed_at + machine.model.rules_of(batch.network).challenge_window // 2
    return pending(machine, batch) and any(leaf.deadline > latest for leaf in batch.leaves)


def finalizable(machine: Machine, batch: plain.Batch) -> bool:
    return batch.state is State.OPEN and batch.closes_at <= machine.now


def archivable(machine: Machine, batch: plain.Batch) -> bool:
    return batch.state is State.FINAL and not batch.archived and machine.model.held(batch)


def repeating(machine: Machine, batch: plain.Batch) -> bool:
    return pending(machine, batch) and bool(repeats_in(machine, batch))


def faults_of_order(batch: plain.Batch) -> list[tuple[int, int]]:
    """Places of two leaves that are out of order, or equal."""
    keys = [leaf.key for leaf in batch.leaves]
    return [(a, b) for b in range(len(keys)) for a in range(b) if keys[a] >= keys[b]]


Repeat = tuple[int, plain.Batch, int]
"""A leaf's place, another batch of the lane, and the place there of a leaf with the same key."""


def repeats_in(machine: Machine, batch: plain.Batch) -> list[Repeat]:
    """Leaves of the batch that earlier ones hold too, as long as those can be shown."""
    keys = {leaf.key: place for place, leaf in enumerate(batch.leaves)}
    return [
        (keys[leaf.key], earlier, other)
        for earlier in machine.batches[-60:]
        if (earlier.network, earlier.operator) == (batch.network, batch.operator)
        and earlier.index < batch.index
        and earlier.state is not State.REJECTED
        and machine.model.held(earlier)
        for other, leaf in enumerate(earlier.leaves)
        if leaf.key in keys
    ]
