"""A contract's code without its immutables: what all deployments of one source have in common.

The compiler leaves 32 zero bytes after a PUSH32 where a constructor puts an immutable. With these
bytes masked, the code of each deployment hashes to the same.
"""

import json
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from tallystick.protocol.hexes import from_hex, to_hex
from tallystick.protocol.keccak import keccak256

_PUSH1, _PUSH32 = 0x60, 0x7F


@dataclass(frozen=True, slots=True)
class KnownCode:
    """A resolver's code on the published list."""

    name: str
    code_hash: bytes
    """keccak256 of the runtime code with immutables masked, 32 bytes."""
    size: int
    """Bytes of the runtime code."""
    immutables: tuple[int, ...]
    """The place where each begins."""

    def matches(self, code: bytes) -> bool:
        """Return whether a deployed contract's code is this resolver's."""
        return len(code) == self.size and keccak256(masked(code, self.immutables)) == self.code_hash

    def to_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        places = list(self.immutables)
        return {**asdict(self), "code_hash": to_hex(self.code_hash), "immutables": places}


def describe(name: str, template: bytes) -> KnownCode:
    """Return what tells a resolver by its runtime code as the compiler gave it."""
    places = tuple(immutables(template))
    return KnownCode(name, keccak256(template), len(template), places)


def immutables(template: bytes) -> list[int]:
    """Return where the immutables of runtime code stand.

    >>> immutables(bytes([0x7F]) + bytes(32) + bytes([0x60, 0x7F, 0x00]))
    [1]
    """
    found, at = [], 0
    while at < len(template):
        size = template[at] - _PUSH1 + 1 if _PUSH1 <= template[at] <= _PUSH32 else 0
        if size == 32 and not any(template[at + 1 : at + 33]):
            found.append(at + 1)
        at += 1 + size
    return found


def masked(code: bytes, places: tuple[int, ...]) -> bytes:
    """Return code with zeros for its immutables."""
    plain = bytearray(code)
    for place in places:
        plain[place : place + 32] = bytes(32)
    return bytes(plain)


@cache
def known() -> tuple[int, tuple[KnownCode, ...]]:
    """Return the version of the published list, and the resolvers on it."""
    found = json.loads((files("tallystick") / "data" / "resolvers" / "known.json").read_text())
    listed = tuple(
        KnownCode(one["name"], from_hex(one["code_hash"]), one["size"], tuple(one["immutables"]))
        for one in found["resolvers"]
    )
    return found["version"], listed


def code_name(code: bytes) -> str | None:
    """Return the name of the listed contract that code is of; None for any other.

    Code alone makes no resolver known: see kinds.py for what its terms have to say.
    """
    return next((one.name for one in known()[1] if one.matches(code)), None)
