"""ape tallystick sweep: send what a network has burned to 0x...dEaD."""

import click

from tallystick.ape.options import sending_options
from tallystick.cli.command import ConsoleCommand
from tallystick.cli.params import BYTES32
from tallystick.cli.session import Session


@click.command(cls=ConsoleCommand, example="ape tallystick sweep $NETWORK")
@click.argument("network_id", type=BYTES32)
@sending_options
def cli(session: Session, network_id: bytes) -> None:
    """Send what NETWORK_ID has burned since the last sweep to 0x...dEaD. By anyone."""
    registry = session.registry
    burned = registry.totals(network_id).burned - registry.read("sweptOf", network_id)
    session.perform(registry.call("sweep", network_id), network_id=network_id, amount=burned)
