"""tallystick enclave-http: answers over HTTP that an enclave signed, asked for and checked."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tallystick.cli.chain import chain_options
from tallystick.cli.command import CommandError, ConsoleCommand, ConsoleGroup
from tallystick.cli.listening import Listening, listening_options
from tallystick.cli.output import show, teller
from tallystick.cli.params import ADDRESS, BYTES32, FILE

if TYPE_CHECKING:
    from tallystick.cli.session import Session
    from tallystick.protocol.http_signature import SignedExchange

KEY = "TALLYSTICK_ENDPOINT_KEY"
"""Environment variable with the endpoint's bearer token, which no command line should show."""
CHECK = "tallystick enclave-http check request.bin response.bin signature.json"


def exchange_arguments(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the files of an exchange: both bodies, and what the endpoint signed."""
    for name in ("signature", "response", "request"):
        function = click.argument(name, type=FILE)(function)
    return function


@click.group("enclave-http", cls=ConsoleGroup, example=CHECK)
def enclave_http() -> None:
    """Ask an endpoint whose enclave signs its answers, and check what it signed."""


@enclave_http.command(
    cls=ConsoleCommand, example="tallystick enclave-http ask $ENDPOINT request.json --out answer"
)
@click.argument("endpoint")
@click.argument("request", type=FILE)
@click.option("--path", default="chat/completions", show_default=True, help="Below ENDPOINT.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder for request.bin, response.bin and signature.json.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def ask(endpoint: str, request: Path, path: str, out: Path, as_json: bool) -> None:
    """Send the file REQUEST as it is to ENDPOINT (.../v1), and keep its answer with its signature.

    The endpoint's key, if it wants one, is read from TALLYSTICK_ENDPOINT_KEY. A request that asks
    for a stream gets one, which is kept as it was sent; both bodies stay where no signature comes.
    """
    import os

    from tallystick.client.enclave_endpoint import EnclaveEndpoint, keep, keep_bodies

    if out.exists() and any(out.iterdir()):
        raise CommandError(f"{out} is not empty; needed: a folder of its own for each answer")
    body = request.read_bytes()
    with (
        EnclaveEndpoint(endpoint, os.environ.get(KEY)) as asked,
        asked.stream(body, path) as coming,
    ):
        # Before anything else can go wrong: an answer has its price, and comes once.
        keep_bodies(out, body, coming.finish())
        exchange = coming.signed()
    keep(out, exchange)
    show({**facts(exchange), "kept": str(out)}, as_json)


@enclave_http.command(cls=ConsoleCommand, example="tallystick enclave-http proxy $ENDPOINT")
@click.argument("endpoint")
@click.option(
    "--answers",
    type=click.Path(file_okay=False, path_type=Path),
    default="answers",
    show_default=True,
    help="Folder in which each answer is kept with its signature.",
)
@click.option(
    "--signer",
    "signers",
    type=ADDRESS,
    multiple=True,
    help="Address that must have signed; of several, any.",
)
@listening_options
@click.option("--json", "as_json", is_flag=True, help="Print what happens as lines of JSON.")
def proxy(
    listening: Listening, endpoint: str, answers: Path, signers: tuple[bytes, ...], as_json: bool
) -> None:
    """Let any OpenAI client ask ENDPOINT (.../v1), and keep each answer with its signature.

    \b
    OPENAI_BASE_URL=http://127.0.0.1:8200/v1
    OPENAI_API_KEY=$(cat answers/proxy.key)

    Bodies pass byte for byte. An answer that is no stream has the header X-Tallystick-Signer once
    its signature holds, and is refused where it does not. The endpoint's key, if it wants one, is
    read from TALLYSTICK_ENDPOINT_KEY. `ape tallystick enclave-http submit-kept` commits what is
    kept. Killed and started again, it goes on with signatures that are missing.
    """
    import asyncio
    import os

    from tallystick.client.enclave_endpoint import EnclaveEndpoint
    from tallystick.client.enclave_proxy import EnclaveProxy, serve
    from tallystick.client.kept_exchanges import KeptExchanges

    path, key = listening.key(answers)
    opened, url, hosts = listening.open()
    tell = teller(as_json)
    with EnclaveEndpoint(endpoint, os.environ.get(KEY)) as asked:
        server = EnclaveProxy(asked, KeptExchanges(answers), frozenset(signers), tell)
        tell("listening", {"url": url, "key_file": str(path)})
        asyncio.run(serve(server, opened, key, hosts))


@enclave_http.command(cls=ConsoleCommand, example=CHECK)
@exchange_arguments
@click.option("--signer", type=ADDRESS, help="Address that must have signed.")
@click.option("--model", help="Name that the signed text must begin with.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(
    request: Path,
    response: Path,
    signature: Path,
    signer: bytes | None,
    model: str | None,
    as_json: bool,
) -> None:
    """Check, without a chain, that a key signed both bodies, and say in which form.

    Whether an enclave has the key, only its endorsers say.
    """
    from tallystick.client.enclave_endpoint import read_exchange
    from tallystick.protocol.hexes import checksummed

    exchange = read_exchange(request, response, signature)
    signed_by = exchange.answer.signer
    if signer not in (None, signed_by):
        raise CommandError(f"{checksummed(signed_by)} signed; needed: {checksummed(signer or b'')}")
    if model is not None and exchange.name != model.encode():
        named = "no model" if exchange.name is None else repr(exchange.name.decode())
        raise CommandError(f"the signed text names {named}; needed: {model!r}")
    show(facts(exchange), as_json)


@enclave_http.command(
    cls=ConsoleCommand,
    example="tallystick enclave-http evidence request.bin response.bin signature.json "
    "--network-id $NETWORK --model-id $MODEL --rpc $RPC",
)
@exchange_arguments
@click.option("--network-id", type=BYTES32, required=True, help="Network of the leaf.")
@click.option("--model-id", type=BYTES32, required=True, help="Model of the leaf.")
@chain_options
def evidence(
    session: "Session",
    request: Path,
    response: Path,
    signature: Path,
    network_id: bytes,
    model_id: bytes,
) -> None:
    """Show the evidence for `resolve`, by which a challenged leaf with this answer is upheld."""
    from tallystick.client.enclave_endpoint import read_exchange
    from tallystick.protocol.enclave_http import HttpModel
    from tallystick.protocol.scope import Scope

    exchange = read_exchange(request, response, signature)
    registered = session.ledger(scope=Scope.directory(network_id)).models.get(model_id)
    if registered is None:
        raise CommandError("the network has no such model")
    proof = exchange.answer.ruling_evidence(HttpModel.of(registered))
    session.show({"item": exchange.answer.item(), "evidence": proof})


def facts(exchange: "SignedExchange") -> dict[str, Any]:
    """Return what there is to say of an exchange whose signature holds."""
    from tallystick.protocol.hexes import checksummed

    answer = exchange.answer
    return {
        "form": exchange.form,
        "model": None if exchange.name is None else exchange.name.decode(),
        "reencoded": exchange.reencoded,
        "signer": checksummed(answer.signer),
        "item": answer.item(),
        "input_hash": answer.input_hash,
        "output_hash": answer.output_hash,
        "bytes": len(answer.request) + len(answer.response),
    }
