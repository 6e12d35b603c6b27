"""ape tallystick demand: demand that a leaf be revealed."""

import click

from tallystick.ape.options import sending_options
from tallystick.cli.command import CommandError, ConsoleCommand
from tallystick.cli.session import Session
from tallystick.cli.targets import batch_id_of, leaf_option, view


@click.command(cls=ConsoleCommand, example="ape tallystick demand $BATCH --leaf 5 --bytes")
@click.argument("batch")
@leaf_option
@click.option("--bytes", "with_bytes", is_flag=True, help="Input and output bytes too.")
@sending_options
def cli(session: Session, batch: str, leaf: int | None, with_bytes: bool) -> None:
    """Demand a leaf of BATCH (an id, or a receipts file); your credit pays the bond."""
    from tallystick.actions.open_batch import demand

    if leaf is None:
        raise CommandError("no leaf is named; needed: --leaf INDEX")
    key = batch_id_of(batch)
    call = demand(view(session, key), session.registry, key, leaf, with_bytes)
    session.perform(call, batch_id=key, leaf_index=leaf, with_bytes=with_bytes)
