"""ape tallystick import: bring in what other networks' enclaves signed."""

from pathlib import Path

import click

from tallystick.ape.options import sending_options
from tallystick.cli.command import ConsoleCommand, ConsoleGroup
from tallystick.cli.options import data_option
from tallystick.cli.params import ADDRESS, BYTES32
from tallystick.cli.session import Session
from tallystick.cli.targets import store_option

EXAMPLE = "ape tallystick import opengradient --network-id $NETWORK --model-id $MODEL --blobs blobs"


@click.group(cls=ConsoleGroup, example=EXAMPLE)
def cli() -> None:
    """Bring another network's audited inferences in."""


@cli.command(cls=ConsoleCommand, example=EXAMPLE)
@click.option("--network-id", type=BYTES32, required=True, help="Network to commit in.")
@click.option("--model-id", type=BYTES32, required=True, help="Model that stands for the answers.")
@data_option
@click.option("--blobs", required=True, help="Folder or URL of the batches' blobs.")
@click.option("--relay", type=ADDRESS, help="Which relay's settlements, if there are several.")
@click.option("--singly", is_flag=True, help="Each item a batch of one, for the Enclave grade.")
@click.option("--limit", type=click.IntRange(1), help="Batches at most.")
@store_option
@click.option(
    "--receipts",
    type=click.Path(file_okay=False, path_type=Path),
    default="receipts",
    help="Folder of receipts and of the journals that make a second run safe.",
)
@click.option("--hashes-only", is_flag=True, help="The bytes of the items are kept elsewhere.")
@sending_options
def opengradient(
    session: Session,
    network_id: bytes,
    model_id: bytes,
    data: Path,
    blobs: str,
    relay: bytes | None,
    singly: bool,
    limit: int | None,
    store: str,
    receipts: Path,
    hashes_only: bool,
) -> None:
    """Commit OpenGradient's verified items. Run again after any crash: each item goes once.

    Batches of one get the Enclave grade; larger ones stay Unchallenged, under an arbiter that
    upholds each item by its own signature.
    """
    from tallystick.ape.opengradient import Wanted, import_opengradient
    from tallystick.opengradient.importer import ImportTarget

    wanted = Wanted(data, blobs, relay, singly, limit)
    to = ImportTarget(network_id, model_id, hashes_only)
    import_opengradient(session, wanted, to, store, receipts)
