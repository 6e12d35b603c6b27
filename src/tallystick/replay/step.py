"""One step of a QI8-1 program: which bytes become which, by 20 words that a contract can read.

Source: docs/replay.md, "The format".
"""

from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields
from enum import IntEnum

from tallystick.protocol.abi_words import uint
from tallystick.protocol.keccak import keccak256
from tallystick.replay.errors import ModelError

RECORD = 20 * 32
"""Bytes of a packed step."""
MAX_K = 1 << 15
"""Most products in one dot product."""
MAX_DIMENSION = (1 << 16) - 1
MAX_SIZE = 1 << 31
"""Most bytes of a tensor."""
ROW_HEAD = 12
"""Bytes of a row before its weights: bias (8) and scale (4)."""
TABLE = 256
"""Bytes of a lookup's table."""
SUM_ROW = 8
"""Bytes of a sum's row: the multipliers of both tensors."""
SUM_SHIFT = 24
"""Bits below the point of a sum's multipliers."""


class StepKind(IntEnum):
    """The kind of a step."""

    DENSE = 1
    CONV = 2
    MAX_POOL = 3
    AVERAGE_POOL = 4
    LOOKUP = 5
    SUM = 6
    CONCAT = 7
    RECALL = 8


_REQUANTIZES = (StepKind.DENSE, StepKind.CONV, StepKind.AVERAGE_POOL)
_WEIGHTED = (StepKind.DENSE, StepKind.CONV)
_WINDOWED = (StepKind.CONV, StepKind.MAX_POOL, StepKind.AVERAGE_POOL)
_CLAMPS = (*_REQUANTIZES, StepKind.SUM)
_NAMES_SOURCE = (StepKind.SUM, StepKind.CONCAT, StepKind.RECALL)


