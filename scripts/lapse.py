"""End a challenge on which no ruling came in time."""

import click

from tallystick.cli import ChainCommand, Session, sending_options
from tallystick.cli.moving import batch_id_of, board


@click.command(cls=ChainCommand)
@click.argument("batch")
@sending_options
def cli(session: Session, batch: str) -> None:
    """End a challenge on which no ruling came in time. BATCH is an id, or a receipts file."""
    from tallystick.moves.disputed import lapse

    key = batch_id_of(batch)
    session.perform(lapse(board(session), session.registry, key), batch_id=key)
