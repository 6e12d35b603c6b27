"""The project's compiler without its optimiser: twice as fast, and no switch is folded away.

What it answered is kept below .cache/mutants: a run after new tests builds nothing again.
"""

import json
import subprocess
from functools import cache
from typing import Any

from tallystick.protocol.keccak import keccak256
from tests.support.builds import ROOT

SETTINGS = {
    "evmVersion": "cancun",
    "viaIR": True,
    # Variables move to memory, without which the stack is too deep; no other step of Yul's.
    "optimizer": {
        "enabled": True,
        "runs": 1,
        "details": {
            "peephole": False,
            "inliner": False,
            "jumpdestRemover": False,
            "orderLiterals": False,
            "deduplicate": False,
            "cse": False,
            "constantOptimizer": False,
            "yul": True,
            "yulDetails": {"stackAllocation": True, "optimizerSteps": "u:"},
        },
    },
}


class CompilerError(RuntimeError):
    """The compiler refuses; `places` are file, start and end of what it names."""

    def __init__(self, message: str, places: list[tuple[str, int, int]]) -> None:
        super().__init__(message)
        self.places = places


def compile_contracts(wanted: dict[str, str], changed: dict[str, bytes]) -> dict[str, str]:
    """Return creation code, in hex, of contracts.

    Args:
        wanted: contract's name to its file.
        changed: sources that differ from the checkout's, by file.

    Raises:
        CompilerError: it does not compile.
    """
    output = _run(
        wanted, changed, {wanted[name]: {name: ["evm.bytecode.object"]} for name in wanted}
    )
    contracts = output["contracts"]
    return {
        name: contracts[file][name]["evm"]["bytecode"]["object"] for name, file in wanted.items()
    }


def check(wanted: dict[str, str], changed: dict[str, bytes]) -> None:
    """Check names and types only; CompilerError where they are wrong."""
    _run(wanted, changed, {file: {"": ["ast"]} for file in wanted.values()})


@cache
def syntax_trees() -> dict[str, Any]:
    """Return solc's AST of each of the project's sources."""
    files = {str(path.relative_to(ROOT)): "" for path in (ROOT / "contracts").rglob("*.sol")}
    sources = {file: file for file in sorted(files)}
    output = _run(sources, {}, {"*": {"": ["ast"]}})
    return {file: output["sources"][file]["ast"] for file in files}


def source(file: str) -> bytes:
    return (ROOT / file).read_bytes()


@cache
def _imported() -> str:
    """All sources of the checkout: what a request imports without holding it."""
    return "".join(path.read_text() for path in sorted((ROOT / "contracts").rglob("*.sol")))


def _run(wanted: dict[str, str], changed: dict[str, bytes], selection: Any) -> Any:
    files = set(wanted.values()) | set(changed)
    request = {
        "language": "Solidity",
        "sources": {
            file: {"content": changed.get(file, source(file)).decode()} for file in sorted(files)
        },
        "settings": SETTINGS | {"outputSelection": selection},
    }
    solc = next((ROOT / "tools" / "solc").glob("solc-v*"))
    command = [str(solc), "--standard-json", "--base-path", str(ROOT)]
    command += ["--include-path", str(ROOT / "node_modules")]
    text = json.dumps(request)
    cached = ROOT / ".cache" / "mutants" / keccak256((text + _imported()).encode()).hex()
    if not cached.exists():
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
        cached.parent.mkdir(parents=True, exist_ok=True)
        cached.write_text(done.stdout)
    output = json.loads(cached.read_text())
    errors = [one for one in output.get("errors", []) if one["severity"] == "error"]
    if errors:
        places = [
            (place["file"], place["start"], place["end"])
            for error in errors
            if (place := error.get("sourceLocation"))
        ]
        raise CompilerError(errors[0]["formattedMessage"], places)
    return output
