"""What the compiler gave, mocks included."""

import json
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent


@cache
def manifest() -> dict[str, Any]:
    """Ape's manifest of the last build; `make test` compiles first."""
    return json.loads((ROOT / ".build" / "__local__.json").read_text())["contractTypes"]


def bytecode(name: str) -> str:
    return manifest()[name]["deploymentBytecode"]["bytecode"]


def abi(name: str) -> list[dict[str, Any]]:
    return manifest()[name]["abi"]


def runtime(name: str) -> bytes:
    return bytes.fromhex(manifest()[name]["runtimeBytecode"]["bytecode"].removeprefix("0x"))
