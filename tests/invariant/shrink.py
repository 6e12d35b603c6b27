"""A walk that failed, cut down to the few steps that it takes."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tallystick.protocol.hexes import to_hex
from tests.invariant.machine import Machine

Follow = Callable[[Iterable[int]], object]
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


def shrink(follow: Follow, seed: int, steps: int, seconds: float) -> Story:
    """Leave out steps, many at a time at first, as long as the rest still fails.

    Args:
        follow: makes those steps of the walk whose numbers it is given.
        seed: of the walk.
        steps: of the whole walk.
        seconds: for which fewer are looked for.

    Raises:
        ValueError: the walk does not fail.
    """
    end = time.monotonic() + seconds
    best = _failing(follow, seed, range(steps), steps)
    if best is None:
        raise ValueError(f"seed {seed} does not fail")
    size = len(best.numbers)
    while size > 0 and time.monotonic() < end:
        at = 0
        while at < len(best.numbers) and time.monotonic() < end:
            rest = best.numbers[:at] + best.numbers[at + size :]
            fewer = _failing(follow, seed, rest, steps)
            if fewer is not None and _kind(fewer) == _kind(best):
                best = fewer
            else:
                at += size
        size //= 2
    return best


def _failing(follow: Follow, seed: int, numbers: Sequence[int], steps: int) -> Story | None:
    """The steps up to the one that fails, or None if none does."""
    taken: list[int] = []
    try:
        follow(_noting(numbers, taken))
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
