"""tallystick reconcile: events' totals beside the contract's counters."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from tallystick.cli.command import ConsoleCommand
from tallystick.cli.options import by_chain, data_option, output_options
from tallystick.cli.output import write
from tallystick.protocol.hexes import to_hex


@click.command(cls=ConsoleCommand, example="tallystick reconcile --rpc $CHAIN=$RPC")
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
    from tallystick.data.analysis import Analysis
    from tallystick.data.reconcile.compared import Compared
    from tallystick.data.reconcile.folder import reconcile as run
    from tallystick.data.reconcile.folder import remedy
    from tallystick.errors import TallystickError

    urls = by_chain(rpcs)
    analysis = Analysis(data)
    found = run(analysis, urls)
    write(_rows(found), form, output)
    differences: list[Compared] = [one for one in found if not one.agrees]
    if differences:
        apart = {(one.chain_id, one.address) for one in differences}
        lines = [str(one) for one in differences]
        lines += [
            remedy(held)
            for held in analysis.coverage
            if (held.contract.chain_id, to_hex(held.contract.address)) in apart
        ]
        raise TallystickError("; ".join(lines))


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
