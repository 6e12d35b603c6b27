"""ape tallystick timeout: reject a batch whose demand stayed unanswered."""

import click

from tallystick.ape.options import sending_options
from tallystick.cli.command import ConsoleCommand
from tallystick.cli.session import Session
from tallystick.cli.targets import batch_id_of, view


@click.command(cls=ConsoleCommand, example="ape tallystick timeout $BATCH")
@click.argument("batch")
@sending_options
def cli(session: Session, batch: str) -> None:
    """Reject a batch whose demand stayed unanswered. BATCH is an id, or a receipts file."""
    from tallystick.actions.disputes import timeout

    key = batch_id_of(batch)
    session.perform(timeout(view(session, key), session.registry, key), batch_id=key)
