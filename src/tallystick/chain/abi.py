"""ABI and creation code of the contracts, shipped with the package."""

import json
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from eth_utils.abi import collapse_if_tuple

from tallystick.protocol.keccak import keccak256

PACKAGED = (
    "Tallystick",
    "Committee",
    "Enclave",
    "EnclaveHttp",
    "OpenGradientItem",
    "Pool",
    "Proof",
    "ProofVerifier",
    "Groth16Wrapper",
    "Replay",
    "ReplayGame",
)
"""Contracts that people deploy."""


def signature_hash(entry: dict[str, Any]) -> bytes:
    """Return keccak256 of an ABI entry's signature: an event's topic; its first 4 bytes select."""
    types = ",".join(collapse_if_tuple(argument) for argument in entry["inputs"])
    return keccak256(f"{entry['name']}({types})".encode())


class Contract(NamedTuple):
    """A compiled contract: its ABI and its creation code."""

    name: str
    abi: tuple[dict[str, Any], ...]
    bytecode: bytes
    """Creation code, without constructor arguments."""

    def functions(self) -> dict[str, "Function"]:
        """Return the functions by name; none is overloaded."""
        return _functions(self.name)

    def constructor_types(self) -> list[str]:
        """Return the ABI types of the constructor's arguments."""
        return [
            collapse_if_tuple(argument)
            for entry in self.abi
            if entry["type"] == "constructor"
            for argument in entry["inputs"]
        ]


class Function(NamedTuple):
    """One function, ready to encode."""

    name: str
    selector: bytes
    inputs: list[str]
    outputs: list[str]
    payable: bool


@cache
def contract(name: str) -> Contract:
    """Return a packaged contract.

    Args:
        name: one of PACKAGED.

    >>> contract("Tallystick").functions()["totals"].selector.hex()
    'a6606014'
    """
    text = (files("tallystick") / "abi" / f"{name}.json").read_text()
    built = json.loads(text)
    return Contract(name, tuple(built["abi"]), bytes.fromhex(built["bytecode"].removeprefix("0x")))


@cache
def _functions(name: str) -> dict[str, Function]:
    return {
        entry["name"]: Function(
            entry["name"],
            signature_hash(entry)[:4],
            [collapse_if_tuple(argument) for argument in entry["inputs"]],
            [collapse_if_tuple(value) for value in entry["outputs"]],
            entry["stateMutability"] == "payable",
        )
        for entry in contract(name).abi
        if entry["type"] == "function"
    }
