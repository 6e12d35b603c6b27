"""One story on a local chain of its own, from register to totals; the chain goes with it."""

import json
import sys
import time

import click
from rich.console import Console

from tallystick.demo import report, story
from tallystick.errors import TallystickError


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a network.")
def cli(as_json: bool) -> None:
    """Play the demo: real model, real data, three cheats, one false challenge."""
    console, start = Console(stderr=as_json, highlight=False), time.monotonic()

    def tell(line: str) -> None:
        console.print(f"[dim]{time.monotonic() - start:5.1f} s[/dim]  {line}", soft_wrap=True)

    try:
        rows = story.run(tell)
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
