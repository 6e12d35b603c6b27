"""Commits, by an operator or by its key."""

from typing import Any

from tallystick.chain.call import Call
from tallystick.chain.registry import Registry
from tallystick.hexes import checksummed
from tallystick.moves.board import MoveError
from tallystick.words import ZERO_ADDRESS


def commit(registry: Registry, sender: bytes, operator: bytes, commitment: tuple[Any, ...]) -> Call:
    """Return the call that commits a batch in an operator's lane.

    Args:
        registry: the core.
        sender: the operator, or its key; 20 bytes.
        operator: 20 bytes.
        commitment: `Commitment` of the contract.
    """
    if sender == operator:
        return registry.call("commit", commitment)
    return registry.call("commitFor", operator, [commitment])


def need_key(sender: bytes, operator: bytes, key: bytes) -> None:
    """Raise MoveError unless a sender may commit for an operator.

    Args:
        sender: 20 bytes.
        operator: 20 bytes.
        key: the operator's as the core has it, 20 bytes; zero: none.
    """
    if sender in (operator, key):
        return
    has = "it has none" if key == ZERO_ADDRESS else f"its key is {checksummed(key)}"
    raise MoveError(
        f"{checksummed(sender)} is not the key of operator {checksummed(operator)}: {has}; the "
        "operator names one with `ape run key set`"
    )
