"""Verifiers that live for some milliseconds at a time: kill -9 at random, over and over."""

import multiprocessing
import random
import time
from collections.abc import Callable, Sequence
from typing import Any

from tallystick.node.verifier import tried
from tests.node.verifier.stage import VERIFIERS, Stage


def live(stage: Stage, number: int, changes: dict[str, Any]) -> None:
    # Killed while it read a file, it would let that one rest for longer than the test lasts.
    tried.AGAIN_AFTER, tried.MOST = 0.0, 1000
    verifier = stage.verifier(number, **changes)
    while True:
        verifier.tick()


def kill_until(
    over: Callable[[], bool],
    stage: Stage,
    seconds: float = 180,
    seed: int = 5,
    numbers: Sequence[int] = VERIFIERS,
    **changes: Any,
) -> int:
    """Kill the verifiers, children of this process, until all is done; return the kills.

    Args:
        over: tells whether it is, after each kill.
        stage: theirs.
        seconds: after which an AssertionError says that it is not done.
        seed: of the lives' lengths.
        numbers: of the verifiers' accounts.
        changes: of their settings.
    """
    chance, fork = random.Random(seed), multiprocessing.get_context("fork")
    kills, rounds, deadline = 0, 0, time.monotonic() + seconds
    while not over():
        assert time.monotonic() < deadline, f"not all done after {kills} kills"
        children = [
            fork.Process(target=live, args=(stage, number, changes), daemon=True)
            for number in numbers
        ]
        for child in children:
            child.start()
        # Longer each time: on a busy machine a short life is all beginning.
        time.sleep(chance.uniform(0.05, 0.2) * 1.25**rounds)
        rounds += 1
        for child in children:
            child.kill()
            child.join()
            kills += 1
    return kills
