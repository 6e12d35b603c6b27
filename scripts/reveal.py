"""Answer a demand from the store."""

import click

from tallystick.cli import ChainCommand, Session, sending_options
from tallystick.cli.moving import batch_id_of, board, store_option


@click.command(cls=ChainCommand)
@click.argument("batch")
@store_option
@sending_options
def cli(session: Session, batch: str, store: str) -> None:
    """Reveal the demanded leaf of BATCH (an id, or a receipts file)."""
    from tallystick.moves.data import BatchData
    from tallystick.moves.disputed import reveal
    from tallystick.store import BatchStore

    here, key = board(session), batch_id_of(batch)
    data = BatchData.load(BatchStore(store), here.batch(key))
    session.perform(reveal(here, session.registry, key, data), batch_id=key)
