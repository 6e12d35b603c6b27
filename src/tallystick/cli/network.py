"""tallystick network: what networks there are, and a file to start one from."""

from importlib.resources import files
from typing import Any

import click

from tallystick.cli.chain import chain_options
from tallystick.cli.command import CommandError, ConsoleCommand, ConsoleGroup
from tallystick.cli.params import BYTES32
from tallystick.cli.session import Session
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.ledger import Ledger
from tallystick.protocol.scope import Scope


@click.group(cls=ConsoleGroup, example="tallystick network template > network.yaml")
def network() -> None:
    """Show networks; print a file to register one with."""


@network.command(cls=ConsoleCommand, example="tallystick network show $NETWORK --rpc $RPC")
@click.argument("network_id", type=BYTES32, required=False)
@chain_options
def show(session: Session, network_id: bytes | None) -> None:
    """Show a network's rules, models and operators; without an id, list the networks.

    Of each attestor and the arbiter it tells whether it is known, or each condition that it does
    not meet (unmet, listed in docs/data.md).
    """
    if network_id is None:
        session.show(
            [
                {"network_id": one.id, "name": one.name, "owner": one.owner}
                for one in session.ledger(scope=Scope.directory()).networks.values()
            ]
        )
        return
    from tallystick.cli.standings import standings

    ledger = session.ledger(network_id=network_id)
    found = find_network(ledger.networks, network_id)
    session.show(
        {
            "network_id": found.id,
            "name": found.name,
            "uri": found.uri,
            "owner": found.owner,
            "parent": found.parent,
            **found.rules.to_mapping(),
            "resolvers": standings(session, found, ledger),
            "models": [one.id for one in ledger.models.values() if one.network_id == network_id],
            "operators": [
                {
                    "operator": operator,
                    "stake": lane.stake,
                    "open_inferences": lane.open_inferences,
                    "admitted": lane.admitted,
                    "closed": lane.closed,
                }
                for (of, operator), lane in ledger.lanes.items()
                if of == network_id
            ],
        }
    )


@network.command(cls=ConsoleCommand, example="tallystick network template > network.yaml")
def template() -> None:
    """Print a commented YAML file for `ape tallystick network create`."""
    click.echo(read_template("network"), nl=False)


def need_network(ledger: Ledger, network_id: bytes | None) -> None:
    """Raise CommandError where a network is named and not registered."""
    if network_id is not None:
        find_network(ledger.networks, network_id)


def find_network(networks: dict[bytes, Any], key: bytes) -> Any:
    """Return a network of the ledger; CommandError for an unknown one."""
    if key not in networks:
        raise CommandError(f"no network {to_hex(key)} is registered in this registry")
    return networks[key]


def read_template(name: str) -> str:
    """Return a template that ships with the package, as text."""
    return (files("tallystick.cli") / "templates" / f"{name}.yaml").read_text()
