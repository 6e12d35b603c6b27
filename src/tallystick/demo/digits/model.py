"""The digits classifier behind canonical bytes: 64 pixels in, one digit out."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
from numpy.typing import NDArray

from tallystick.errors import InputRefusedError
from tallystick.protocol.keccak import keccak256

FILE = Path(__file__).with_name("digits.onnx")

SPEC = """\
Tallystick digits 1
input: 64 bytes, the 8x8 pixels of a digit, row by row from the top left, each 0 to 16
model: the ONNX file whose keccak256 is the content hash; float32 input (n, 1, 8, 8) = pixels / 16
output: 1 byte, the index of the greatest of the 10 logits, the lowest index of equal ones
comparison: exact bytes
"""
"""Canonical bytes, and how outputs are compared. Over all samples the top two logits are at least
0.235 apart, while float32 logits lie within 1e-5 of a float64 run's (tests/unit/test_digits.py
measures both), so comparing the digit exactly is safe where comparing logits would not be."""

RUNNER = f"{__name__}:run"
"""The name by which a node runs the model, see tallystick.node.runner."""

_CHUNK = 256


def content_hash(file: Path = FILE) -> bytes:
    """Return keccak256 of the ONNX file, 32 bytes."""
    return keccak256(file.read_bytes())


def spec_hash() -> bytes:
    """Return keccak256 of the spec's text, 32 bytes."""
    return keccak256(SPEC.encode())


def load_samples() -> list[bytes]:
    """Return scikit-learn's 1,797 digits as canonical input bytes, 64 each."""
    from sklearn.datasets import load_digits  # type: ignore[import-untyped]

    return [row.tobytes() for row in load_digits().data.astype(np.uint8)]


def load_labels() -> NDArray[np.int64]:
    """Return what the samples show, (1797,), 0 to 9."""
    from sklearn.datasets import load_digits

    labels: NDArray[np.int64] = load_digits().target.astype(np.int64)
    return labels


class Digits:
    """The classifier, run by onnxruntime on one thread."""

    def __init__(self, file: Path = FILE) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(file), options, providers=["CPUExecutionProvider"]
        )

    def logits(self, inputs: Sequence[bytes]) -> NDArray[np.float32]:
        """Return the logits, (n, 10) float32.

        Args:
            inputs: 64 bytes each.

        Raises:
            InputRefusedError: an input has another length.
        """
        for place, pixels in enumerate(inputs):
            if len(pixels) != 64:
                raise InputRefusedError(f"input {place} is {len(pixels)} bytes; needed: 64")
        flat = np.frombuffer(b"".join(inputs), np.uint8).astype(np.float32) / 16
        images = flat.reshape(-1, 1, 8, 8)
        parts = [
            self._session.run(None, {"image": images[start : start + _CHUNK]})[0]
            for start in range(0, len(images), _CHUNK)
        ]
        return np.concatenate(parts) if parts else np.empty((0, 10), np.float32)

    def infer(self, inputs: Sequence[bytes]) -> list[bytes]:
        """Return the canonical output of each input, 1 byte; see logits for errors."""
        return [bytes([digit]) for digit in self.logits(inputs).argmax(axis=1)]


def run(inputs: Sequence[bytes]) -> list[bytes]:
    """Return the canonical output of each input by the model that is shipped; a node's runner."""
    return _shipped().infer(inputs)


@cache
def _shipped() -> Digits:
    return Digits()
