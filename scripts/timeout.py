"""Reject a batch whose demand stayed unanswered."""

import click

from tallystick.cli import ChainCommand, Session, sending_options
from tallystick.cli.moving import batch_id_of, board


@click.command(cls=ChainCommand)
@click.argument("batch")
@sending_options
def cli(session: Session, batch: str) -> None:
    """Reject a batch whose demand stayed unanswered. BATCH is an id, or a receipts file."""
    from tallystick.moves.disputed import timeout

    key = batch_id_of(batch)
    session.perform(timeout(board(session), session.registry, key), batch_id=key)
