"""Demand that a leaf be revealed."""

import click

from tallystick.cli import ChainCommand, Session, sending_options
from tallystick.cli.command import CommandError
from tallystick.cli.moving import batch_id_of, board, leaf_option


@click.command(cls=ChainCommand)
@click.argument("batch")
@leaf_option
@click.option("--bytes", "with_bytes", is_flag=True, help="Input and output bytes too.")
@sending_options
def cli(session: Session, batch: str, leaf: int | None, with_bytes: bool) -> None:
    """Demand a leaf of BATCH (an id, or a receipts file); your credit pays the bond."""
    from tallystick.moves.open import demand

    if leaf is None:
        raise CommandError("no leaf is named; needed: --leaf INDEX")
    key = batch_id_of(batch)
    call = demand(board(session), session.registry, key, leaf, with_bytes)
    session.perform(call, batch_id=key, leaf_index=leaf, with_bytes=with_bytes)
