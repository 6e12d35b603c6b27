"""Commit a file of inferences as one batch, and write a receipt for each."""

from pathlib import Path

import click

from tallystick.cli import ChainCommand, Session, sending_options
from tallystick.cli.moving import GRADES, Evidence
from tallystick.params import ADDRESS, BYTES32


@click.command(cls=ChainCommand)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--network-id", type=BYTES32, required=True, help="Network to commit in.")
@click.option("--model-id", type=BYTES32, required=True, help="Model that answered.")
@click.option(
    "--operator", type=ADDRESS, help="Whose lane, where the account is its key; else the account's."
)
@click.option("--store", default="batches", help="Folder or URL where batch data are kept.")
@click.option(
    "--receipts",
    type=click.Path(file_okay=False, path_type=Path),
    default="receipts",
    help="Folder of receipts and of the journal that makes a second run safe.",
)
@click.option("--deadline", type=int, help="Unix seconds, for lines that name none.")
@click.option("--hashes-only", is_flag=True, help="The bytes that lines lack are kept elsewhere.")
@click.option("--label", default="", help="Tells apart submissions of equal files.")
@click.option("--grade", type=GRADES, help="Grade that --evidence is for, in the same transaction.")
@click.option(
    "--evidence",
    type=Evidence(),
    help="Evidence over the batch id that --dry-run shows; fix --deadline for both runs.",
)
@sending_options
def cli(
    session: Session,
    file: Path,
    network_id: bytes,
    model_id: bytes,
    operator: bytes | None,
    store: str,
    receipts: Path,
    deadline: int | None,
    hashes_only: bool,
    label: str,
    grade: str | None,
    evidence: bytes | None,
) -> None:
    """Commit FILE (JSON Lines or Parquet). Run again after any crash: it is sent once."""
    from tallystick.cli.submitting import submit_file
    from tallystick.enums import Grade
    from tallystick.submit.plan import Order

    if (grade is None) != (evidence is None):
        raise click.UsageError("--grade and --evidence need each other")
    attestation = None
    if grade is not None and evidence is not None:
        attestation = Grade[grade.upper()], evidence
    order = Order(file, network_id, model_id, deadline, hashes_only, label, attestation)
    submit_file(session, order, store, receipts, operator)
