"""Networks from files, and what the events say of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from tallystick.cli.command import CommandError
from tallystick.cli.files import read_yaml
from tallystick.cli.session import Session
from tallystick.hexes import from_hex, to_hex
from tallystick.network import Rules, network_id
from tallystick.words import ZERO32, ZERO_ADDRESS

FORCED_INCLUSION = 24 * 3600
"""Seconds until a rollup takes in what its sequencer leaves out: 24 hours on Arbitrum, 12 on OP."""


def create_network(session: Session, file: Path) -> None:
    """Register a network; says so when it is registered already, and warns of weak rules."""
    found = read_yaml(file, {"name", "uri", "salt", "parent", "rules"}, {"name", "rules"})
    if not isinstance(found["rules"], dict):
        raise CommandError(f"{file}: rules is not a mapping of fields to values")
    rules = Rules.from_mapping(found["rules"])
    salt = _salt(found.get("salt", 0))
    parent = from_hex(found["parent"], 32, "parent") if found.get("parent") else ZERO32
    registry = session.registry
    key = network_id(session.w3.eth.chain_id, registry.address, session.sender.address, salt, rules)
    if key in session.ledger().networks:
        session.show({"move": "none: registered already", "network_id": key})
        return
    for warning in warnings(rules):
        click.echo(f"warning: {warning}", err=True)
    name, uri = str(found["name"]), str(found.get("uri") or "")
    session.perform(
        registry.call("registerNetwork", salt, rules.abi(), parent, name, uri), network_id=key
    )


def warnings(rules: Rules) -> Iterator[str]:
    """Yield what the core accepts in rules, and whoever sets them should know.

    >>> rules = Rules(challenge_window=7200, response_window=3600, ruling_window=3600)
    >>> [warning.split(":")[0] for warning in warnings(rules)]
    ['response_window is 3600 s', 'stake_per_inference is 0', 'no arbiter']
    """
    if rules.response_window < FORCED_INCLUSION:
        yield (
            f"response_window is {rules.response_window} s: where a sequencer orders the chain and "
            "stands still or censors for longer, honest batches that were demanded are slashed "
            f"(a rollup forces a transaction in after up to {FORCED_INCLUSION} s)"
        )
    if rules.stake_per_inference == 0:
        yield "stake_per_inference is 0: being rejected costs an operator nothing"
    if rules.arbiter == ZERO_ADDRESS:
        yield "no arbiter: nobody can be convicted of a wrong answer"


def show_networks(session: Session, key: bytes | None) -> None:
    """Print all networks, or one with its rules, models and operators."""
    ledger = session.ledger()
    if key is None:
        session.show(
            [
                {"network_id": network.id, "name": network.name, "owner": network.owner}
                for network in ledger.networks.values()
            ]
        )
        return
    network = find_network(ledger.networks, key)
    session.show(
        {
            "network_id": network.id,
            "name": network.name,
            "uri": network.uri,
            "owner": network.owner,
            "parent": network.parent,
            **network.rules.to_mapping(),
            "models": [model.id for model in ledger.models.values() if model.network_id == key],
            "operators": [
                {
                    "operator": operator,
                    "stake": lane.stake,
                    "open_inferences": lane.open_inferences,
                    "admitted": lane.admitted,
                    "closed": lane.closed,
                }
                for (of, operator), lane in ledger.lanes.items()
                if of == key
            ],
        }
    )


def find_network(networks: dict[bytes, Any], key: bytes) -> Any:
    """Return a network of the ledger; CommandError for an unknown one."""
    if key not in networks:
        raise CommandError(f"no network {to_hex(key)} is registered in this core")
    return networks[key]


def _salt(value: Any) -> bytes:
    if isinstance(value, str):
        return from_hex(value, 32, "salt")
    if isinstance(value, int) and 0 <= value < 2**256:
        return value.to_bytes(32, "big")
    raise CommandError(f"salt is {value!r}; needed: a whole number, or 32 bytes as hex in quotes")
