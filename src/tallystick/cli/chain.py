"""The chain that a command reads: --rpc, or --network as Ape names it."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any

import click
from web3 import Web3

from tallystick.chain.rpc.persistent import NodeRefusedError
from tallystick.chain.rpc.persistent import connect as connect_to
from tallystick.chain.rpc.provider import rpc_error
from tallystick.chain.rpc.url import RpcUrl
from tallystick.cli.accounts import ACCOUNT, sender_of
from tallystick.cli.command import CommandError
from tallystick.cli.params import ADDRESS
from tallystick.cli.session import Session

Function = Callable[..., Any]

NETWORK = "TALLYSTICK_NETWORK"
RPC = "TALLYSTICK_RPC"
NO_CHAIN = (
    f"no chain is named; needed: --network ETHEREUM:NETWORK:URL, as in "
    f"ethereum:sepolia:https://..., or {NETWORK}"
)
_TIMEOUT = 60.0
"""Seconds for an answer."""
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_PROVIDER = re.compile(r"[A-Za-z0-9_-]*")
"""Name of one of Ape's."""

registry_option = click.option(
    "--registry",
    type=ADDRESS,
    envvar="TALLYSTICK_REGISTRY",
    help="Address of the registry; else the one that `deploy` recorded.",
)
network_option = click.option(
    "--network",
    envvar=NETWORK,
    show_envvar=True,
    metavar="ECOSYSTEM:NETWORK[:PROVIDER|:URL]",
    help="The chain, as Ape names it, or a URL; `ethereum:local:foundry` starts a private one.",
)
more_rpc_option = click.option(
    "--more-rpc",
    "more_rpcs",
    multiple=True,
    envvar="TALLYSTICK_MORE_RPC",
    metavar="URL",
    help="Node to read events from where the first leaves some out; several, in turn.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def chain_options(function: Function) -> Function:
    """Give a command that only reads a chain its options, and a Session as first argument."""

    @click.option(
        "--rpc",
        "rpcs",
        multiple=True,
        envvar=RPC,
        show_envvar=True,
        metavar="URL",
        help="JSON-RPC URL of the chain; of several, the later are read where one leaves out logs.",
    )
    @network_option
    @registry_option
    @more_rpc_option
    @json_option
    @wraps(function)
    def wrapped(
        rpcs: tuple[str, ...],
        network: str | None,
        registry: bytes | None,
        more_rpcs: tuple[str, ...],
        as_json: bool,
        **values: Any,
    ) -> Any:
        with reading(rpcs, network) as w3:
            others = (*rpcs[1:], *more_rpcs)
            return function(Session(w3, registry, None, as_json, False, others), **values)

    return wrapped


def signing_options(function: Function) -> Function:
    """Give a command that signs and sends nothing its options, and a Session as first argument."""

    @click.option(
        "--account",
        envvar=ACCOUNT,
        show_envvar=True,
        metavar="FILE|ALIAS",
        help="Keyfile, or Ape account (TEST::0 locally), that signs.",
    )
    @click.option("--dry-run", is_flag=True, help="Check only; sign nothing.")
    @chain_options
    @wraps(function)
    def wrapped(session: Session, account: str | None, dry_run: bool, **values: Any) -> Any:
        session.dry_run = dry_run
        if account:
            session.sender = sender_of(account, session.w3, dry_run)
        return function(session, **values)

    return wrapped


@contextmanager
def reading(rpcs: Sequence[str], network: str | None) -> Iterator[Web3]:
    """Yield a connection for reading: by a URL, or by Ape where a network names none.

    Raises:
        CommandError: no chain is named, or the node does not answer.
    """
    url = rpcs[0] if rpcs else url_in(network or "")
    if url is not None:
        yield connect(url)
        return
    if not network:
        raise CommandError(f"{NO_CHAIN}; or --rpc URL, or {RPC}")
    with ape_network(network) as w3:
        yield w3


def connect(url: str) -> Web3:
    """Return a connection to a node.

    Raises:
        FieldError: the URL is none of HTTP.
        CommandError: the node does not answer.
    """
    node = RpcUrl.parse(url)
    w3 = connect_to(node, _TIMEOUT)
    try:
        _ = w3.eth.chain_id
    except Exception as error:
        reason = rpc_error(error)
        said = "refuses" if isinstance(error, NodeRefusedError) else "does not answer"
        raise CommandError(f"{node.name} {said}: {reason}") from error
    return w3


@contextmanager
def ape_network(network: str) -> Iterator[Web3]:
    """Yield the connection of Ape's provider of a network, which starts a chain if it is told to.

    Raises:
        CommandError: Ape is not installed.
        FieldError: the network's URL is none of HTTP.
        CommandError: the node at the URL does not answer.
        ApeException: it knows no such network, or the node does not answer.
    """
    try:
        from tallystick.chain.ape_chain import connected
    except ModuleNotFoundError as error:
        raise CommandError(
            f"network {network} names no URL, and Ape's networks need "
            "`pip install tallystick[ape]`; or name the chain with --rpc URL"
        ) from error
    url = url_in(network)
    # Asked first, and again: Ape asks once.
    own = None if url is None else connect(url)
    with connected(_as_ape_reads(network, url)) as w3:
        yield own or w3


def _as_ape_reads(network: str, url: str | None) -> str:
    """Return a network's name without blanks around its URL, and the scheme in lower case."""
    if url is None:
        return network.strip()
    scheme, _, rest = url.strip().strip("\ufeff").strip().partition("://")
    return f"{network[: len(network) - len(url)].strip()}{scheme.lower()}://{rest}"


def url_in(network: str) -> str | None:
    """Return the URL that a network's name has at its end; None where it has none.

    What stands in a provider's place and is no name of one is a URL, be it one that can be used.

    Raises:
        CommandError: nothing stands there.

    >>> url_in("ethereum:local:http://127.0.0.1:8545")
    'http://127.0.0.1:8545'
    >>> url_in("ethereum:sepolia:alchemy") is None
    True
    """
    if (match := _SCHEME.search(network)) is not None:
        return network[match.start() :]
    _, _, provider = (network.split(":", 2) + ["", ""])[:3]
    if network.count(":") >= 2 and not provider.strip():
        raise CommandError("--network ends with nothing; needed: a provider or a URL at its end")
    return None if _PROVIDER.fullmatch(provider) else provider
