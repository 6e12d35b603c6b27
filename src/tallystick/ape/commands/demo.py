"""ape tallystick demo: one story on a local chain of its own, which goes with it."""

import json
import time
from pathlib import Path

import click
from rich.console import Console

from tallystick.cli.command import CommandError, ConsoleCommand


@click.command(cls=ConsoleCommand, example="ape tallystick demo --data story")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a network.")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep what happened in this folder, new or empty, for `tallystick serve`.",
)
def cli(as_json: bool, data: Path | None) -> None:
    """Play the demo: real model, real data, cheats, a false challenge, and a pool of auditors."""
    from tallystick.demo import report, story

    if data is not None and data.exists() and any(data.iterdir()):
        raise CommandError(f"{data} is not empty; needed: a new folder")
    console, start = Console(stderr=as_json, highlight=False), time.monotonic()

    def tell(line: str) -> None:
        console.print(f"[dim]{time.monotonic() - start:5.1f} s[/dim]  {line}", soft_wrap=True)

    rows = story.run(tell, data=data)
    if as_json:
        for row in rows:
            click.echo(json.dumps(row))
    else:
        console.print(report.table(rows))
    if not all(row["events_agree"] for row in rows):
        raise CommandError("events and contract disagree")
    console.print("Events and contract agree on every counter of every network.")
