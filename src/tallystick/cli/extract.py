"""tallystick extract: a registry's events from JSON-RPC into the data folder."""

from pathlib import Path

import click

from tallystick.cli.bars import stages
from tallystick.cli.command import ConsoleCommand
from tallystick.cli.options import (
    concurrency_option,
    data_option,
    depth_option,
    first_block_option,
    range_option,
    rpc_option,
)
from tallystick.cli.output import show
from tallystick.cli.params import ADDRESS, BLOCK_RANGE


@click.command(cls=ConsoleCommand, example="tallystick extract $REGISTRY --rpc $RPC")
@click.argument("registry", type=ADDRESS, required=False, envvar="TALLYSTICK_REGISTRY")
@rpc_option
@data_option
@first_block_option
@depth_option
@range_option
@concurrency_option
@click.option(
    "--repair",
    type=BLOCK_RANGE,
    metavar="FIRST:LAST",
    help="Read these blocks once more, of the pools too, and add the logs that a node left out.",
)
@click.option("--gas", is_flag=True, help="Fetch receipts too, for gas per verified inference.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def extract(
    registry: bytes | None,
    rpcs: tuple[str, ...],
    data: Path,
    first_block: int,
    depth: int | None,
    block_range: int,
    concurrency: int,
    repair: tuple[int, int] | None,
    gas: bool,
    as_json: bool,
) -> None:
    """Bring the data folder up to the chain's head for REGISTRY, an address.

    Without one it is the registry that `ape tallystick deploy` has recorded for the chain.

    Run again at any time, after any crash: it goes on where it was, and replaces what a reorg has
    changed.
    """
    from tallystick.data.extract.dataset import Dataset
    from tallystick.data.extract.extractor import ExtractPlan
    from tallystick.data.pipeline import bring

    if registry is None:
        registry = _recorded(rpcs[0])
    plan = ExtractPlan(rpcs, registry, first_block, depth, block_range, concurrency, repair=repair)
    with stages() as stage:
        done, resolvers = bring(Dataset(data), plan, gas, stage)
    if done.last_block < done.latest_block:
        nearer = "; finalized blocks are read: --depth BLOCKS reads nearer to it"
        click.echo(
            f"the folder goes up to block {done.last_block}, the latest is {done.latest_block}"
            + (nearer if depth is None else ""),
            err=True,
        )
    show(
        {
            "chain_id": done.contract.chain_id,
            "core": done.contract.address,
            "first_block": done.first_block,
            "last_block": done.last_block,
            "events": done.rows,
            "files_written": done.written,
            "files_replaced": done.replaced,
            "logs_repaired": done.added,
            "resolvers_identified": resolvers,
        },
        as_json,
    )


def _recorded(url: str) -> bytes:
    from tallystick.cli.chain import connect
    from tallystick.cli.session import Session

    return Session(connect(url)).registry.address
