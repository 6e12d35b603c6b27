"""tallystick extract: a core's events from JSON-RPC into the data folder."""

from pathlib import Path

import click

from tallystick.console.bars import stages
from tallystick.console.command import ConsoleCommand
from tallystick.console.options import (
    concurrency_option,
    data_option,
    depth_option,
    first_block_option,
    range_option,
    rpc_option,
)
from tallystick.output import show
from tallystick.params import ADDRESS


@click.command(cls=ConsoleCommand)
@click.argument("core", type=ADDRESS)
@rpc_option
@data_option
@first_block_option
@depth_option
@range_option
@concurrency_option
@click.option("--gas", is_flag=True, help="Fetch receipts too, for gas per verified inference.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def extract(
    core: bytes,
    rpcs: tuple[str, ...],
    data: Path,
    first_block: int,
    depth: int | None,
    block_range: int,
    concurrency: int,
    gas: bool,
    as_json: bool,
) -> None:
    """Bring the data folder up to the chain's head for CORE, the registry's address.

    Run again at any time, after any crash: it goes on where it was, and replaces what a reorg has
    changed.

    \b
    tallystick extract 0x... --rpc https://... --from-block 21000000
    """
    from tallystick.extract.dataset import Dataset
    from tallystick.extract.extractor import Plan
    from tallystick.pipeline import bring

    plan = Plan(rpcs, core, first_block, depth, block_range, concurrency)
    with stages() as stage:
        done, resolvers = bring(Dataset(data), plan, gas, stage)
    show(
        {
            "chain_id": done.core.chain_id,
            "core": done.core.address,
            "first_block": done.first_block,
            "last_block": done.last_block,
            "events": done.rows,
            "files_written": done.written,
            "files_replaced": done.replaced,
            "resolvers_identified": resolvers,
        },
        as_json,
    )
