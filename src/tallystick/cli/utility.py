"""tallystick utility: accessibility, verifiability, scalability, and their product."""

from datetime import date
from pathlib import Path
from typing import Any

import click

from tallystick.cli.command import ConsoleCommand
from tallystick.cli.options import data_option, output_options, since_option, until_option
from tallystick.cli.output import write


@click.command(cls=ConsoleCommand, example="tallystick utility --probes probes.jsonl --inputs")
@data_option
@click.option(
    "--probes",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Probe log; without one there is no accessibility, and no product.",
)
@since_option
@until_option
@click.option(
    "--reference",
    type=click.IntRange(1),
    default=1_000_000_000,
    show_default=True,
    help="Verified inferences a day at which scalability is 1.",
)
@click.option("--inputs", is_flag=True, help="Show what each part is made of.")
@output_options
def utility(
    data: Path,
    probes: Path | None,
    since: date | None,
    until: date | None,
    reference: int,
    inputs: bool,
    form: str,
    output: Path | None,
) -> None:
    """Show each network's utility over a period, its parts beside it.

    \b
    accessibility  answered / asked, from the probe log
    verifiability  verified / all inferences whose batches left open in the period
    scalability    min(1, log10(1 + verified per day) / log10(1 + reference))
    """
    from tallystick.data.analysis import Analysis

    analysis = Analysis(data)
    names = {key: row["name"] for key, row in analysis.networks().items()}
    rows = []
    for key, one in analysis.utility(probes, since, until, reference).items():
        chain_id, address, network_id = key
        row: dict[str, Any] = {"chain_id": chain_id, "address": address, "network_id": network_id}
        row |= {"name": names.get(key, ""), "accessibility": one.accessibility}
        row |= {"verifiability": one.verifiability, "scalability": one.scalability}
        row |= {"utility": one.utility}
        if inputs:
            row |= {"asked": one.asked, "answered": one.answered, "verified": one.verified}
            row |= {"left_open": one.left_open, "days": one.days, "reference": one.reference}
        rows.append(row)
    write(rows, form, output)
    first, last = analysis.period()
    click.echo(
        f"period: {since or first} to {until or last}, the last day not included; "
        f"probe log: {probes or 'none, so no accessibility and no product'}",
        err=True,
    )
