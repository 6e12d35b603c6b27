"""Commits, by an operator or by its key."""

from collections.abc import Sequence
from typing import Any

from tallystick.actions.chain_view import ActionError
from tallystick.chain.call import Call
from tallystick.chain.registry import Registry
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.hexes import checksummed


def commit(registry: Registry, sender: bytes, operator: bytes, commitment: tuple[Any, ...]) -> Call:
    """Return the call that commits a batch in an operator's lane.

    Args:
        registry: the contract.
        sender: the operator, or its key; 20 bytes.
        operator: 20 bytes.
        commitment: `Commitment` of the contract.
    """
    if sender == operator:
        return registry.call("commit", commitment)
    return registry.call("commitFor", operator, [commitment])


def commit_several(
    registry: Registry, sender: bytes, operator: bytes, commitments: Sequence[tuple[Any, ...]]
) -> Call:
    """Return the call that commits several batches in an operator's lanes, all or none.

    Args:
        registry: the contract.
        sender: the operator, or its key; 20 bytes.
        operator: 20 bytes.
        commitments: each `Commitment` of the contract, in the order of each lane's indices.
    """
    if sender == operator:
        return registry.call("commitMany", list(commitments))
    return registry.call("commitFor", operator, list(commitments))


def need_key(sender: bytes, operator: bytes, key: bytes) -> None:
    """Raise ActionError unless a sender may commit for an operator.

    Args:
        sender: 20 bytes.
        operator: 20 bytes.
        key: the operator's as the registry has it, 20 bytes; zero: none.
    """
    if sender in (operator, key):
        return
    has = "it has none" if key == ZERO_ADDRESS else f"its key is {checksummed(key)}"
    raise ActionError(
        f"{checksummed(sender)} is not the key of operator {checksummed(operator)}: {has}; the "
        "operator names one with `ape tallystick key set`"
    )
