"""A verifier's Solidity as EVM code.

Without via-IR: EZKL's verifiers do not compile with it.
"""

from tallystick.chain.standard_input import StandardInput, standard_input
from tallystick.chain.verification import Compiled, compile_standard_input
from tallystick.zk.errors import ZkError

LARGEST = 24_576
"""Bytes of runtime code that EIP-170 allows."""
_RUNS = (1_000_000, 200, 1)
"""Optimizer's runs: the fewer, the smaller the code and the more gas it takes."""


def compile_verifier(solidity: str, name: str) -> Compiled:
    """Return a contract's code, with as many of the optimizer's runs as keep it within EIP-170.

    Args:
        solidity: source text.
        name: of the contract.

    Raises:
        ZkError: it is too large in any case.
        VerificationError: it does not compile, or there is no compiler.
    """
    for runs in _RUNS:
        found = compile_standard_input(_input(solidity, name, runs))
        if len(found.runtime) <= LARGEST:
            return found
    raise ZkError(f"the verifier has {len(found.runtime)} bytes of code; EIP-170 allows {LARGEST}")


def _input(solidity: str, name: str, runs: int) -> StandardInput:
    unit = f"{name}.sol"
    wanted = ["abi", "evm.bytecode.object", "evm.deployedBytecode"]
    settings = {
        "evmVersion": "cancun",
        "optimizer": {"enabled": True, "runs": runs},
        "metadata": {"bytecodeHash": "none"},
        "outputSelection": {unit: {name: wanted}},
    }
    content = {
        "language": "Solidity",
        "sources": {unit: {"content": solidity}},
        "settings": settings,
    }
    return StandardInput(name, unit, standard_input("Proof").compiler, content)
