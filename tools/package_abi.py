"""Copies ABI and creation code of the contracts that people deploy from Ape's build, and lists the
code hashes of resolvers.

    ape compile && python tools/package_abi.py

A test compares what is packaged with what the compiler gives, so that it cannot grow stale.
"""

import json
from pathlib import Path

from tallystick.resolvers.code import describe
from tallystick.resolvers.kinds import KINDS

ROOT = Path(__file__).parent.parent
PACKAGED = ("Committee", "Enclave", "OpenGradientItem", "Replay", "Tallystick")
KNOWN = ROOT / "src" / "tallystick" / "resolvers" / "known.json"
KNOWN_VERSION = 2
"""To be raised with each published change of the list, or of what its kinds ask for."""


def built(name: str) -> dict[str, object]:
    """Return ABI and creation code of a contract from Ape's manifest of the local build."""
    manifest = json.loads((ROOT / ".build" / "__local__.json").read_text())
    contract = manifest["contractTypes"][name]
    return {"abi": contract["abi"], "bytecode": contract["deploymentBytecode"]["bytecode"]}


def target(name: str) -> Path:
    """Return where the package keeps a contract."""
    return ROOT / "src" / "tallystick" / "abi" / f"{name}.json"


def known() -> dict[str, object]:
    """Return the list of resolvers' code hashes, as it ships with the package."""
    manifest = json.loads((ROOT / ".build" / "__local__.json").read_text())
    codes = {
        name: bytes.fromhex(
            manifest["contractTypes"][name]["runtimeBytecode"]["bytecode"].removeprefix("0x")
        )
        for name in KINDS
    }
    return {
        "version": KNOWN_VERSION,
        "resolvers": [describe(name, code).to_json() for name, code in codes.items()],
    }


if __name__ == "__main__":
    for name in PACKAGED:
        target(name).write_text(json.dumps(built(name), indent=1, sort_keys=True) + "\n")
    KNOWN.write_text(json.dumps(known(), indent=1) + "\n")
