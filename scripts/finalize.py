"""Make batches final whose window is over."""

import click

from tallystick.cli import ChainCommand, Session, sending_options
from tallystick.cli.moving import batch_id_of, board


@click.command(cls=ChainCommand)
@click.argument("batches", nargs=-1, required=True)
@sending_options
def cli(session: Session, batches: tuple[str, ...]) -> None:
    """Finalize BATCHES (ids, or receipts files) of one lane."""
    from tallystick.moves.finish import finalize

    keys = [batch_id_of(batch) for batch in batches]
    session.perform(finalize(board(session), session.registry, keys), batch_ids=keys)
