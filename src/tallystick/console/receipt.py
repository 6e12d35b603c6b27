"""tallystick receipt: what an inference's receipt is worth."""

from pathlib import Path

import click

from tallystick.console.command import ConsoleCommand
from tallystick.output import show


@click.group()
def receipt() -> None:
    """Look at receipts."""


@receipt.command(cls=ConsoleCommand)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(file: Path, as_json: bool) -> None:
    """Check each receipt of FILE (one a line) without a chain: hashes, proof, signature.

    What the chain says of their batches: `ape run receipt status FILE`.
    """
    from tallystick.receipts import checked

    found = list(checked(file))
    batches = {one.batch_id for one in found}
    show({"receipts": len(found), "batches": len(batches), "good": True}, as_json)
