"""ape tallystick lapse: end a challenge on which no ruling came in time."""

import click

from tallystick.ape.options import sending_options
from tallystick.cli.command import ConsoleCommand
from tallystick.cli.session import Session
from tallystick.cli.targets import batch_id_of, view


@click.command(cls=ConsoleCommand, example="ape tallystick lapse $BATCH")
@click.argument("batch")
@sending_options
def cli(session: Session, batch: str) -> None:
    """End a challenge on which no ruling came in time. BATCH is an id, or a receipts file."""
    from tallystick.actions.disputes import lapse

    key = batch_id_of(batch)
    session.perform(lapse(view(session, key), session.registry, key), batch_id=key)
