"""Functions and errors of the contracts, from their NatSpec."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from natspec import contracts, section  # noqa: E402

SHOWN = (
    "ITallystick",
    "IAttestor",
    "IArbiter",
    "ICommittee",
    "IPool",
    "IKeyring",
    "IEnclaveKeys",
    "ISignedItems",
    "IEnclaveHttp",
    "IOpenGradientItem",
    "IReplay",
)
"""Interfaces, which carry the documentation."""
HEAD = """# Contracts

From the NatSpec of the interfaces, as compiled. [Events](events.md) have a page of their own.
A function or error that an interface inherits stands with the interface it is of.
"""


def page() -> str:
    """Return the page's text."""
    parts, seen = [HEAD], set[str]()
    for name in SHOWN:
        contract = contracts()[name]
        about = (contract["userdoc"].get("notice"), contract["devdoc"].get("details"))
        parts += [
            f"## {name}\n",
            f"`{contract['sourceId']}`\n",
            *(f"{one}\n" for one in about if one),
        ]
        for kind in ("function", "error"):
            for entry in contract["abi"]:
                text = section(contract, entry) if entry["type"] == kind else ""
                if text and text not in seen:
                    seen.add(text)
                    parts.append(text)
    return "\n".join(parts)
