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
    wait_option,
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
    help="The batch's model (.qi8): the batch is run again, and a wrong leaf proved wrong.",
)
@click.option("--evidence", type=Evidence(), help="Or evidence in the arbiter's own encoding.")
@wait_option
@sending_options
def cli(
    session: Session,
    batch: str,
    leaf: int | None,
    store: str,
    model: Path | None,
    evidence: bytes | None,
    wait: bool,
) -> None:
    """Disprove a leaf of BATCH (an id, or a receipts file); no bond, and the reward is yours.

    The transaction can be copied by anybody who sees it first: a private relay avoids that.

    A leaf of a QI8-1T model may take a replay game, whose tier follows from the model's size: the
    moves, their bytes and about their gas are told first; then the leaf is challenged, which takes
    the bond from your credit, and each run makes the moves that are yours.
    """
    from tallystick.actions.convict import disprove

    key = batch_id_of(batch, leaf)
    here = view(session, key)
    if (model is None) == (evidence is None):
        raise CommandError("needed: either --model FILE or --evidence HEX")
    if model is not None:
        from tallystick.ape.games import convict

        convict(session, key, leaf, model, store, wait)
        return
    assert evidence is not None
    opening = opening_for(here, batch, leaf, store)
    call = disprove(here, session.registry, key, opening, evidence)
    session.perform(call, batch_id=key, leaf_index=opening.leaf_index)
