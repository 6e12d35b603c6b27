"""Which contracts a source is part of, and which tests look at them."""

from functools import cache
from typing import Any

from tests.mutants.compiler import syntax_trees

CONTRACTS = {
    "Tallystick": "contracts/Tallystick.sol",
    "Committee": "contracts/committee/Committee.sol",
    "Enclave": "contracts/enclave/Enclave.sol",
    "EnclaveHttp": "contracts/enclave_http/EnclaveHttp.sol",
    "Proof": "contracts/proof/Proof.sol",
    "OpenGradientItem": "contracts/opengradient/OpenGradientItem.sol",
    "Pool": "contracts/pool/Pool.sol",
    "ProofVerifier": "contracts/standards/ProofVerifier.sol",
    "Replay": "contracts/replay/Replay.sol",
    "KeyChecker": "contracts/mocks/KeyChecker.sol",
    "VerifiedGate": "contracts/examples/VerifiedGate.sol",
}
TESTS = {
    "Tallystick": [
        "tests/contracts/tallystick",
        "tests/contracts/attacks",
        "tests/contracts/examples",
        "tests/contracts/committee",
    ],
    "Committee": [
        "tests/contracts/committee",
        "tests/contracts/attacks",
        "tests/contracts/rsa_pss",
    ],
    "Enclave": ["tests/contracts/enclave"],
    "EnclaveHttp": ["tests/contracts/enclave_http"],
    "Proof": ["tests/contracts/proof"],
    "OpenGradientItem": ["tests/contracts/opengradient_item"],
    "Pool": ["tests/contracts/pool"],
    "ProofVerifier": ["tests/contracts/standards"],
    "Replay": ["tests/contracts/replay"],
    "KeyChecker": ["tests/contracts/rsa_pss"],
    "VerifiedGate": ["tests/contracts/examples"],
}
NOT_OURS_TO_CHANGE = ("contracts/interfaces/", "contracts/mocks/")


def files() -> list[str]:
    """Every source that is changed: what the contracts are made of, less interfaces."""
    found = {file for name in CONTRACTS for file in sources_of(name)}
    return sorted(file for file in found if not file.startswith(NOT_OURS_TO_CHANGE))


def reached(file: str) -> dict[str, str]:
    """The contracts that a source is part of: name to file."""
    return {name: CONTRACTS[name] for name in CONTRACTS if file in sources_of(name)}


def tests(names: dict[str, str]) -> list[str]:
    """The tests to run, those of the contracts in their order first."""
    return list(dict.fromkeys(path for name in names for path in TESTS[name]))


@cache
def sources_of(name: str) -> set[str]:
    found: set[str] = set()

    def add(file: str) -> None:
        if file in found or file not in syntax_trees():
            return
        found.add(file)
        for node in syntax_trees()[file]["nodes"]:
            if node["nodeType"] == "ImportDirective":
                add(str(_path(node)))

    add(CONTRACTS[name])
    return found


def _path(node: Any) -> Any:
    return node["absolutePath"]
