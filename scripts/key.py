"""Let a key commit for an operator, take it back, show it."""

import click

from tallystick.cli import ChainCommand, Session, chain_options, sending_options
from tallystick.params import ADDRESS


@click.group()
def cli() -> None:
    """Let a key commit for an operator, take it back, show it.

    A key commits in the operator's lanes, in all networks, and does nothing else: a server need not
    hold the account that owns stake and credit. Who steals it can burn the free stake of the lanes
    and take up to half of it; credit is out of reach.
    """


@cli.command("set", cls=ChainCommand)
@click.argument("key", type=ADDRESS)
@sending_options
def set_(session: Session, key: bytes) -> None:
    """Let KEY, an address, commit for the sender; the key before it may no longer."""
    from tallystick.cli.keys import set_key

    set_key(session, key)


@cli.command(cls=ChainCommand)
@sending_options
def unset(session: Session) -> None:
    """Let no key commit for the sender; batches that are committed stay as they are."""
    from tallystick.cli.keys import set_key
    from tallystick.words import ZERO_ADDRESS

    set_key(session, ZERO_ADDRESS)


@cli.command(cls=ChainCommand)
@click.argument("operator", type=ADDRESS)
@chain_options
def show(session: Session, operator: bytes) -> None:
    """Show the key that may commit for an OPERATOR."""
    from tallystick.cli.keys import show_key

    show_key(session, operator)
