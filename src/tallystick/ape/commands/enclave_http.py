"""ape tallystick enclave-http: commit answers over HTTP that an enclave signed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from tallystick.ape.options import sending_options
from tallystick.cli.command import CommandError, ConsoleCommand, ConsoleGroup
from tallystick.cli.enclave_http import exchange_arguments
from tallystick.cli.params import BYTES32
from tallystick.cli.session import Session
from tallystick.cli.targets import receipts_option, store_option

EXAMPLE = (
    "ape tallystick enclave-http submit request.bin response.bin signature.json "
    "--network-id $NETWORK --model-id $MODEL"
)


def place_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of where answers are committed."""
    for option in reversed(
        (
            click.option("--network-id", type=BYTES32, required=True, help="Network to commit in."),
            click.option("--model-id", type=BYTES32, required=True, help="Model that answered."),
            store_option,
            receipts_option,
        )
    ):
        function = option(function)
    return function


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
@place_options
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
    from tallystick.ape.enclave_http import AnswersToCommit
    from tallystick.client.enclave_endpoint import read_exchange

    exchange = read_exchange(request, response, signature)
    commit = AnswersToCommit(session, network_id, model_id, store, receipts)
    session.show(commit.submit(exchange))


@cli.command(
    "submit-kept",
    cls=ConsoleCommand,
    example="ape tallystick enclave-http submit-kept answers "
    "--network-id $NETWORK --model-id $MODEL",
)
@click.argument("answers", type=click.Path(exists=True, file_okay=False, path_type=Path))
@place_options
@sending_options
def submit_kept(
    session: Session,
    answers: Path,
    network_id: bytes,
    model_id: bytes,
    store: str,
    receipts: Path,
) -> None:
    """Commit each answer that `tallystick enclave-http proxy` has kept in the folder ANSWERS.

    Each is a batch of one, and goes once, however often this is run; all bodies become public. One
    that the network does not take stops no other: it is named, and the exit status is 1.
    """
    from tallystick.ape.enclave_http import AnswersToCommit
    from tallystick.client.kept_exchanges import KeptExchanges

    commit = AnswersToCommit(session, network_id, model_id, store, receipts)
    rows = list(commit.submit_each(KeptExchanges(answers)))
    session.show(rows)
    failed = sum(row["reason"] != "" for row in rows)
    if failed:
        raise CommandError(f"{failed} of {len(rows)} answers were not committed; see reason")
