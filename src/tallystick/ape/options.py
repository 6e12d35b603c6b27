"""Options of the commands that send, and the session that they open."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click
from ape.logging import logger

from tallystick.ape.errands import errand_key
from tallystick.cli.accounts import ACCOUNT, sender_of
from tallystick.cli.chain import (
    NO_CHAIN,
    ape_network,
    json_option,
    more_rpc_option,
    network_option,
    registry_option,
)
from tallystick.cli.command import CommandError
from tallystick.cli.session import Session

Function = Callable[..., Any]


def sending_options(function: Function) -> Function:
    """Give a command that sends its options, and a connected Session as first argument."""

    @network_option
    @click.option(
        "--account",
        envvar=ACCOUNT,
        show_envvar=True,
        metavar="ALIAS|FILE",
        help="Ape account (TEST::0 locally), or keyfile, that sends and pays.",
    )
    @registry_option
    @more_rpc_option
    @json_option
    @click.option("--dry-run", is_flag=True, help="Check and estimate gas only; send nothing.")
    @wraps(function)
    def wrapped(
        network: str | None,
        account: str | None,
        registry: bytes | None,
        more_rpcs: tuple[str, ...],
        as_json: bool,
        dry_run: bool,
        **values: Any,
    ) -> Any:
        if not network:
            raise CommandError(NO_CHAIN)
        if as_json:
            # Ape's log goes to stdout, where only JSON belongs then.
            logger.set_level("ERROR")
        with ape_network(network) as w3:
            sender = sender_of(account, w3, dry_run) if account else None
            session = Session(w3, registry, sender, as_json, dry_run, more_rpcs)
            command = f"{function.__module__}.{function.__qualname__}"
            errand = errand_key(command, registry, values)
            return session.once(errand, lambda: function(session, **values))

    return wrapped
