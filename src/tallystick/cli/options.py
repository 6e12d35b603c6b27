"""Options that commands share, and the session that they open."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click
from ape.cli import account_option

from tallystick.cli.session import Session
from tallystick.params import ADDRESS

Function = Callable[..., Any]


def chain_options(function: Function) -> Function:
    """Give a ChainCommand --registry, --more-rpc and --json, and a Session as first argument."""

    @click.option(
        "--registry",
        type=ADDRESS,
        envvar="TALLYSTICK_REGISTRY",
        help="Address of the core; else the one recorded in deployments/.",
    )
    @click.option(
        "--more-rpc",
        "more_rpcs",
        multiple=True,
        envvar="TALLYSTICK_MORE_RPC",
        metavar="URL",
        help="Node to read events from where the first leaves some out; several, in turn.",
    )
    @click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
    @wraps(function)
    def wrapped(
        registry: bytes | None, more_rpcs: tuple[str, ...], as_json: bool, **values: Any
    ) -> Any:
        account = values.pop("account", None)
        dry_run = values.pop("dry_run", False)
        session = Session.connected(registry, account, as_json, dry_run, more_rpcs)
        return function(session, **values)

    return wrapped


def sending_options(function: Function) -> Function:
    """As chain_options, with --account and --dry-run for commands that send transactions."""
    option = click.option(
        "--dry-run", is_flag=True, help="Check and estimate gas only; send nothing."
    )
    accounts: Callable[[Function], Function] = account_option(prompt=False)
    return accounts(option(chain_options(function)))
