"""A QI8-1 model: steps, rows, and one file that holds both.

Source: docs/replay.md, "The format".
"""

from dataclasses import dataclass, field
from itertools import accumulate
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick.protocol.abi_words import uint
from tallystick.protocol.keccak import keccak256
from tallystick.replay.errors import ModelError
from tallystick.replay.requantize import is_normal
from tallystick.replay.step import RECORD, SUM_ROW, TABLE, Step, StepKind

SPEC_ID = keccak256(b"QI8-1")
"""A model's specHash, and what its content hash begins with."""
MAGIC = b"QI8-1\0\0\0"
HEADER = 32
"""Bytes before the first step."""
MAX_STEPS = 1024
_BOUND = 1 << 31


@dataclass(frozen=True, slots=True)
class Quantization:
    """Scale and zero point of bytes that stand for numbers: value = scale * (byte - zero_point).

    Not part of a model's hash: it says how floats become the committed bytes, not what is computed.
    """

    scale: int
    """Bits of a float32; zero when it isn't known, and bytes are all there is."""
    zero_point: int
    """Zero point of bytes as stored, 0 to 255."""


UNKNOWN = Quantization(0, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The rows of a dense, convolution or average pool step."""

    bias: NDArray[np.int64]
    """(rows,): bias - za * sum(w) + K * za * zw."""
    scale: NDArray[np.uint32]
    """(rows,): bits of float32."""
    weights: NDArray[np.uint8]
    """(rows, K), as stored; of an average pool (1, 0)."""

    def pack(self) -> bytes:
        """Return the rows as a file holds them."""
        packed = np.empty(len(self.bias), _row_type(self.weights.shape[1]))
        packed["bias"], packed["scale"], packed["weights"] = self.bias, self.scale, self.weights
        return packed.tobytes()


@dataclass(frozen=True, slots=True)
class Model:
    """Steps and their rows."""

    steps: tuple[Step, ...]
    rows: bytes = field(repr=False)
    """The rows of all steps, one after another."""
    input: Quantization = UNKNOWN
    output: Quantization = UNKNOWN

    def content_hash(self) -> bytes:
        """Return keccak256(abi.encode(SPEC_ID, step hashes, keccak256(rows))), 32 bytes."""
        hashes = [step.hash() for step in self.steps]
        head = SPEC_ID + uint(3 * 32) + keccak256(self.rows)
        return keccak256(head + uint(len(hashes)) + b"".join(hashes))

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one inference."""
        return sum(step.macs for step in self.steps)

    def rows_of(self, index: int) -> Rows:
        """Return the rows of a step that has some, as views of the file's bytes in native order."""
        step = self.steps[index]
        weights = step.row_size - _row_type(0).itemsize
        packed = np.frombuffer(
            self.rows, _row_type(weights), step.row_count, offset=self._offset(index)
        )
        return Rows(
            packed["bias"].astype(np.int64), packed["scale"].astype(np.uint32), packed["weights"]
        )

    def table_of(self, index: int) -> NDArray[np.uint8]:
        """Return the table of a lookup, (256,)."""
        return np.frombuffer(self.rows, np.uint8, TABLE, offset=self._offset(index))

    def multipliers_of(self, index: int) -> tuple[int, int]:
        """Return a sum's multipliers: of the tensor before it, and of the one that it names."""
        start = self._offset(index)
        row = self.rows[start : start + SUM_ROW]
        return int.from_bytes(row[:4], "big"), int.from_bytes(row[4:], "big")

    def _offset(self, index: int) -> int:
        return sum(step.rows_size for step in self.steps[:index])

    def check(self) -> None:
        """Raise ModelError with the first reason why QI8-1 does not allow the model."""
        if not 1 <= len(self.steps) <= MAX_STEPS:
            raise ModelError("program", f"{len(self.steps)} steps; needed: 1 to {MAX_STEPS}")
        for step in self.steps:
            step.check()
        self._check_tensors()
        ends = list(accumulate(step.rows_size for step in self.steps))
        if len(self.rows) != ends[-1]:
            raise ModelError("rows", f"{len(self.rows)} bytes; needed: {ends[-1]}")
        for index, step in enumerate(self.steps):
            if step.row_count:
                check_rows(f"rows of step {index}", step, self.rows_of(index))
        for part, known in (("input", self.input), ("output", self.output)):
            if known.scale and not is_normal(known.scale) or not 0 <= known.zero_point <= 255:
                raise ModelError(part, "its scale is not normal, or its zero point no byte")

    def _check_tensors(self) -> None:
        """Raise ModelError unless each step finds tensors of the shapes that it takes."""
        shapes = [self.steps[0].in_shape]
        for index, step in enumerate(self.steps):
            if step.kind != StepKind.RECALL:
                _check_taken(step, step.in_shape, shapes[index])
            if step.source is not None:
                if step.source > index:
                    made = f"tensors 0 to {index} there are before it"
                    raise ModelError(f"step {index}", f"reads tensor {step.source}; {made}")
                _check_taken(step, step.source_shape, shapes[step.source])
            shapes.append(step.out_shape)

    def to_bytes(self) -> bytes:
        """Return the file: header, steps, rows."""
        header = b"".join(
            [
                MAGIC,
                len(self.steps).to_bytes(4, "big"),
                len(self.rows).to_bytes(8, "big"),
                *(
                    known.scale.to_bytes(4, "big") + bytes([known.zero_point])
                    for known in (self.input, self.output)
                ),
                bytes(2),
            ]
        )
        return header + b"".join(step.pack() for step in self.steps) + self.rows

    @classmethod
    def from_bytes(cls, data: bytes) -> "Model":
        """Return the checked model of a file.

        Raises:
            ModelError: not such a file, cut off or too long, or not what QI8-1 allows.
        """
        if data[:8] != MAGIC or len(data) < HEADER:
            raise ModelError("file", f"does not begin with {MAGIC!r}")
        if data[30:HEADER] != bytes(2):
            raise ModelError("file", "bytes 30 and 31 are not zero")
        count = int.from_bytes(data[8:12], "big")
        program = HEADER + count * RECORD
        needed = program + int.from_bytes(data[12:20], "big")
        if len(data) != needed:
            raise ModelError("file", f"{len(data)} bytes; needed: {needed}")
        steps = (Step.unpack(data[at : at + RECORD]) for at in range(HEADER, program, RECORD))
        known = (
            Quantization(int.from_bytes(data[at : at + 4], "big"), data[at + 4]) for at in (20, 25)
        )
        model = cls(tuple(steps), data[program:], *known)
        model.check()
        return model

    @classmethod
    def read(cls, path: Path) -> "Model":
        """Return the checked model of the file at a path; see from_bytes for errors."""
        return cls.from_bytes(path.read_bytes())


def _row_type(weights: int) -> np.dtype[Any]:
    return np.dtype([("bias", ">i8"), ("scale", ">u4"), ("weights", "u1", (weights,))])


def _check_taken(step: Step, needed: tuple[int, int, int], found: tuple[int, int, int]) -> None:
    # A dense step takes an image as it lies, and so does a concat of one pixel: flattening moves
    # no byte.
    flattens = step.kind in (StepKind.DENSE, StepKind.CONCAT) and needed[:2] == (1, 1)
    if found != needed and not (flattens and prod(found) == prod(needed)):
        raise ModelError("program", f"{needed} goes in where {found} came out")


def check_rows(part: str, step: Step, rows: Rows) -> None:
    """Raise ModelError unless scales are normal and no accumulator can leave 32 bits.

    Args:
        part: what the error calls the rows.
        step: theirs.
        rows: of a dense, convolution or average pool step.
    """
    bits = rows.scale
    wrong = np.flatnonzero((bits < 0x00800000) | (bits >= 0x7F800000))
    if wrong.size:
        found = bits[wrong[0]].view(np.float32)
        raise ModelError(part, f"scale {wrong[0]} is {found}; needed: positive and normal")
    for at, (folded, weights) in enumerate(zip(rows.bias.tolist(), rows.weights, strict=True)):
        centred = weights.astype(np.int64) - step.zw
        if step.kind == StepKind.AVERAGE_POOL:
            centred = np.ones(step.k, np.int64)
        # In Python's integers: a bias out of range must not wrap here.
        bias = folded + step.za * int(centred.sum())
        if 255 * int(np.abs(centred).sum()) + abs(bias) >= _BOUND:
            raise ModelError(part, f"row {at} can exceed 2^31 with some input")
