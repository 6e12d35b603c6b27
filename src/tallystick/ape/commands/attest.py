"""ape tallystick attest: raise a batch's grade with evidence."""

import click

from tallystick.ape.options import sending_options
from tallystick.cli.command import ConsoleCommand
from tallystick.cli.session import Session
from tallystick.cli.targets import GRADES, batch_id_of, evidence_option, view


@click.command(
    cls=ConsoleCommand,
    example="ape tallystick attest $BATCH --grade audited --evidence evidence.hex",
)
@click.argument("batch")
@click.option("--grade", type=GRADES, required=True, help="The grade that the evidence is for.")
@evidence_option
@sending_options
def cli(session: Session, batch: str, grade: str, evidence: bytes) -> None:
    """Attest to BATCH (an id, or a receipts file)."""
    from tallystick.actions.open_batch import attest
    from tallystick.protocol.enums import Grade

    key = batch_id_of(batch)
    call = attest(view(session, key), session.registry, key, Grade[grade.upper()], evidence)
    session.perform(call, batch_id=key, grade=grade)
