"""ape tallystick fault: reject a batch whose own data convict it."""

import click

from tallystick.ape.options import sending_options
from tallystick.cli.command import ConsoleCommand
from tallystick.cli.session import Session
from tallystick.cli.targets import batch_id_of, store_option, view


@click.command(cls=ConsoleCommand, example="ape tallystick fault $BATCH --store batches")
@click.argument("batch")
@store_option
@sending_options
def cli(session: Session, batch: str, store: str) -> None:
    """Look for a fault in the data of BATCH (an id, or a receipts file), and convict it."""
    from tallystick.actions.convict import fault
    from tallystick.storage.batch_parser import GuardedStore

    key = batch_id_of(batch)
    call = fault(view(session, key), session.registry, key, GuardedStore(store))
    session.perform(call, batch_id=key)
