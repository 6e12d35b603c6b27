"""ape tallystick key: let a key commit for an operator, take it back, show it."""

import click

from tallystick.ape.options import sending_options
from tallystick.cli.command import ConsoleCommand, ConsoleGroup
from tallystick.cli.key import show
from tallystick.cli.params import ADDRESS
from tallystick.cli.session import Session


@click.group(cls=ConsoleGroup, example="ape tallystick key set $KEY")
def cli() -> None:
    """Let a key commit for an operator, take it back, show it.

    A key commits in the operator's lanes, in all networks, and does nothing else: a server need not
    hold the account that owns stake and credit. Who steals it can burn the free stake of the lanes
    and take up to half of it; credit is out of reach.
    """


@cli.command("set", cls=ConsoleCommand, example="ape tallystick key set $KEY")
@click.argument("key", type=ADDRESS)
@sending_options
def set_(session: Session, key: bytes) -> None:
    """Let KEY, an address, commit for the sender; the key before it may no longer."""
    from tallystick.ape.keys import set_key

    set_key(session, key)


@cli.command(cls=ConsoleCommand, example="ape tallystick key unset")
@sending_options
def unset(session: Session) -> None:
    """Let no key commit for the sender; batches that are committed stay as they are."""
    from tallystick.ape.keys import set_key
    from tallystick.protocol.abi_words import ZERO_ADDRESS

    set_key(session, ZERO_ADDRESS)


for command in (show,):
    cli.add_command(command)