@dataclass(frozen=True, slots=True)
class Step:
    """One step; the fields in the order of its record. What a kind doesn't use is zero.

    A dense step has 1x1 images, kernel and strides, and one group: a convolution of one pixel.
    """

    kind: StepKind
    in_h: int
    in_w: int
    in_c: int
    out_h: int
    out_w: int
    out_c: int
    k_h: int = 0
    k_w: int = 0
    stride_h: int = 0
    stride_w: int = 0
    pad_top: int = 0
    pad_left: int = 0
    groups: int = 0
    """Groups of channels; of a step that names a tensor its `source`."""
    k: int = 0
    """Products (of an average pool: summands) per output element."""
    za: int = 0
    """Zero point of the input as stored, and what a convolution pads with."""
    zw: int = 0
    """Zero point of the weights as stored; of a sum, that of the tensor it names."""
    zy: int = 0
    """Zero point of the output as stored."""
    lo: int = 0
    """Least output."""
    hi: int = 0
    """Greatest output."""

    @property
    def in_shape(self) -> tuple[int, int, int]:
        """Height, width, channels."""
        return self.in_h, self.in_w, self.in_c

    @property
    def out_shape(self) -> tuple[int, int, int]:
        """Height, width, channels."""
        return self.out_h, self.out_w, self.out_c

    @property
    def in_size(self) -> int:
        """Bytes of the input."""
        return self.in_h * self.in_w * self.in_c

    @property
    def out_size(self) -> int:
        """Bytes of the output."""
        return self.out_h * self.out_w * self.out_c

    @property
    def source(self) -> int | None:
        """Number of the tensor that a sum, a concat or a recall names; None of other steps.

        The model's input is tensor 0, and the output of step i, counted from zero, tensor i + 1.
        """
        return self.groups if self.kind in _NAMES_SOURCE else None

    @property
    def source_shape(self) -> tuple[int, int, int]:
        """Height, width, channels of the tensor that the step names."""
        appended = self.in_c if self.kind == StepKind.CONCAT else 0
        return self.in_h, self.in_w, self.out_c - appended

    @property
    def row_count(self) -> int:
        """Rows with a bias and a scale: one per output channel, or one in all; may be none."""
        if self.kind in _WEIGHTED:
            return self.out_c
        return int(self.kind == StepKind.AVERAGE_POOL)

    @property
    def row_size(self) -> int:
        """Bytes of one row."""
        return ROW_HEAD + (self.k if self.kind in _WEIGHTED else 0)

    @property
    def rows_size(self) -> int:
        """Bytes that the step takes of the model's rows."""
        fixed = {StepKind.LOOKUP: TABLE, StepKind.SUM: SUM_ROW}
        return fixed.get(self.kind, self.row_count * self.row_size)

    @property
    def macs(self) -> int:
        """Products (of an average pool: summands) of the whole step."""
        return self.out_size * self.k

    def pack(self) -> bytes:
        """Return the record, 640 bytes: the fields as 20 words."""
        return b"".join(uint(value) for value in astuple(self))

    def pack_short(self) -> bytes:
        """Return the step as the evidence of a replay brings it, 40 bytes: 2 bytes a field."""
        return b"".join(value.to_bytes(2, "big") for value in astuple(self))

    @classmethod
    def unpack(cls, record: bytes) -> "Step":
        """Return the step of a record of 640 bytes; it is not checked yet.

        Raises:
            ModelError: another length, or a kind that does not exist.
        """
        if len(record) != RECORD:
            raise ModelError("step", f"{len(record)} bytes; needed: {RECORD}")
        kind, *rest = (
            int.from_bytes(record[start : start + 32], "big") for start in range(0, RECORD, 32)
        )
        if kind not in set(StepKind):
            raise ModelError("step", f"kind is {kind}; needed: 1 to {max(StepKind)}")
        return cls(StepKind(kind), *rest)

    def hash(self) -> bytes:
        """Return keccak256 of the record, 32 bytes."""
        return keccak256(self.pack())

    def check(self) -> None:
        """Raise ModelError with the first reason why QI8-1 does not allow the step."""
        for reason in self._reasons():
            raise ModelError(f"{self.kind.name.lower()} step", reason)

    def _reasons(self) -> Iterator[str]:
        for field in fields(self):
            if getattr(self, field.name) < 0:
                yield f"{field.name} is negative"
        for dimension in (*self.in_shape, *self.out_shape):
            if not 1 <= dimension <= MAX_DIMENSION:
                yield f"a dimension is {dimension}; needed: 1 to {MAX_DIMENSION}"
        if max(self.in_size, self.out_size) > MAX_SIZE:
            yield f"a tensor is over {MAX_SIZE} bytes"
        if self.k > MAX_K:
            yield f"K is {self.k}; needed: at most {MAX_K}"
        if self.kind in _CLAMPS:
            if max(self.za, self.zw, self.zy, self.hi) > 255 or self.lo > self.hi:
                yield "zero points and clamp need 0 to 255, and lo at most hi"
            if self.kind == StepKind.AVERAGE_POOL and self.zw:
                yield "zw is used; needed: 0"
        elif self.za or self.zw or self.zy or self.lo or self.hi:
            yield "za, zw, zy, lo or hi is used; needed: 0"
        yield from self._shape_reasons()

    def _shape_reasons(self) -> Iterator[str]:
        window = (self.k_h, self.k_w, self.stride_h, self.stride_w, self.pad_top, self.pad_left)
        if self.kind in _WINDOWED:
            yield from self._window_reasons()
        elif self.kind == StepKind.DENSE:
            if (*self.in_shape[:2], *self.out_shape[:2], *window) != (1,) * 8 + (0,) * 2:
                yield "height, width, kernel or stride is not 1, or a pad not 0"
        elif any(window):
            yield "a window is used"
        elif self.kind == StepKind.CONCAT:
            if self.in_shape[:2] != self.out_shape[:2] or self.in_c >= self.out_c:
                yield "other pixels go out than come in, or not more channels"
        elif self.in_shape != self.out_shape:
            yield "another shape goes out than comes in"
        if self.kind in (StepKind.MAX_POOL, StepKind.AVERAGE_POOL) and self.in_c != self.out_c:
            yield "other channels go out than come in"
        if self.kind in _WEIGHTED:
            groups = self.groups
            if groups < 1 or self.in_c % groups or self.out_c % groups:
                yield f"{groups} groups do not divide {self.in_c} and {self.out_c} channels"
            elif self.k != self.k_h * self.k_w * (self.in_c // groups):
                yield f"K is {self.k}; needed: kernel height * width * channels of a group"
            if self.kind == StepKind.DENSE and groups != 1:
                yield f"groups is {groups}; needed: 1"
            return
        if self.groups and self.kind not in _NAMES_SOURCE:
            yield "groups is used; needed: 0"
        if self.k != (self.k_h * self.k_w if self.kind == StepKind.AVERAGE_POOL else 0):
            yield f"K is {self.k}; needed: what an average pool sums up, else 0"

    def _window_reasons(self) -> Iterator[str]:
        for axis, size, out, kernel, stride, pad in (
            ("height", self.in_h, self.out_h, self.k_h, self.stride_h, self.pad_top),
            ("width", self.in_w, self.out_w, self.k_w, self.stride_w, self.pad_left),
        ):
            if not (1 <= kernel <= MAX_DIMENSION and 1 <= stride <= MAX_DIMENSION):
                yield f"kernel or stride in {axis} is out of range; needed: 1 to {MAX_DIMENSION}"
            # Every window then covers an element of the input.
            if pad >= kernel or (out - 1) * stride - pad >= size:
                yield f"a window lies outside the input in {axis}"
