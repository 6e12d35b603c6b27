"""One story on a local chain of its own, from register to totals; the chain goes with it."""

import json
import sys
import time
from pathlib import Path

import click
from rich.console import Console

from tallystick.demo import report, story
from tallystick.errors import TallystickError


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a network.")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep what happened in this folder, new or empty, for `tallystick serve`.",
)
def cli(as_json: bool, data: Path | None) -> None:
    """Play the demo: real model, real data, three cheats, one false challenge."""
    if data is not None and data.exists() and any(data.iterdir()):
        raise click.ClickException(f"{data} is not empty; needed: a new folder")
    console, start = Console(stderr=as_json, highlight=False), time.monotonic()

    def tell(line: str) -> None:
        console.print(f"[dim]{time.monotonic() - start:5.1f} s[/dim]  {line}", soft_wrap=True)

    try:
        rows = story.run(tell, data=data)
    except TallystickError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        for row in rows:
            click.echo(json.dumps(row))
    else:
        console.print(report.table(rows))
    if not all(row["events_agree"] for row in rows):
        click.echo("events and contract disagree", err=True)
        sys.exit(1)
    console.print("Events and contract agree on every counter of every network.")
