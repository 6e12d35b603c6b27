"""ape tallystick submit: commit a file of inferences as one batch, and write a receipt for each."""

from pathlib import Path

import click

from tallystick.ape.options import sending_options
from tallystick.cli.command import ConsoleCommand
from tallystick.cli.params import ADDRESS, BYTES32
from tallystick.cli.session import Session
from tallystick.cli.targets import GRADES, Evidence, receipts_option, store_option
from tallystick.cli.zk import MODEL, proofs_option


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
@click.option(
    "--zk",
    "circuit",
    type=MODEL,
    help="Folder of the zk model: with --grade proven, what zk prove made is the evidence.",
)
@proofs_option
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
    circuit: Path | None,
    proofs: Path,
) -> None:
    """Commit FILES (JSON Lines or Parquet). Run again after any crash: each is sent once.

    Each file becomes a batch; several are committed in one transaction, all or none. With --zk and
    --grade proven the batch is graded in the same transaction by a proof of each answer.
    """
    from tallystick.actions.submission.plan import Submission
    from tallystick.ape.submission import submit_file, submit_files
    from tallystick.protocol.enums import Grade

    if circuit is not None:
        if grade != "proven" or len(files) != 1:
            raise click.UsageError("--zk is for one file, with --grade proven")
        if evidence or operator or hashes_only or label or deadline is not None:
            raise click.UsageError(
                "--zk makes the evidence, in the account's own lane; it takes no --evidence, "
                "--operator, --deadline, --hashes-only or --label"
            )
        from tallystick.ape.zk import submit_proven

        submit_proven(session, circuit, proofs, files[0], network_id, model_id, store, receipts)
        return
    if (grade is None) != (evidence is None):
        raise click.UsageError("--grade and --evidence need each other; proven takes --zk instead")
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
