"""Reject a batch whose own data convict it."""

import click

from tallystick.cli import ChainCommand, Session, sending_options
from tallystick.cli.moving import batch_id_of, board, store_option


@click.command(cls=ChainCommand)
@click.argument("batch")
@store_option
@sending_options
def cli(session: Session, batch: str, store: str) -> None:
    """Look for a fault in the data of BATCH (an id, or a receipts file), and convict it."""
    from tallystick.moves.convict import fault
    from tallystick.store import BatchStore

    key = batch_id_of(batch)
    call = fault(board(session), session.registry, key, BatchStore(store))
    session.perform(call, batch_id=key)
