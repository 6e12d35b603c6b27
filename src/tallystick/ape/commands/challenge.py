"""ape tallystick challenge: have a leaf judged; the arbiter must rule on it."""

import click

from tallystick.ape.options import sending_options
from tallystick.cli.command import ConsoleCommand
from tallystick.cli.session import Session
from tallystick.cli.targets import batch_id_of, leaf_option, opening_for, store_option, view


@click.command(cls=ConsoleCommand, example="ape tallystick challenge $RECEIPTS --leaf 5")
@click.argument("batch")
@leaf_option
@store_option
@sending_options
def cli(session: Session, batch: str, leaf: int | None, store: str) -> None:
    """Challenge a leaf of BATCH (an id, or a receipts file); your credit pays the bond."""
    from tallystick.actions.open_batch import challenge

    key = batch_id_of(batch, leaf)
    here = view(session, key)
    opening = opening_for(here, batch, leaf, store)
    call = challenge(here, session.registry, key, opening)
    session.perform(call, batch_id=key, leaf_index=opening.leaf_index)
