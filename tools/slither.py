"""Run Slither over contracts/ with the pinned compiler and the settings of ape-config.yaml.

Slither knows no Ape project, so it is given a compiler input. Options are passed on.
"""

import json
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
SOLIDITY = yaml.safe_load((ROOT / "ape-config.yaml").read_text())["solidity"]
OUTPUTS = ["abi", "metadata", "devdoc", "userdoc"] + [
    f"evm.{code}.{part}"
    for code in ("bytecode", "deployedBytecode")
    for part in ("object", "sourceMap")
]
# Judged in review: code of others, and contracts that only tests and examples deploy.
NOT_OURS = "node_modules/|contracts/mocks/|contracts/examples/"


def compiler_input() -> dict[str, object]:
    """Build solc's standard JSON for every contract of the project."""
    return {
        "language": "Solidity",
        "sources": {
            str(path.relative_to(ROOT)): {"content": path.read_text()}
            for path in sorted((ROOT / "contracts").rglob("*.sol"))
            if ".cache" not in path.parts
        },
        "settings": {
            "remappings": ["@openzeppelin/=node_modules/@openzeppelin/"],
            "evmVersion": SOLIDITY["evm_version"],
            "viaIR": SOLIDITY["via_ir"],
            "optimizer": {
                "enabled": SOLIDITY["optimize"],
                "runs": SOLIDITY["optimization_runs"],
            },
            "outputSelection": {"*": {"*": OUTPUTS, "": ["ast"]}},
        },
    }


def main() -> int:
    """Write the input, run Slither on it, and return its exit code."""
    target = ROOT / ".cache" / "slither.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(compiler_input()))
    command = [
        str(Path(sys.executable).with_name("slither")),
        str(target.relative_to(ROOT)),
        "--compile-force-framework=solc-json",
        f"--solc=tools/solc/solc-v{SOLIDITY['version']}",
        f"--filter-paths={NOT_OURS}",
        "--fail-medium",
        *sys.argv[1:],
    ]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
