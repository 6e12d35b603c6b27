"""ape tallystick resolve: have the arbiter rule on a challenged leaf."""

import click

from tallystick.ape.options import sending_options
from tallystick.cli.command import CommandError, ConsoleCommand
from tallystick.cli.session import Session
from tallystick.cli.targets import (
    batch_id_of,
    evidence_option,
    leaf_option,
    opening_for,
    store_option,
    view,
)


@click.command(cls=ConsoleCommand, example="ape tallystick resolve $BATCH --evidence $EVIDENCE")
@click.argument("batch")
@leaf_option
@store_option
@evidence_option
@sending_options
def cli(session: Session, batch: str, leaf: int | None, store: str, evidence: bytes) -> None:
    """Resolve the challenge of BATCH (an id, or a receipts file)."""
    from tallystick.actions.disputes import resolve

    key = batch_id_of(batch, leaf)
    here = view(session, key)
    dispute = here.batch(key).dispute
    if dispute is None:
        raise CommandError("the batch has no dispute pending; needed: a challenge")
    opening = opening_for(here, batch, dispute.leaf_index, store)
    call = resolve(here, session.registry, key, opening.inference, evidence)
    session.perform(call, batch_id=key, leaf_index=dispute.leaf_index)
