"""ape tallystick submit: commit a file of inferences as one batch, and write a receipt for each."""

from pathlib import Path

import click

from tallystick.ape.options import sending_options
from tallystick.cli.command import ConsoleCommand
from tallystick.cli.params import ADDRESS, BYTES32
from tallystick.cli.session import Session
from tallystick.cli.targets import GRADES, Evidence, receipts_option, store_option


@click.command(
    cls=ConsoleCommand,
    example="ape tallystick submit inferences.jsonl --network-id $NETWORK --model-id $MODEL",
)
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option("--network-id", type=BYTES32, required=True, help="Network to commit in.")
@click.option("--model-id", type=BYTES32, required=True, help="Model that answered.")
@click.option(
    "--operator", type=ADDRESS, help="Whose lane, where the account is its key; else the account's."
)
@store_option
@receipts_option
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
    files: tuple[Path, ...],
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
    """Commit FILES (JSON Lines or Parquet). Run again after any crash: each is sent once.

    Each file becomes a batch; several are committed in one transaction, all or none.
    """
    from tallystick.actions.submission.plan import Submission
    from tallystick.ape.submission import submit_file, submit_files
    from tallystick.protocol.enums import Grade

    if (grade is None) != (evidence is None):
        raise click.UsageError("--grade and --evidence need each other")
    attestation = None
    if grade is not None and evidence is not None:
        attestation = Grade[grade.upper()], evidence
    orders = [
        Submission(file, network_id, model_id, deadline, hashes_only, label, attestation)
        for file in files
    ]
    if len(orders) == 1:
        submit_file(session, orders[0], store, receipts, operator)
        return
    if attestation is not None:
        raise click.UsageError("--evidence is for one batch; needed: one file")
    submit_files(session, orders, store, receipts, operator)
