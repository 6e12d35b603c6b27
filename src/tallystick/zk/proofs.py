"""Proofs kept beside a batch's data: one file each, there whole or not at all, checked before."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tallystick.errors import FieldError
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.progress import Progress
from tallystick.protocol.record import InferenceRecord
from tallystick.storage.durable import replace_file
from tallystick.zk.engine import Limits, run
from tallystick.zk.errors import ZkError
from tallystick.zk.model import ZkModel


class ProofFolder:
    """Proofs of one model, by the hash of input and output: equal answers share one.

    Args:
        folder: holds a folder for each model.
        model: whose they are.
    """

    def __init__(self, folder: Path, model: ZkModel) -> None:
        self._folder = folder / model.circuit.content_hash().hex()
        self._model = model

    def path(self, record: InferenceRecord) -> Path:
        """Return the file of an answer's proof."""
        return self._folder / f"{keccak256(record.input_hash + record.output_hash).hex()}.json"

    def has(self, record: InferenceRecord) -> bool:
        """Return whether there is a proof."""
        return self.path(record).exists()

    def prove(self, record: InferenceRecord, limits: Limits) -> bytes:
        """Return an answer's proof; it is made, checked and kept if there is none.

        Raises:
            ZkError: the circuit gives another output, or a limit is reached.
            FieldError: the bytes are not as the encodings say.
        """
        if self.has(record):
            return self.get(record)
        input_, output = _bytes_of(record)
        self._model.circuit.instances(input_, output)
        values = [self._model.scaled(input_)]
        files = self._model.files()
        made = run("prove", limits, inputs=values, **files)
        own = self._model.output_of(input_, made["felts"])
        if own != output:
            raise ZkError(
                f"the circuit answers {to_hex(own)}, not {to_hex(output)}: nothing to prove"
            )
        proof = bytes.fromhex(made["proof"].removeprefix("0x"))
        self._check(record, proof, made["form"], limits)
        content = {"version": 1, "proof": to_hex(proof), "form": made["form"]}
        replace_file(self.path(record), json.dumps(content).encode() + b"\n", shared=True)
        return proof

    def get(self, record: InferenceRecord) -> bytes:
        """Return the proof that is kept for an answer, unchecked.

        Raises:
            ZkError: there is none, or its file is damaged.
        """
        return self._read(record)[0]

    def check(self, record: InferenceRecord, limits: Limits) -> None:
        """Raise ZkError unless the proof that is kept holds of the answer."""
        self._check(record, *self._read(record), limits)

    def _read(self, record: InferenceRecord) -> tuple[bytes, dict[str, Any]]:
        path = self.path(record)
        try:
            found = json.loads(path.read_text())
            return bytes.fromhex(found["proof"].removeprefix("0x")), dict(found["form"])
        except FileNotFoundError as error:
            raise ZkError(f"line {record.line} has no proof: {path} is missing") from error
        except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
            raise ZkError(f"{path} is no proof: {error}") from error

    def _check(
        self, record: InferenceRecord, proof: bytes, form: dict[str, Any], limits: Limits
    ) -> None:
        instances = self._model.circuit.instances(*_bytes_of(record))
        # EZKL's own check passes over what follows a proof; the verifier on chain refuses it.
        if self._model.proof_size not in (None, len(proof)):
            raise ZkError(
                f"the proof of line {record.line} has {len(proof)} bytes; needed: "
                f"{self._model.proof_size}"
            )
        job = {"instances": instances, "proof_bytes": proof.hex(), "form": form}
        found = run("verify", limits, **job, **self._model.files())
        if found is not True:
            why = f": {found}" if isinstance(found, str) else ""
            raise ZkError(f"the proof of line {record.line} does not hold{why}")


def prove_all(
    folder: ProofFolder,
    records: Sequence[InferenceRecord],
    limits: Limits,
    progress: Progress | None = None,
) -> Iterator[tuple[InferenceRecord, bool]]:
    """Prove what has no proof yet; yield each record, and whether its proof was made now.

    Whatever ends the process, what was yielded is kept, and the next run goes on after it.
    """
    for done, record in enumerate(records, 1):
        made = not folder.has(record)
        folder.prove(record, limits)
        yield record, made
        if progress is not None:
            progress(done, len(records))


def _bytes_of(record: InferenceRecord) -> tuple[bytes, bytes]:
    if record.input is None or record.output is None:
        raise FieldError(f"line {record.line}", "hashes alone", "input and output bytes")
    return record.input, record.output
