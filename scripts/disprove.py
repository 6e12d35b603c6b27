"""Reject a batch on evidence by which one of its leaves is wrong at once."""

import click

from tallystick.cli import ChainCommand, Session, sending_options
from tallystick.cli.moving import (
    batch_id_of,
    board,
    evidence_option,
    leaf_option,
    opening_for,
    store_option,
)


@click.command(cls=ChainCommand)
@click.argument("batch")
@leaf_option
@store_option
@evidence_option
@sending_options
def cli(session: Session, batch: str, leaf: int | None, store: str, evidence: bytes) -> None:
    """Disprove a leaf of BATCH (an id, or a receipts file); no bond, and the reward is yours."""
    from tallystick.moves.convict import disprove

    here, key = board(session), batch_id_of(batch, leaf)
    opening = opening_for(here, batch, leaf, store)
    call = disprove(here, session.registry, key, opening, evidence)
    session.perform(call, batch_id=key, leaf_index=opening.leaf_index)
