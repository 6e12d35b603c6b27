"""tallystick reconcile: events' totals beside the contract's counters."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from tallystick.console.command import ConsoleCommand
from tallystick.console.options import by_chain, data_option, output_options
from tallystick.output import write


@click.command(cls=ConsoleCommand)
@data_option
@click.option(
    "--rpc",
    "rpcs",
    multiple=True,
    required=True,
    metavar="CHAIN_ID=URL",
    help="JSON-RPC URL of a chain; several of one are tried in turn.",
)
@output_options
def reconcile(data: Path, rpcs: tuple[str, ...], form: str, output: Path | None) -> None:
    """Compare every counter of every network with the contract's, at the folder's last block.

    Exit code 1 when any differs, naming network, counter, block and both values.
    """
    from tallystick.analysis import Analysis
    from tallystick.errors import TallystickError
    from tallystick.reconcile import Compared
    from tallystick.reconcile import reconcile as run

    urls = by_chain(rpcs)
    found = run(Analysis(data), urls)
    write(_rows(found), form, output)
    differences: list[Compared] = [one for one in found if not one.agrees]
    if differences:
        raise TallystickError("; ".join(str(one) for one in differences))


def _rows(found: Sequence[Any]) -> list[dict[str, Any]]:
    return [
        {
            "chain_id": one.chain_id,
            "address": one.address,
            "network_id": one.network_id,
            "counter": one.counter,
            "block": one.block,
            "from_events": one.from_events,
            "from_contract": one.from_contract,
            "agrees": one.agrees,
        }
        for one in found
    ]
