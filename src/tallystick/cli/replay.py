"""tallystick replay: run a batch again, and show where its answers are not the model's."""

from pathlib import Path

import click

from tallystick.cli.chain import chain_options
from tallystick.cli.command import ConsoleCommand
from tallystick.cli.session import Session
from tallystick.cli.targets import batch_id_of, store_option


@click.command(cls=ConsoleCommand, example="tallystick replay $BATCH --model digits.qi8 --rpc $RPC")
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
def replay(session: Session, batch: str, file: Path, store: str) -> None:
    """Run every leaf of BATCH (an id, or a receipts file) again; exit code 1 if any is wrong.

    A wrong one is proved wrong with `ape tallystick disprove BATCH --model FILE`.
    """
    from tallystick.cli.replays import replay_batch

    replay_batch(session, batch_id_of(batch), file, store)
