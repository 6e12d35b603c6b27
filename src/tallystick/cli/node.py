"""tallystick node: settings to start a node from."""

import click

from tallystick.cli.command import ConsoleCommand, ConsoleGroup
from tallystick.cli.network import read_template


@click.group(cls=ConsoleGroup, example="tallystick node template operator > operator.yaml")
def node() -> None:
    """Print settings to start a node with."""


@node.command(cls=ConsoleCommand, example="tallystick node template operator > operator.yaml")
@click.argument("role", type=click.Choice(["operator", "verifier"]))
def template(role: str) -> None:
    """Print commented YAML settings for `ape tallystick node operator`, or verifier."""
    click.echo(read_template(role), nl=False)
