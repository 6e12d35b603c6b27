"""Challenge a leaf: the arbiter must rule on it."""

import click

from tallystick.cli import ChainCommand, Session, sending_options
from tallystick.cli.moving import batch_id_of, board, leaf_option, opening_for, store_option


@click.command(cls=ChainCommand)
@click.argument("batch")
@leaf_option
@store_option
@sending_options
def cli(session: Session, batch: str, leaf: int | None, store: str) -> None:
    """Challenge a leaf of BATCH (an id, or a receipts file); your credit pays the bond."""
    from tallystick.moves.open import challenge

    here, key = board(session), batch_id_of(batch, leaf)
    opening = opening_for(here, batch, leaf, store)
    call = challenge(here, session.registry, key, opening)
    session.perform(call, batch_id=key, leaf_index=opening.leaf_index)
