"""Walks: many random actions from one seed, each compared."""

import random
from collections.abc import Iterable

from tests.invariant.actions import ORDINARY
from tests.invariant.audits import AUDITS
from tests.invariant.choices import Action
from tests.invariant.endings import end
from tests.invariant.hostile import HOSTILE
from tests.invariant.machine import Machine

WEIGHTS: dict[Action, int] = {**ORDINARY, **HOSTILE, **AUDITS}
_KINDS, _ODDS = list(WEIGHTS), list(WEIGHTS.values())
VIEWS_EVERY = 200
"""Steps after which all views are asked, of all there is."""


def step(machine: Machine) -> None:
    """Make one random action, and look whether every word is as it must be."""
    (action,) = machine.choose.choices(_KINDS, _ODDS)
    machine.world.touched = False
    action(machine)
    # What is refused changes nothing: the machine takes it back.
    if machine.world.touched:
        machine.checks.words()


def near_the_ends(seed: int) -> bool:
    """Whether a walk that may begin near the fields' ends does."""
    return seed % 3 == 0


def walk(seed: int, steps: int, edges: bool = False) -> Machine:
    """Make many random actions from one seed, comparing everything as it goes.

    Raises:
        Mismatch: contract, model and events disagree; `machine` is where.
    """
    return follow(seed, range(steps), edges)


def follow(seed: int, numbers: Iterable[int], edges: bool = False) -> Machine:
    """Make some steps of a walk; each has a source of its own, so that any may be left out."""
    machine = Machine(random.Random(seed), edges)
    try:
        for number in numbers:
            machine.choose = random.Random(seed << 32 | number)
            step(machine)
            if number % VIEWS_EVERY == 0:
                machine.checks.views()
        end(machine)
        machine.checks.views()
        machine.checks.events()
    except Exception as failure:
        failure.machine = machine  # type: ignore[attr-defined]
        raise
    return machine
