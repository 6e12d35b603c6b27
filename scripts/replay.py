"""Run a batch again, and show where its answers are not the model's."""

from pathlib import Path

import click

from tallystick.cli import ChainCommand, Session, chain_options
from tallystick.cli.moving import batch_id_of, store_option


@click.command(cls=ChainCommand)
@click.argument("batch")
@click.option(
    "--model",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="The batch's QI8-1 model (.qi8).",
)
@store_option
@chain_options
def cli(session: Session, batch: str, file: Path, store: str) -> None:
    """Run every leaf of BATCH (an id, or a receipts file) again; exit code 1 if any is wrong.

    A wrong one is proved wrong with `ape run disprove BATCH --model FILE`.
    """
    from tallystick.cli.replaying import replay_batch

    replay_batch(session, batch_id_of(batch), file, store)
