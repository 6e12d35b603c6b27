"""ape tallystick disprove: reject a batch on evidence that one of its leaves is wrong."""

from pathlib import Path

import click

from tallystick.ape.options import sending_options
from tallystick.cli.command import CommandError, ConsoleCommand
from tallystick.cli.session import Session
from tallystick.cli.targets import (
    Evidence,
    batch_id_of,
    leaf_option,
    opening_for,
    store_option,
    view,
)


@click.command(
    cls=ConsoleCommand,
    example="ape tallystick disprove $BATCH --leaf 0 --evidence $EVIDENCE",
)
@click.argument("batch")
@leaf_option
@store_option
@click.option(
    "--model",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The batch's QI8-1 model: the batch is run again, and the proof made of a wrong leaf.",
)
@click.option("--evidence", type=Evidence(), help="Or evidence in the arbiter's own encoding.")
@sending_options
def cli(
    session: Session,
    batch: str,
    leaf: int | None,
    store: str,
    model: Path | None,
    evidence: bytes | None,
) -> None:
    """Disprove a leaf of BATCH (an id, or a receipts file); no bond, and the reward is yours.

    The transaction can be copied by anybody who sees it first: a private relay avoids that.
    """
    from tallystick.actions.convict import disprove
    from tallystick.cli.replays import proof_of

    key = batch_id_of(batch, leaf)
    here = view(session, key)
    if (model is None) == (evidence is None):
        raise CommandError("needed: either --model FILE or --evidence HEX")
    if model is not None:
        leaf, evidence = proof_of(session, key, leaf, model, store)
    assert evidence is not None
    opening = opening_for(here, batch, leaf, store)
    call = disprove(here, session.registry, key, opening, evidence)
    session.perform(call, batch_id=key, leaf_index=opening.leaf_index)
