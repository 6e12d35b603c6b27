"""Copies ABI, creation code and sources of the contracts that people deploy from Ape's build, and
lists the code hashes of resolvers.

    ape compile && python tools/package_abi.py

A test compares what is packaged with what the compiler gives, so that it cannot grow stale.
"""

import json
import posixpath
import re
from collections.abc import Iterable
from pathlib import Path

from tallystick.chain.abi import PACKAGED
from tallystick.data.resolvers.code import describe
from tallystick.data.resolvers.kinds import KINDS

ROOT = Path(__file__).parent.parent
WIDE = ("Replay",)
"""Whose code depends on what is compiled beside it: the optimiser orders functions by number."""
SOURCES = ROOT / "src" / "tallystick" / "abi" / "sources.json"
IMPORT = re.compile(r'^\s*import\s[^;]*?"([^"]+)"\s*;', re.MULTILINE)
KNOWN = ROOT / "src" / "tallystick" / "data" / "resolvers" / "known.json"
KNOWN_VERSION = 5
"""To be raised with each published change of the list, or of what its kinds ask for."""


def built(name: str) -> dict[str, object]:
    """Return ABI and creation code of a contract from Ape's manifest of the local build."""
    manifest = json.loads((ROOT / ".build" / "__local__.json").read_text())
    contract = manifest["contractTypes"][name]
    return {"abi": contract["abi"], "bytecode": contract["deploymentBytecode"]["bytecode"]}


def target(name: str) -> Path:
    """Return where the package keeps a contract."""
    return ROOT / "src" / "tallystick" / "abi" / f"{name}.json"


def sources() -> dict[str, object]:
    """Return what chain/standard_input.py takes: sources, settings and compiler.

    Paths are those that imports name, so that nothing is remapped.
    """
    manifest = json.loads((ROOT / ".build" / "__local__.json").read_text())
    (compiler,) = manifest["compilers"]
    settings = {name: compiler["settings"][name] for name in ("evmVersion", "optimizer", "viaIR")}
    units = {name: manifest["contractTypes"][name]["sourceId"] for name in PACKAGED}
    wide = list(manifest["sources"])
    reached = {name: imported([unit] if name not in WIDE else wide) for name, unit in units.items()}
    return {
        "compiler": compiler["version"],
        # As tools/solc does: the metadata's hash covers paths.
        "settings": {**settings, "metadata": {"bytecodeHash": "none"}},
        "contracts": {
            name: {"unit": unit, "sources": sorted(reached[name])} for name, unit in units.items()
        },
        "sources": {path: text for some in reached.values() for path, text in some.items()},
    }


def imported(units: Iterable[str]) -> dict[str, str]:
    """Return source files and all that they import, by path."""
    found: dict[str, str] = {}
    waiting = list(units)
    while waiting:
        if (path := waiting.pop()) not in found:
            folder = ROOT / "node_modules" if path.startswith("@") else ROOT
            found[path] = (folder / path).read_text()
            for named in IMPORT.findall(found[path]):
                beside = posixpath.join(posixpath.dirname(path), named)
                waiting.append(posixpath.normpath(beside) if named.startswith(".") else named)
    return found


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
    SOURCES.write_text(json.dumps(sources(), indent=1, sort_keys=True) + "\n")
    KNOWN.write_text(json.dumps(known(), indent=1) + "\n")
