"""Bring in what other networks' enclaves signed, to be relied upon on this chain."""

from pathlib import Path

import click

from tallystick.cli import ChainCommand, Session, sending_options
from tallystick.cli.command import PlainCommand
from tallystick.console.options import data_option
from tallystick.params import ADDRESS, BYTES32


@click.group()
def cli() -> None:
    """Bring another network's audited inferences in."""


@cli.command(cls=ChainCommand)
@click.option("--network-id", type=BYTES32, required=True, help="Network to commit in.")
@click.option("--model-id", type=BYTES32, required=True, help="Model that stands for the answers.")
@data_option
@click.option("--blobs", required=True, help="Folder or URL of the batches' blobs.")
@click.option("--relay", type=ADDRESS, help="Which relay's settlements, if there are several.")
@click.option("--singly", is_flag=True, help="Each item a batch of one, for the Enclave grade.")
@click.option("--limit", type=click.IntRange(1), help="Batches at most.")
@click.option("--store", default="batches", help="Folder or URL where batch data are kept.")
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
    from tallystick.cli.importing import Wanted, import_opengradient
    from tallystick.opengradient.bring_in import Destination

    wanted = Wanted(data, blobs, relay, singly, limit)
    to = Destination(network_id, model_id, hashes_only)
    import_opengradient(session, wanted, to, store, receipts)


@cli.command(cls=PlainCommand)
@click.argument("parcel", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--leaf", type=click.IntRange(0), required=True, help="Index in the batch.")
@data_option
@click.option("--relay", type=ADDRESS, help="Which relay's settlements, if there are several.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def evidence(parcel: Path, leaf: int, data: Path, relay: bytes | None, as_json: bool) -> None:
    """Show the evidence for `resolve`: a leaf's own signature, from PARCEL (*.items.jsonl)."""
    from tallystick.cli.importing import show_evidence
    from tallystick.extract.dataset import Dataset
    from tallystick.opengradient.folder import Folder

    show_evidence(Folder.open(Dataset(data), relay), parcel, leaf, as_json)
