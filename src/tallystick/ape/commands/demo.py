"""ape tallystick demo: one story on a local chain of its own, which goes with it."""

import json
import shlex
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
    if not as_json:
        for line in going_on(data):
            console.print(line, soft_wrap=True, markup=False)


def going_on(data: Path | None) -> list[str]:
    """Return what there is to look at: the page, and three commands.

    Args:
        data: where the story was kept; None: nowhere, so that it is to be played again.
    """
    folder = shlex.quote(str(data or "story"))
    again = [] if data else [f"  ape tallystick demo --data {folder}", "keeps the story. Then"]
    return [
        "",
        *again,
        f"  tallystick serve --data {folder} --probes {folder}/probes.jsonl",
        "shows it as a page at http://127.0.0.1:8080, and in the terminal",
        f"  tallystick totals --data {folder} --by operator",
        f"  tallystick measures --data {folder}",
        f"  tallystick utility --data {folder} --probes {folder}/probes.jsonl",
    ]
