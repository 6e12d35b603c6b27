"""tallystick opengradient: another network's inferences, counted and audited."""

from pathlib import Path

import click

from tallystick.cli.bars import bar, stages
from tallystick.cli.command import CommandError, ConsoleCommand, ConsoleGroup
from tallystick.cli.options import (
    concurrency_option,
    data_option,
    depth_option,
    output_options,
    range_option,
    rpc_option,
)
from tallystick.cli.output import show, write
from tallystick.cli.params import ADDRESS


@click.group(cls=ConsoleGroup, example="tallystick opengradient audit --blobs blobs")
def opengradient() -> None:
    """Count and audit what OpenGradient settles."""


@opengradient.command(
    cls=ConsoleCommand,
    example="tallystick opengradient extract $RELAY $TEE_REGISTRY --rpc $RPC",
)
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
    from tallystick.data.extract.dataset import Dataset
    from tallystick.data.extract.extractor import ExtractPlan
    from tallystick.opengradient.folder import extract_settlements

    plan = ExtractPlan(rpcs, relay, first_block, depth, block_range, concurrency)
    with bar("extract (blocks)") as progress:
        folder, done, keys = extract_settlements(Dataset(data), plan, registry, progress)
    show(
        {
            "chain_id": done.contract.chain_id,
            "relay": done.contract.address,
            "registry": folder.registry.address,
            "last_block": done.last_block,
            "events": done.rows,
            "keys_fetched": keys,
        },
        as_json,
    )


@opengradient.command(
    cls=ConsoleCommand, example="tallystick opengradient audit --blobs blobs --by day"
)
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
    from tallystick.data.extract.dataset import Dataset
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


@opengradient.command(
    cls=ConsoleCommand, example="tallystick opengradient evidence $ITEMS --leaf 0"
)
@click.argument("items", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--leaf", type=click.IntRange(0), required=True, help="Index in the batch.")
@data_option
@click.option("--relay", type=ADDRESS, help="Which relay's settlements, if there are several.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def evidence(items: Path, leaf: int, data: Path, relay: bytes | None, as_json: bool) -> None:
    """Show the evidence for `resolve`: a leaf's own signature, from ITEMS (*.items.jsonl)."""
    from tallystick.data.extract.dataset import Dataset
    from tallystick.opengradient.folder import Folder
    from tallystick.opengradient.import_batches import read_import_batch
    from tallystick.opengradient.importer import key_of
    from tallystick.protocol.hexes import to_hex
    from tallystick.protocol.opengradient_item import Item

    signed_items = read_import_batch(items).items
    if leaf >= len(signed_items):
        raise CommandError(f"leaf is {leaf}; {items} has {len(signed_items)} items")
    signed = signed_items[leaf]
    folder = Folder.open(Dataset(data), relay)
    key = key_of(folder.keys.read().get(signed.tee_id, b""))
    if key is None:
        raise CommandError(f"the key of TEE {to_hex(signed.tee_id)} is not here")
    item = Item(signed.input_hash, signed.output_hash, signed.timestamp)
    proof = item.ruling_evidence(key, signed.signature)
    show({"leaf": leaf, "item": item.hash(), "evidence": proof}, as_json)
