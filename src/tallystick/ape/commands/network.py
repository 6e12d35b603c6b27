"""ape tallystick network: create networks, admit operators, close lanes."""

from pathlib import Path

import click

from tallystick.ape.options import sending_options
from tallystick.cli.command import ConsoleCommand, ConsoleGroup
from tallystick.cli.network import show, template
from tallystick.cli.params import ADDRESS, BYTES32
from tallystick.cli.session import Session


@click.group(cls=ConsoleGroup, example="ape tallystick network create network.yaml")
def cli() -> None:
    """Create networks, admit operators, close lanes, show what is there."""


@cli.command(cls=ConsoleCommand, example="ape tallystick network create network.yaml")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Also where a rule can never work, and is for good.")
@sending_options
def create(session: Session, file: Path, yes: bool) -> None:
    """Register the network that a YAML FILE describes: name, rules, and uri, salt, parent.

    Rules are for good: those that can never work are named, and refused without --yes.
    """
    from tallystick.ape.networks import create_network

    create_network(session, file, yes)


@cli.command(cls=ConsoleCommand, example="ape tallystick network admit $NETWORK $OPERATOR")
@click.argument("network_id", type=BYTES32)
@click.argument("operator", type=ADDRESS)
@sending_options
def admit(session: Session, network_id: bytes, operator: bytes) -> None:
    """Admit an operator, or open its closed lane again."""
    session.perform(session.registry.call("admit", network_id, operator), operator=operator)


@cli.command(cls=ConsoleCommand, example="ape tallystick network close $NETWORK $OPERATOR")
@click.argument("network_id", type=BYTES32)
@click.argument("operator", type=ADDRESS)
@sending_options
def close(session: Session, network_id: bytes, operator: bytes) -> None:
    """Close an operator's lane to new commits."""
    session.perform(session.registry.call("close", network_id, operator), operator=operator)


for command in (show, template):
    cli.add_command(command)
