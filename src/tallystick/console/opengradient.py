"""tallystick opengradient: another network's inferences, counted and audited."""

from pathlib import Path

import click

from tallystick.console.bars import bar, stages
from tallystick.console.command import ConsoleCommand
from tallystick.console.options import (
    concurrency_option,
    data_option,
    depth_option,
    output_options,
    range_option,
    rpc_option,
)
from tallystick.output import show, write
from tallystick.params import ADDRESS


@click.group()
def opengradient() -> None:
    """Count and audit what OpenGradient settles.

    \b
    tallystick opengradient extract RELAY REGISTRY --rpc URL
    tallystick opengradient audit --blobs https://aggregator/v1/blobs
    """


@opengradient.command(cls=ConsoleCommand)
@click.argument("relay", type=ADDRESS)
@click.argument("registry", type=ADDRESS)
@rpc_option
@data_option
@click.option("--from-block", "first_block", type=click.IntRange(0), default=0, show_default=True)
@depth_option
@range_option
@concurrency_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def extract(
    relay: bytes,
    registry: bytes,
    rpcs: tuple[str, ...],
    data: Path,
    first_block: int,
    depth: int | None,
    block_range: int,
    concurrency: int,
    as_json: bool,
) -> None:
    """Bring the data folder up to the head for RELAY, the settlement relay, and the TEE REGISTRY.

    Run again at any time, after any crash. The first block must lie before the registry's first
    event, or keys registered earlier are unknown.
    """
    from tallystick.extract.dataset import Dataset
    from tallystick.extract.extractor import Plan
    from tallystick.opengradient.folder import extract_settlements

    plan = Plan(rpcs, relay, first_block, depth, block_range, concurrency)
    with bar("extract (blocks)") as progress:
        folder, done, keys = extract_settlements(Dataset(data), plan, registry, progress)
    show(
        {
            "chain_id": done.core.chain_id,
            "relay": done.core.address,
            "registry": folder.registry.address,
            "last_block": done.last_block,
            "events": done.rows,
            "keys_fetched": keys,
        },
        as_json,
    )


@opengradient.command(cls=ConsoleCommand)
@click.option("--blobs", required=True, help="Folder or URL of the batches' blobs.")
@click.option("--relay", type=ADDRESS, help="Which relay, if the folder has several.")
@data_option
@click.option(
    "--by",
    type=click.Choice(["day", "settlement"]),
    default="day",
    show_default=True,
    help="Claimed beside verified per day (UTC), or each settlement with its lies.",
)
@click.option("--workers", type=click.IntRange(1), help="Processes; else one a core.")
@output_options
def audit(
    blobs: str,
    relay: bytes | None,
    data: Path,
    by: str,
    workers: int | None,
    form: str,
    output: Path | None,
) -> None:
    """Check each settlement's root, leaves, signatures and keys, and count what holds, once.

    What counts becomes a network of the data folder, marked as imported, for `tallystick totals`.
    """
    from tallystick.extract.dataset import Dataset
    from tallystick.opengradient.audit import audit as run
    from tallystick.opengradient.audit import by_day
    from tallystick.opengradient.blobs import BlobSource
    from tallystick.opengradient.folder import Folder
    from tallystick.opengradient.tables import publish

    folder = Folder.open(Dataset(data), relay)
    with stages() as stage:
        results = run(folder, BlobSource(blobs), workers, stage)
    publish(folder, results)
    rows = by_day(results) if by == "day" else [one.row() for one in results]
    write(rows, form, output)
