"""Random moves for as long as one likes: `make fuzz`."""

import random
import time

import click
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from tests.invariant.machine import Mismatch
from tests.invariant.moves import walk

STEPS = 500


@click.command()
@click.option("--seconds", default=60.0, show_default=True, help="How long.")
@click.option("--seed", type=int, help="First seed; one that failed repeats the failure.")
def main(seconds: float, seed: int | None) -> None:
    """Drive the core beside the model until the time is over, or they disagree."""
    first = random.randrange(2**32) if seed is None else seed
    start, steps, number = time.monotonic(), 0, first
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns) as progress:
        task = progress.add_task("")
        while time.monotonic() - start < seconds:
            try:
                walk(number, STEPS)
            except Mismatch as mismatch:
                raise click.ClickException(f"seed {number}: {mismatch}") from mismatch
            number, steps = number + 1, steps + STEPS
            rate = steps / (time.monotonic() - start)
            progress.update(task, description=f"{steps:,} steps, {rate:,.0f} a second")
    click.echo(f"{steps:,} steps from seed {first}: contract, model and events agree")


if __name__ == "__main__":
    main()
