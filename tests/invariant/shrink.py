"""A walk that failed, cut down to the few steps that it takes."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tallystick.protocol.hexes import to_hex
from tests.invariant.machine import Machine
from tests.invariant.walk import follow

WIDTH = 160
"""Characters of an action that are shown."""


@dataclass(frozen=True)
class Story:
    """Steps of one seed that fail."""

    seed: int
    numbers: tuple[int, ...]
    tried: int
    """How many the whole walk had."""
    failure: Exception
    actions: tuple[str, ...]
    """What was done, one line each."""


def shrink(seed: int, steps: int, edges: bool, seconds: float) -> Story:
    """Leave out steps, many at a time at first, as long as the rest still fails.

    Raises:
        ValueError: the walk does not fail.
    """
    end = time.monotonic() + seconds
    best = _failing(seed, range(steps), steps, edges)
    if best is None:
        raise ValueError(f"seed {seed} does not fail")
    size = len(best.numbers)
    while size > 0 and time.monotonic() < end:
        at = 0
        while at < len(best.numbers) and time.monotonic() < end:
            rest = best.numbers[:at] + best.numbers[at + size :]
            fewer = _failing(seed, rest, steps, edges)
            if fewer is not None and _kind(fewer) == _kind(best):
                best = fewer
            else:
                at += size
        size //= 2
    return best


def _failing(seed: int, numbers: Sequence[int], steps: int, edges: bool) -> Story | None:
    """The steps up to the one that fails, or None if none does."""
    taken: list[int] = []
    try:
        follow(seed, _noting(numbers, taken), edges)
    except Exception as failure:
        machine: Machine | None = getattr(failure, "machine", None)
        actions = tuple(map(_line, machine.trace)) if machine else ()
        return Story(seed, tuple(taken), steps, failure, actions)
    return None


def _noting(numbers: Sequence[int], taken: list[int]) -> Any:
    for number in numbers:
        taken.append(number)
        yield number


def _kind(story: Story) -> str:
    """What went wrong, but for the amounts."""
    return f"{type(story.failure).__name__} {str(story.failure).split(' ')[0]}"


def _line(entry: tuple[int, str, tuple[Any, ...], str]) -> str:
    now, action, shown, end = entry
    text = _text(shown)
    return f"{now} {action} -> {end}: {text if len(text) <= WIDTH else text[:WIDTH] + '...'}"


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return to_hex(value[:4]) + ("..." if len(value) > 4 else "")
    if isinstance(value, tuple | list):
        return "(" + ", ".join(map(_text, value)) + ")"
    return str(value)
