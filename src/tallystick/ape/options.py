"""Options of the commands that send, and the session that they open."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

import click
from ape.logging import logger

from tallystick.ape.errands import errand_key
from tallystick.ape.next_step import NEXT, next_step
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
            done = session.once(errand, lambda: function(session, **values))
            _tell_next(session, values)
            return done

    return wrapped


def _tell_next(session: Session, values: Mapping[str, Any]) -> None:
    """Say which command comes next; not to programs, and not where nothing was sent."""
    if session.as_json or session.dry_run:
        return
    ctx = click.get_current_context()
    # Whatever the group of all is called: `ape tallystick`, or `ape run`.
    parent = ctx.parent.info_name if ctx.parent else ""
    name = f"{parent} {ctx.info_name}"
    given = {key: value for key, value in values.items() if value is not None}
    known = name if name in NEXT else str(ctx.info_name)
    if step := next_step(known, session.shown | given):
        click.echo(f"next: {step}", err=True)
