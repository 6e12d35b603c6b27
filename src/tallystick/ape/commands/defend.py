"""ape tallystick defend: make the operator's moves in the replay game about a batch."""

from pathlib import Path

import click

from tallystick.ape.options import sending_options
from tallystick.cli.command import ConsoleCommand
from tallystick.cli.session import Session
from tallystick.cli.targets import batch_id_of, store_option, wait_option


@click.command(
    cls=ConsoleCommand,
    example="ape tallystick defend $BATCH --model digits.qi8",
)
@click.argument("batch")
@store_option
@click.option(
    "--model",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="The batch's model (.qi8): the trace of the challenged leaf is computed again.",
)
@wait_option
@sending_options
def cli(session: Session, batch: str, store: str, model: Path, wait: bool) -> None:
    """Defend BATCH (an id, or a receipts file) in the replay game that challenges a leaf of it.

    The moves are the operator's, and anybody may make them; an operator's node does so by itself.
    Each run makes the move that is due, or ends a game whose challenger is silent.
    """
    from tallystick.ape.games import defend

    defend(session, batch_id_of(batch), model, store, wait)
