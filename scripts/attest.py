"""Raise a batch's grade with evidence."""

import click

from tallystick.cli import ChainCommand, Session, sending_options
from tallystick.cli.moving import GRADES, batch_id_of, board, evidence_option


@click.command(cls=ChainCommand)
@click.argument("batch")
@click.option("--grade", type=GRADES, required=True, help="The grade that the evidence is for.")
@evidence_option
@sending_options
def cli(session: Session, batch: str, grade: str, evidence: bytes) -> None:
    """Attest to BATCH (an id, or a receipts file)."""
    from tallystick.enums import Grade
    from tallystick.moves.open import attest

    key = batch_id_of(batch)
    call = attest(board(session), session.registry, key, Grade[grade.upper()], evidence)
    session.perform(call, batch_id=key, grade=grade)
