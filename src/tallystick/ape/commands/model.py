"""ape tallystick model: register models by their content."""

from pathlib import Path

import click

from tallystick.ape.options import sending_options
from tallystick.cli.calibration import calibrate
from tallystick.cli.command import ConsoleCommand, ConsoleGroup
from tallystick.cli.model import describe, import_model, list_registered, pull, push
from tallystick.cli.params import BYTES32
from tallystick.cli.session import Session

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


EXAMPLE = "ape tallystick model register $NETWORK --name digits --file digits.onnx --spec spec.txt"


@click.group(cls=ConsoleGroup, example=EXAMPLE)
def cli() -> None:
    """Import models, keep them by their content, register and list them."""


@cli.command(cls=ConsoleCommand, example=EXAMPLE)
@click.argument("network_id", type=BYTES32)
@click.option("--name", required=True, help="What people call it; event data only.")
@click.option("--uri", default="", help="Where it can be had; event data only.")
@click.option("--file", "content", type=FILE, required=True, help="The model; hashed, not sent.")
@click.option("--spec", type=FILE, help="Its spec; hashed, not sent. A .qi8 file has its own.")
@click.option("--samples", type=FILE, help="Real inputs (.npy, .npz) to run an .onnx file on.")
@click.option(
    "--comparison-elsewhere",
    is_flag=True,
    help="The spec of an .onnx file is in words of its own, and each verifier is set a comparison.",
)
@click.option("--parent", type=BYTES32, default=bytes(32), help="Id of the version before.")
@sending_options
def register(
    session: Session,
    network_id: bytes,
    name: str,
    uri: str,
    content: Path,
    spec: Path | None,
    samples: Path | None,
    comparison_elsewhere: bool,
    parent: bytes,
) -> None:
    """Register a model in a network: by anyone if it is open, else by its owner.

    A .qi8 file is registered so that a Replay arbiter can run it again on chain. An .onnx file is
    run once, and refused where its answers could not be served or judged; unless its graph is
    integer it needs a spec with a tolerance (tallystick model calibrate), or one in words of its
    own with --comparison-elsewhere.
    """
    from tallystick.ape.models import examine
    from tallystick.protocol.rules import model_id
    from tallystick.protocol.scope import Scope

    found = examine(session, network_id, content, spec, samples, comparison_elsewhere)
    hashes = found.hashes
    key = model_id(network_id, session.sender.address, *hashes, parent)
    if key in session.ledger(scope=Scope.directory(network_id)).models:
        session.show({"move": "none: registered already", "model_id": key, **found.told})
        return
    call = session.registry.call("registerModel", network_id, *hashes, parent, name, uri)
    session.perform(call, model_id=key, **found.told)


for command in (push, pull, list_registered, import_model, describe, calibrate):
    cli.add_command(command)
