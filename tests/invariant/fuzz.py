"""Random actions for as long as one likes: `make fuzz`."""

import os
import random
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from functools import partial
from itertools import count

import click
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from tests.invariant import pool_walk
from tests.invariant.shrink import Story, shrink
from tests.invariant.walk import follow, near_the_ends

STEPS = 1000
SHRINKING = 120
"""Seconds spent on finding fewer actions that fail."""


@click.command()
@click.option("--seconds", default=60.0, show_default=True, help="How long.")
@click.option("--seed", type=int, help="First seed; one that failed repeats the failure.")
@click.option("--jobs", type=click.IntRange(1), help="Processes at a time.  [default: one a core]")
def main(seconds: float, seed: int | None, jobs: int | None) -> None:
    """Drive registry, committee and pool beside their models until the time is over, or they
    disagree: even seeds walk the registry with a committee, odd ones the registry with a pool."""
    first = random.randrange(2**32) if seed is None else seed
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    with Progress(
        SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    ) as progress:
        task = progress.add_task(f"from seed {first}")
        steps, start, failed = 0, time.monotonic(), None
        for failed in _outcomes(first, seconds, jobs or cores or 1):
            if failed is not None:
                break
            steps += STEPS
            rate = steps / (time.monotonic() - start)
            progress.update(task, description=f"{steps:,} steps, {rate:,.0f} a second")
        if failed is not None:
            progress.update(task, description=f"seed {failed} fails; looking for fewer actions")
            story = shrink(partial(_follow, failed), failed, STEPS, SHRINKING)
    if failed is not None:
        _tell(story)
        raise click.ClickException(f"seed {failed}: {story.failure}")
    click.echo(
        f"{steps:,} steps from seed {first}, {steps / (time.monotonic() - start):,.0f} a second: "
        "contracts, models and events agree"
    )


def _outcomes(first: int, seconds: float, jobs: int) -> Iterator[int | None]:
    """Yield None for each walk that went well, and the seed of the first that did not."""
    end, seeds = time.monotonic() + seconds, count(first)
    pool = ProcessPoolExecutor(jobs)
    try:
        running: dict[Future[bool], int] = {}
        while True:
            while len(running) < jobs and time.monotonic() < end:
                seed = next(seeds)
                running[pool.submit(_walk, seed)] = seed
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                seed = running.pop(future)
                yield None if future.result() else seed
    finally:
        pool.shutdown(cancel_futures=True)


def _follow(seed: int, numbers: Iterable[int]) -> object:
    """Make some steps of the walk of a seed."""
    if seed % 2:
        return pool_walk.follow(seed, numbers)
    return follow(seed, numbers, near_the_ends(seed))


def _walk(seed: int) -> bool:
    try:
        _follow(seed, range(STEPS))
    except Exception:  # Whatever it is: the seed repeats it.
        return False
    return True


def _tell(story: Story) -> None:
    for line in story.actions:
        click.echo(line)
    click.echo(
        f"{len(story.numbers)} of {story.tried} steps do it. Repeat: "
        f"make fuzz SEED={story.seed} JOBS=1"
    )


if __name__ == "__main__":
    main()
