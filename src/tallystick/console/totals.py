"""tallystick totals, measures, requesters: what a data folder says."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import click

from tallystick.console.command import ConsoleCommand
from tallystick.console.options import data_option, output_options, since_option, until_option
from tallystick.output import write


@click.command(cls=ConsoleCommand)
@data_option
@click.option(
    "--by",
    type=click.Choice(["operator", "model", "day"]),
    multiple=True,
    help="Split further; may be given several times.",
)
@since_option
@until_option
@output_options
def totals(
    data: Path,
    by: tuple[str, ...],
    since: date | None,
    until: date | None,
    form: str,
    output: Path | None,
) -> None:
    """Show each network's counters, in inferences; verified = audited + enclave + proven.

    Totals of different networks do not add up: one work may be committed in several.
    """
    from tallystick.analysis import Analysis

    analysis = Analysis(data)
    _write(analysis, analysis.totals(by, since, until).to_pylist(), form, output)


@click.command(cls=ConsoleCommand)
@data_option
@output_options
def measures(data: Path, form: str, output: Path | None) -> None:
    """Show what each network's numbers rest on: resolvers, stake, demand, gas."""
    from tallystick.analysis import Analysis

    analysis = Analysis(data)
    _write(analysis, analysis.measures().to_pylist(), form, output)


@click.command(cls=ConsoleCommand)
@data_option
@output_options
def requesters(data: Path, form: str, output: Path | None) -> None:
    """Show inferences per requester, as far as batch data were collected."""
    from tallystick.analysis import Analysis

    analysis = Analysis(data)
    _write(analysis, analysis.requesters().to_pylist(), form, output)


def _write(
    analysis: Any, rows: Sequence[Mapping[str, Any]], form: str, output: Path | None
) -> None:
    write(rows, form, output)
    if strangers := analysis.strangers():
        events = sum(one["events"] for one in strangers)
        click.echo(
            f"left out: {events} events of {len(strangers)} networks that no event registers; "
            "`tallystick reconcile` asks the core about them",
            err=True,
        )
    for held in analysis.coverage:
        click.echo(
            f"rests on {held.rows} events of {held.core.folder}, blocks {held.first_block} to "
            f"{held.last_block}",
            err=True,
        )
