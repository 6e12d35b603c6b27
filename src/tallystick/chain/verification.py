"""Check that a contract on chain is what its packaged sources compile to."""

from dataclasses import dataclass
from typing import Any

from tallystick.chain.standard_input import StandardInput
from tallystick.errors import TallystickError


class VerificationError(TallystickError, RuntimeError):
    """A contract differs from its sources, or the compiler cannot tell."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """The compiler's output for a contract."""

    creation: bytes
    """Without the constructor's arguments."""
    runtime: bytes
    """With zeros where immutables go."""
    immutables: tuple[tuple[int, int], ...]
    """Start and length of each, in bytes of the runtime code."""

    def masked(self, code: bytes) -> bytes:
        """Return runtime code with zeros where this contract has its immutables."""
        blank = bytearray(code)
        for start, length in self.immutables:
            blank[start : start + length] = bytes(len(blank[start : start + length]))
        return bytes(blank)


def compile_standard_input(found: StandardInput) -> Compiled:
    """Compile a contract by the version that it names; py-solc-x gets it where it is missing.

    Raises:
        VerificationError: there is no such compiler, or it refuses.
    """
    import requests
    import solcx
    from solcx.exceptions import (
        SolcError,
        SolcInstallationError,
        SolcNotInstalled,
        UnsupportedVersionError,
    )

    version = found.compiler.partition("+")[0]
    missing = (SolcInstallationError, UnsupportedVersionError, requests.RequestException, OSError)
    try:
        try:
            output = solcx.compile_standard(found.content, solc_version=version)
        except SolcNotInstalled:
            solcx.install_solc(version)
            output = solcx.compile_standard(found.content, solc_version=version)
    except SolcError as error:
        raise VerificationError(f"{found.name} does not compile: {error}") from error
    except missing as error:
        raise VerificationError(f"no compiler {version} is to be had: {error}") from error
    return _compiled(output["contracts"][found.unit][found.name]["evm"])


def differences(compiled: Compiled, creation: bytes, on_chain: bytes) -> list[str]:
    """Return what differs, a line each; empty: the contract is what the sources say.

    Args:
        compiled: from the sources.
        creation: packaged creation code, without the constructor's arguments.
        on_chain: runtime code at the contract's address.
    """
    found = []
    if compiled.creation != creation:
        found.append("the packaged creation code is not what the sources compile to")
    if compiled.masked(on_chain) != compiled.runtime:
        found.append("the code on chain is not what the sources compile to")
    return found


def _compiled(evm: dict[str, Any]) -> Compiled:
    runtime = evm["deployedBytecode"]
    places = [place for some in runtime.get("immutableReferences", {}).values() for place in some]
    return Compiled(
        bytes.fromhex(evm["bytecode"]["object"]),
        bytes.fromhex(runtime["object"]),
        tuple(sorted((place["start"], place["length"]) for place in places)),
    )
