"""tallystick networks, tallystick follow: networks that live elsewhere."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from tallystick.cli.bars import stages
from tallystick.cli.command import CommandError, ConsoleCommand
from tallystick.cli.options import data_option, output_options
from tallystick.cli.output import show, write, write_tables
from tallystick.cli.params import BLOCK_RANGE


@click.command(cls=ConsoleCommand, example="tallystick networks --data data")
@click.argument("name", required=False)
@data_option
@output_options
def networks(name: str | None, data: Path, form: str, output: Path | None) -> None:
    """List the adapters, and what the networks that are followed claim beside what was verified.

    With a NAME: that network's claims by verdict and reason. Counts of different units can't be
    added or compared.
    """
    from tallystick.networks import state
    from tallystick.networks.registered import adapters

    if name is None:
        write(list(_rows(data)), form, output)
        return
    found = state.read(data, name)
    if found is None:
        known = adapters()
        if name not in known:
            raise CommandError(
                f"no network {name} is followed into {data}, and no adapter has the name; "
                f"adapters: {', '.join(known)}"
            )
        raise CommandError(f"{name} is not followed into {data}; run `tallystick follow`")
    rows = [{"unit": found.unit, **row} for row in state.reasons(state.findings(data, name))]
    if form != "table":
        write(rows, form, output)
        return
    write_tables(
        {
            f"{found.title}, by verdict": rows,
            "Measures": [{"measure": key, "value": one} for key, one in found.measures.items()],
            "Cautions": [{"caution": one} for one in found.cautions],
        },
        output,
    )


def _rows(data: Path) -> Iterator[dict[str, Any]]:
    """Yield a line for each network that is followed, and each adapter that is not."""
    from tallystick.networks import state
    from tallystick.networks.registered import adapters

    followed = [found for one in state.names(data) if (found := state.read(data, one))]
    for one in followed:
        yield {
            "name": one.name,
            "network": one.title,
            "unit": one.unit,
            **state.summary(state.findings(data, one.name)),
            "last_block": dict(one.last_blocks),
            "state": "; ".join(_told(*pair) for pair in one.failures.items()) or "followed",
        }
    for adapter in adapters().values():
        if adapter.name not in {one.name for one in followed}:
            counts = dict.fromkeys(state.summary(state.findings(data, adapter.name)))
            yield {
                "name": adapter.name,
                "network": adapter.title,
                "unit": adapter.unit,
                **counts,
                "last_block": None,
                "state": "not followed",
            }


def _told(chain: str, failure: str) -> str:
    return f"chain {chain}: {failure}" if chain else failure


@click.command(cls=ConsoleCommand, example="tallystick follow networks.yaml --data data")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--only", multiple=True, metavar="NAME", help="Of the file's networks; else all.")
@click.option(
    "--repair",
    type=(int, BLOCK_RANGE),
    metavar="CHAIN FIRST:LAST",
    help="Read these blocks of a chain once more, and add the logs that a node left out.",
)
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def follow(
    ctx: click.Context,
    file: Path,
    only: tuple[str, ...],
    repair: tuple[int, tuple[int, int]] | None,
    data: Path,
    as_json: bool,
) -> None:
    """Bring the data folder up to date for the networks of FILE, and judge what they claim.

    Run again at any time, after any crash. A chain that fails stops no other; the exit code is 1
    then.
    """
    from tallystick.networks import state
    from tallystick.networks.follow import follow as run
    from tallystick.networks.networks_file import NetworksFile

    found = NetworksFile.read(file)
    if unknown := set(only) - {one.name for one in found.networks}:
        raise CommandError(f"{file} has no network {min(unknown)}")
    if repair and repair[0] not in found.chains:
        raise CommandError(f"{file} has no chain {repair[0]}")
    with stages() as stage:
        results = run(data, found, only, stage, (repair[0], *repair[1]) if repair else None)
    show(
        [
            {
                "name": one.name,
                "unit": one.unit,
                **state.summary(state.findings(data, one.name)),
                "last_block": dict(one.last_blocks),
            }
            for one in results
        ],
        as_json,
    )
    failed = [(one, pair) for one in results for pair in one.failures.items()]
    for one, pair in failed:
        click.echo(f"error: {one.name}: {_told(*pair)}", err=True)
    if failed:
        ctx.exit(1)
