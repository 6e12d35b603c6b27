"""tallystick key: who may commit for an operator."""

import click

from tallystick.cli.chain import chain_options
from tallystick.cli.command import ConsoleCommand, ConsoleGroup
from tallystick.cli.params import ADDRESS
from tallystick.cli.session import Session
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.hexes import checksummed


@click.group(cls=ConsoleGroup, example="tallystick key show $OPERATOR --rpc $RPC")
def key() -> None:
    """Show who may commit for an operator."""


@key.command(cls=ConsoleCommand, example="tallystick key show $OPERATOR --rpc $RPC")
@click.argument("operator", type=ADDRESS)
@chain_options
def show(session: Session, operator: bytes) -> None:
    """Show the key that may commit for an OPERATOR."""
    block = session.w3.eth.block_number
    found = session.registry.key(operator, block)
    session.show({**named(operator, found), "block": block})


def named(operator: bytes, key: bytes) -> dict[str, str | None]:
    """Return an operator and its key as a result shows them; a key of zero is none."""
    return {
        "operator": checksummed(operator),
        "key": None if key == ZERO_ADDRESS else checksummed(key),
    }
