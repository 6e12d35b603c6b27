"""Register models by their content, list them."""

from pathlib import Path

import click

from tallystick.cli import ChainCommand, Session, chain_options, sending_options
from tallystick.cli.params import BYTES32

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def cli() -> None:
    """Register models by their content, list them."""


@cli.command(cls=ChainCommand)
@click.argument("network_id", type=BYTES32)
@click.option("--name", required=True, help="What people call it; event data only.")
@click.option("--uri", default="", help="Where it can be had; event data only.")
@click.option("--file", "content", type=FILE, required=True, help="The model; hashed, not sent.")
@click.option("--spec", type=FILE, required=True, help="Its spec; hashed, not sent.")
@click.option("--parent", type=BYTES32, default=bytes(32), help="Id of the version before.")
@sending_options
def register(
    session: Session,
    network_id: bytes,
    name: str,
    uri: str,
    content: Path,
    spec: Path,
    parent: bytes,
) -> None:
    """Register a model in a network: by anyone if it is open, else by its owner."""
    from tallystick.keccak import keccak256
    from tallystick.network import model_id

    hashes = keccak256(content.read_bytes()), keccak256(spec.read_bytes())
    key = model_id(network_id, session.sender.address, *hashes, parent)
    if key in session.ledger().models:
        session.show({"move": "none: registered already", "model_id": key})
        return
    call = session.registry.call("registerModel", network_id, *hashes, parent, name, uri)
    session.perform(call, model_id=key)


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
