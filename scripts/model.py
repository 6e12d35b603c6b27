"""Import models, register them by their content, list them."""

from pathlib import Path

import click

from tallystick.cli import ChainCommand, PlainCommand, Session, chain_options, sending_options
from tallystick.output import show
from tallystick.params import BYTES32

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def cli() -> None:
    """Import models, register them by their content, list them."""


@cli.command(cls=ChainCommand)
@click.argument("network_id", type=BYTES32)
@click.option("--name", required=True, help="What people call it; event data only.")
@click.option("--uri", default="", help="Where it can be had; event data only.")
@click.option("--file", "content", type=FILE, required=True, help="The model; hashed, not sent.")
@click.option("--spec", type=FILE, help="Its spec; hashed, not sent. A .qi8 file has its own.")
@click.option("--parent", type=BYTES32, default=bytes(32), help="Id of the version before.")
@sending_options
def register(
    session: Session,
    network_id: bytes,
    name: str,
    uri: str,
    content: Path,
    spec: Path | None,
    parent: bytes,
) -> None:
    """Register a model in a network: by anyone if it is open, else by its owner.

    A .qi8 file is registered so that a Replay arbiter can run it again on chain.
    """
    from tallystick.cli.models import hashes_of
    from tallystick.network import model_id

    hashes = hashes_of(session, network_id, content, spec)
    key = model_id(network_id, session.sender.address, *hashes, parent)
    if key in session.ledger().models:
        session.show({"move": "none: registered already", "model_id": key})
        return
    call = session.registry.call("registerModel", network_id, *hashes, parent, name, uri)
    session.perform(call, model_id=key)


@cli.command("import", cls=PlainCommand)
@click.argument("source", type=FILE)
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--samples", type=FILE, required=True, help="Real inputs as the graph takes them (.npy)."
)
@click.option("--quantise", is_flag=True, help="SOURCE is a float model: quantise it first.")
@click.option(
    "--types",
    type=click.Choice(["u8u8", "s8s8", "u8s7"]),
    default="u8u8",
    show_default=True,
    help="Of activations and weights, when quantising.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def import_model(
    source: Path, target: Path, samples: Path, quantise: bool, types: str, as_json: bool
) -> None:
    """Make a QI8-1 model of SOURCE, an ONNX file in QOperator form, and write it to TARGET.

    It is run beside onnxruntime on every tensor first, on SAMPLES and as many random inputs; what
    is not portable is refused by node, with what to do instead. Needs no chain.
    """
    from tallystick.cli.models import import_onnx_file

    show(import_onnx_file(source, target, samples, types if quantise else None), as_json)


@cli.command("list", cls=ChainCommand)
@click.argument("network_id", type=BYTES32, required=False)
@chain_options
def list_models(session: Session, network_id: bytes | None) -> None:
    """List the models of a network, or of all."""
    session.show(
        [
            {
                "model_id": model.id,
                "name": model.name,
                "network_id": model.network_id,
                "content_hash": model.content_hash,
                "spec_hash": model.spec_hash,
                "parent": model.parent,
                "uri": model.uri,
            }
            for model in session.ledger().models.values()
            if network_id in (None, model.network_id)
        ]
    )
