"""Create networks, admit operators, close lanes, show what is there."""

from pathlib import Path

import click

from tallystick.cli import ChainCommand, Session, chain_options, sending_options
from tallystick.params import ADDRESS, BYTES32


@click.group()
def cli() -> None:
    """Create networks, admit operators, close lanes, show what is there."""


@cli.command(cls=ChainCommand)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@sending_options
def create(session: Session, file: Path) -> None:
    """Register the network that a YAML FILE describes: name, rules, and uri, salt, parent."""
    from tallystick.cli.networks import create_network

    create_network(session, file)


@cli.command(cls=ChainCommand)
@click.argument("network_id", type=BYTES32)
@click.argument("operator", type=ADDRESS)
@sending_options
def admit(session: Session, network_id: bytes, operator: bytes) -> None:
    """Admit an operator, or open its closed lane again."""
    session.perform(session.registry.call("admit", network_id, operator), operator=operator)


@cli.command(cls=ChainCommand)
@click.argument("network_id", type=BYTES32)
@click.argument("operator", type=ADDRESS)
@sending_options
def close(session: Session, network_id: bytes, operator: bytes) -> None:
    """Close an operator's lane to new commits."""
    session.perform(session.registry.call("close", network_id, operator), operator=operator)


@cli.command(cls=ChainCommand)
@click.argument("network_id", type=BYTES32, required=False)
@chain_options
def show(session: Session, network_id: bytes | None) -> None:
    """Show a network's rules, models and operators; without an id, list the networks."""
    from tallystick.cli.networks import show_networks

    show_networks(session, network_id)
