"""Walks of the pool over its registry: many random actions from one seed, each compared."""

import random
from collections.abc import Iterable

from tests.invariant import endings
from tests.invariant.compare import Mismatch
from tests.invariant.pool_actions import OF_CORE, OF_POOL, end
from tests.invariant.pool_machine import PoolMachine
from tests.invariant.walk import VIEWS_EVERY

WEIGHTS = {**OF_CORE, **OF_POOL}
_KINDS, _ODDS = list(WEIGHTS), list(WEIGHTS.values())


def walk(seed: int, steps: int, code: bytes | None = None) -> PoolMachine:
    """Make many random actions from one seed, comparing everything as it goes.

    Args:
        seed: of all choices.
        steps: how many.
        code: the pool's creation code, if not the package's.

    Raises:
        Mismatch: contracts, models and events disagree; `machine` is where.
    """
    return follow(seed, range(steps), code)


def follow(seed: int, numbers: Iterable[int], code: bytes | None = None) -> PoolMachine:
    """Make some steps of a walk; each has a source of its own, so that any may be left out."""
    machine = PoolMachine(random.Random(seed), code)
    try:
        for number in numbers:
            machine.choose = random.Random(seed << 32 | number)
            step(machine)
            if number % VIEWS_EVERY == 0:
                machine.checks.views()
        _finish(machine)
    except Exception as failure:
        failure.machine = machine  # type: ignore[attr-defined]
        raise
    return machine


def step(machine: PoolMachine) -> None:
    """Make one random action, and look whether every word is as it must be."""
    (action,) = machine.choose.choices(_KINDS, _ODDS)
    machine.world.touched = False
    action(machine)
    if machine.world.touched:
        machine.checks.words()
        machine.pool_checks.words()


def _finish(machine: PoolMachine) -> None:
    """Everybody takes out all that is theirs, of the pool and of the registry."""
    if not all(end(machine)):
        raise Mismatch("something keeps a case, or money, in the pool")
    machine.pool_checks.words()
    left = machine.pool_checks.balance() - machine.donated - machine.pool_model.burned
    if left:
        raise Mismatch(f"{left} units stay in the pool, and are nobody's")
    endings.end(machine)
    machine.checks.views()
    machine.checks.events()
