"""ape tallystick reveal: answer a demand from the store."""

import click

from tallystick.ape.options import sending_options
from tallystick.cli.command import ConsoleCommand
from tallystick.cli.session import Session
from tallystick.cli.targets import batch_id_of, store_option, view


@click.command(cls=ConsoleCommand, example="ape tallystick reveal $BATCH --store batches")
@click.argument("batch")
@store_option
@sending_options
def cli(session: Session, batch: str, store: str) -> None:
    """Reveal the demanded leaf of BATCH (an id, or a receipts file)."""
    from tallystick.actions.batch_data import BatchData
    from tallystick.actions.disputes import reveal
    from tallystick.storage.batch_store import BatchStore

    key = batch_id_of(batch)
    here = view(session, key)
    data = BatchData.load(BatchStore(store), here.batch(key))
    session.perform(reveal(here, session.registry, key, data), batch_id=key)
