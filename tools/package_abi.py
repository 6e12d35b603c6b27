"""Copies ABI and creation code of the contracts that people deploy from Ape's build.

    ape compile && python tools/package_abi.py

A test compares what is packaged with what the compiler gives, so that it cannot grow stale.
"""

import json
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGED = ("Committee", "Enclave", "OpenGradientItem", "RsaPssVerifier", "Tallystick")


def built(name: str) -> dict[str, object]:
    """Return ABI and creation code of a contract from Ape's manifest of the local build."""
    manifest = json.loads((ROOT / ".build" / "__local__.json").read_text())
    contract = manifest["contractTypes"][name]
    return {"abi": contract["abi"], "bytecode": contract["deploymentBytecode"]["bytecode"]}


def target(name: str) -> Path:
    """Return where the package keeps a contract."""
    return ROOT / "src" / "tallystick" / "abi" / f"{name}.json"


if __name__ == "__main__":
    for name in PACKAGED:
        target(name).write_text(json.dumps(built(name), indent=1, sort_keys=True) + "\n")
