"""Keep a final batch's status for good."""

import click

from tallystick.cli import ChainCommand, Session, sending_options
from tallystick.cli.moving import batch_id_of, board


@click.command(cls=ChainCommand)
@click.argument("batch")
@sending_options
def cli(session: Session, batch: str) -> None:
    """Archive BATCH (an id, or a receipts file), so that contracts can read its outcome later."""
    from tallystick.moves.finish import archive

    key = batch_id_of(batch)
    session.perform(archive(board(session), session.registry, key), batch_id=key)
