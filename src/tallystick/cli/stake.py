"""tallystick stake: what an operator has in a network."""

from typing import Any

import click

from tallystick.cli.chain import chain_options
from tallystick.cli.command import ConsoleCommand, ConsoleGroup
from tallystick.cli.params import ADDRESS, BYTES32
from tallystick.cli.session import Session


@click.group(cls=ConsoleGroup, example="tallystick stake show $NETWORK $OPERATOR --rpc $RPC")
def stake() -> None:
    """Show what an operator has in a network."""


@stake.command(cls=ConsoleCommand, example="tallystick stake show $NETWORK $OPERATOR --rpc $RPC")
@click.argument("network_id", type=BYTES32)
@click.argument("operator", type=ADDRESS)
@chain_options
def show(session: Session, network_id: bytes, operator: bytes) -> None:
    """Show an operator's stake, what of it is locked, and its credit."""
    session.show(standing(session, network_id, operator))


def standing(session: Session, network_id: bytes, operator: bytes) -> dict[str, Any]:
    """Return what an operator has in a network; amounts in units of the network's asset."""
    registry, block = session.registry, session.w3.eth.block_number
    rules, lane = registry.rules(network_id, block), registry.lane(network_id, operator, block)
    locked = rules.stake_per_inference * lane.open_inferences
    return {
        "network_id": network_id,
        "operator": operator,
        "stake": lane.stake,
        "locked": locked,
        "free": lane.stake - locked,
        "credit": registry.credit(rules.asset, operator, block),
        "open_inferences": lane.open_inferences,
        "block": block,
    }
