"""ape tallystick archive: keep a final batch's status for good."""

import click

from tallystick.ape.options import sending_options
from tallystick.cli.command import ConsoleCommand
from tallystick.cli.session import Session
from tallystick.cli.targets import batch_id_of, view


@click.command(cls=ConsoleCommand, example="ape tallystick archive $BATCH")
@click.argument("batch")
@sending_options
def cli(session: Session, batch: str) -> None:
    """Archive BATCH (an id, or a receipts file), so that contracts can read its outcome later."""
    from tallystick.actions.finality import archive

    key = batch_id_of(batch)
    session.perform(archive(view(session, key), session.registry, key), batch_id=key)
