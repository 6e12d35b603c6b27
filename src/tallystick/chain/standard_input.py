"""The compiler's standard JSON input of a packaged contract, as explorers and Sourcify take it.

Source: https://docs.soliditylang.org/en/latest/using-the-compiler.html#input-description
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from tallystick.errors import TallystickError


class SourceError(TallystickError, LookupError):
    """No sources of a contract are packaged."""


@dataclass(frozen=True, slots=True)
class StandardInput:
    """A contract's sources and the compiler that compiled them."""

    name: str
    unit: str
    """File that defines the contract, among the sources."""
    compiler: str
    """Version with commit, such as 0.8.37+commit.f401782d."""
    content: dict[str, Any]
    """language, sources and settings."""

    def __str__(self) -> str:
        """JSON text; the same for the same contract."""
        return json.dumps(self.content, indent=1) + "\n"


def standard_input(name: str) -> StandardInput:
    """Return the standard JSON input that gives a packaged contract's creation code, byte by byte.

    Raises:
        SourceError: no such contract is packaged.

    >>> found = standard_input("Tallystick")
    >>> found.unit, found.content["language"]
    ('contracts/Tallystick.sol', 'Solidity')
    """
    packaged = _packaged()
    if name not in packaged["contracts"]:
        raise SourceError(f"no sources of {name} are packaged")
    found = packaged["contracts"][name]
    wanted = ["abi", "evm.bytecode.object", "evm.deployedBytecode"]
    return StandardInput(
        name,
        found["unit"],
        packaged["compiler"],
        {
            "language": "Solidity",
            "sources": {path: {"content": packaged["sources"][path]} for path in found["sources"]},
            "settings": {
                **packaged["settings"],
                "outputSelection": {found["unit"]: {name: wanted}},
            },
        },
    )


@cache
def _packaged() -> dict[str, Any]:
    text = (files("tallystick") / "abi" / "sources.json").read_text()
    found: dict[str, Any] = json.loads(text)
    return found
