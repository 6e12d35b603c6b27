"""ape tallystick enclave-http: commit answers over HTTP that an enclave signed."""

from pathlib import Path

import click

from tallystick.ape.options import sending_options
from tallystick.cli.command import ConsoleCommand, ConsoleGroup
from tallystick.cli.enclave_http import exchange_arguments
from tallystick.cli.params import BYTES32
from tallystick.cli.session import Session
from tallystick.cli.targets import store_option

EXAMPLE = (
    "ape tallystick enclave-http submit request.bin response.bin signature.json "
    "--network-id $NETWORK --model-id $MODEL"
)


@click.group("enclave-http", cls=ConsoleGroup, example=EXAMPLE)
def cli() -> None:
    """Commit answers over HTTP that an enclave signed."""


@cli.command(
    cls=ConsoleCommand, example="ape tallystick enclave-http register $NETWORK qwen/qwen3-8b"
)
@click.argument("network_id", type=BYTES32)
@click.argument("name")
@click.option("--uri", default="", help="Where it can be read about; event data only.")
@click.option("--parent", type=BYTES32, default=bytes(32), help="Id of the version before.")
@sending_options
def register(session: Session, network_id: bytes, name: str, uri: str, parent: bytes) -> None:
    """Register a model by its NAME, as enclaves sign it and requests ask for it."""
    from tallystick.protocol.enclave_http import SPEC_ID, HttpModel
    from tallystick.protocol.keccak import keccak256
    from tallystick.protocol.scope import Scope

    model = HttpModel(network_id, session.sender.address, name.encode(), parent)
    key = model.id()
    if key in session.ledger(scope=Scope.directory(network_id)).models:
        session.show({"move": "none: registered already", "model_id": key})
        return
    hashes = keccak256(model.name), SPEC_ID
    call = session.registry.call("registerModel", network_id, *hashes, parent, name, uri)
    session.perform(call, model_id=key)


@cli.command(cls=ConsoleCommand, example=EXAMPLE)
@exchange_arguments
@click.option("--network-id", type=BYTES32, required=True, help="Network to commit in.")
@click.option("--model-id", type=BYTES32, required=True, help="Model that answered.")
@store_option
@click.option(
    "--receipts",
    type=click.Path(file_okay=False, path_type=Path),
    default="receipts",
    help="Folder of receipts and of the journal that makes a second run safe.",
)
@sending_options
def submit(
    session: Session,
    request: Path,
    response: Path,
    signature: Path,
    network_id: bytes,
    model_id: bytes,
    store: str,
    receipts: Path,
) -> None:
    """Commit one answer as a batch of one, with the Enclave grade: both bodies become public.

    Run again after any crash: each answer goes once.
    """
    from tallystick.actions.submission.http_answers import read_exchange
    from tallystick.ape.enclave_http import submit_answer

    exchange = read_exchange(request, response, signature)
    submit_answer(session, exchange, network_id, model_id, store, receipts)
