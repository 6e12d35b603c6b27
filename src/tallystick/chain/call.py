"""A transaction to be: where to, with which data and coins. Whoever has the key sends it."""

from dataclasses import dataclass
from typing import Any

from eth_abi.abi import encode

from tallystick.chain.abi import contract


@dataclass(frozen=True, slots=True)
class Errand:
    """An order that somebody gave, such as a command: of all that it sends, each goes once.

    What it has sent is remembered until it has ended, so that a second run goes on where the first
    one was stopped.
    """

    key: bytes
    """32 bytes that are equal for runs of the same order."""
    told: str = ""
    """JSON of what there is to say of a call once a block holds it."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a contract's function, encoded."""

    to: bytes
    """20 bytes."""
    data: bytes
    value: int = 0
    """Wei sent along."""
    name: str = ""
    """The function's, to speak of it."""
    purpose: bytes = b""
    """32 bytes that are equal for calls of which one is wanted; empty: its data tell."""
    errand: Errand | None = None
    """Order that it is a part of; None: nothing is remembered once a block holds it."""


def encode_call(source: str, to: bytes, name: str, *args: Any, value: int = 0) -> Call:
    """Return the call of a packaged contract's function.

    Args:
        source: Tallystick, Committee or another packaged contract.
        to: 20 bytes, where the contract is.
        name: of the function.
        args: in the order of the ABI, structs as tuples, bytes as bytes.
        value: wei to send along.

    >>> encode_call("Tallystick", bytes(20), "totals", bytes(32)).data[:4].hex()
    'a6606014'
    """
    function = contract(source).functions()[name]
    return Call(to, function.selector + encode(function.inputs, args), value, name)
