"""A zk model in a folder: circuit, keys, verifier, and what there is to say of them.

zk.json         what is below; written last, so that a folder with it is whole
settings.json   EZKL's
circuit         the compiled graph
srs             the structured reference string
pk, vk          proving and verifying key
verifier.sol    the verifier's Solidity; verifier.hex its creation code
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tallystick.errors import FieldError
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.proof import Circuit, Encoding
from tallystick.zk.engine import LIMITS, Limits, run
from tallystick.zk.errors import ZkError
from tallystick.zk.srs import is_public

MANIFEST = "zk.json"
CONTRACT = "Halo2Verifier"
"""Name that EZKL gives it."""
_VERSION = 1
_LENGTH = re.compile(r"eq\((0x[0-9a-f]+), proof\.length\)")
"""How a verifier's Solidity says which length of proof it takes."""


@dataclass(frozen=True, slots=True)
class ZkModel:
    """A circuit that is set up, in its folder."""

    folder: Path
    circuit: Circuit
    creation: bytes
    """The verifier's creation code."""
    srs_sha256: str
    equal: tuple[int, int]
    """Samples answered as the source's largest output, and samples asked."""
    furthest: float
    """Largest distance of an output from the source's, on the samples."""

    @classmethod
    def load(cls, folder: Path) -> "ZkModel":
        """Read a folder, and check what decides the model's hash.

        Raises:
            ZkError: the setup was not finished, or a file is another one than was made.
        """
        try:
            found = json.loads((folder / MANIFEST).read_text())
        except FileNotFoundError as error:
            raise ZkError(f"{folder} has no {MANIFEST}: its setup was not finished") from error
        except (ValueError, OSError) as error:
            raise ZkError(f"{folder / MANIFEST} cannot be read: {error}") from error
        if not isinstance(found, dict) or found.get("version") != _VERSION:
            raise ZkError(f"{folder / MANIFEST} is not of version {_VERSION}")
        try:
            circuit = Circuit(
                bytes.fromhex(found["code_hash"]),
                bytes.fromhex(found["key_hash"]),
                Encoding.parse(found["input_encoding"]),
                Encoding.parse(found["output_encoding"]),
            )
            made = cls(
                folder,
                circuit,
                bytes.fromhex((folder / "verifier.hex").read_text().strip()),
                found["srs_sha256"],
                tuple(found["equal"]),
                found["furthest"],
            )
        except (KeyError, TypeError, ValueError, OSError, FieldError) as error:
            raise ZkError(f"{folder / MANIFEST} is none: {error}") from error
        if keccak256((folder / "vk").read_bytes()) != circuit.key_hash:
            raise ZkError(f"{folder / 'vk'} is not the key that the model was made with")
        return made

    @property
    def public_setup(self) -> bool:
        """True if the SRS is a public ceremony's, by its hash."""
        return is_public(self.srs_sha256)

    @property
    def proof_size(self) -> int | None:
        """Bytes of each proof, as the verifier's Solidity says; None where it does not."""
        source = self.folder / "verifier.sol"
        found = _LENGTH.search(source.read_text()) if source.exists() else None
        return int(found[1], 16) if found else None

    def told(self) -> dict[str, Any]:
        """Return what there is to say of it."""
        right, asked = self.equal
        return {
            "content_hash": self.circuit.content_hash(),
            "code_hash": self.circuit.code_hash,
            "key_hash": self.circuit.key_hash,
            "input_encoding": self.circuit.input.word,
            "output_encoding": self.circuit.output.word,
            "input_bytes": self.circuit.input.size,
            "output_bytes": self.circuit.output.size,
            "setup": "public ceremony" if self.public_setup else "local",
            "samples": asked,
            "equal_answers": right / asked if asked else None,
            "furthest_output": self.furthest,
        }

    def files(self) -> dict[str, str]:
        """Return the paths that steps of the worker take."""
        return {
            name: str((self.folder / file).absolute())
            for name, file in {
                "settings": "settings.json",
                "circuit": "circuit",
                "srs": "srs",
                "pk": "pk",
                "vk": "vk",
            }.items()
        }

    def scaled(self, input_: bytes) -> list[float]:
        """Return the numbers that the graph takes; see Encoding.numbers for errors."""
        encoding = self.circuit.input
        return [number / (1 << encoding.scale) for number in encoding.numbers(input_)]

    def answers(self, inputs: Iterable[bytes], limits: Limits = LIMITS) -> list[bytes]:
        """Return the circuit's canonical outputs for canonical inputs.

        Raises:
            FieldError: an input is not as the encoding says, or an output does not fit its own.
            ZkError: the circuit cannot be run on it.
        """
        given = list(inputs)
        values = [self.scaled(one) for one in given]
        found = run("answer", limits, inputs=values, **self.files())
        return [self.output_of(input_, felts) for input_, felts in zip(given, found, strict=True)]

    def output_of(self, input_: bytes, felts: list[list[int]]) -> bytes:
        """Return the output bytes of a run, whose own public inputs must be the input's."""
        if felts[0] != self.circuit.input.values(input_):
            raise FieldError("input", "numbers that the circuit reads as others", "smaller ones")
        return self.circuit.output.data(felts[1])
