"""QI8-1 as plainly as can be: loops over Python's integers, and one float32 product for the scale.

Slow, and independent of the package's engine: what contracts compute is compared with this.
"""

from dataclasses import astuple, dataclass, field, replace
from fractions import Fraction
from itertools import product

import numpy as np

from tallystick.protocol.keccak import keccak256

SPEC_ID = keccak256(b"QI8-1")
DENSE, CONVOLUTION, MAX_POOL, AVERAGE_POOL, LOOKUP, SUM, CONCAT, RECALL = range(1, 9)


@dataclass(frozen=True)
class StepRecord:
    """A step's fields, in the order of its record."""

    kind: int
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
    k: int = 0
    za: int = 0
    zw: int = 0
    zy: int = 0
    lo: int = 0
    hi: int = 255

    @property
    def in_size(self) -> int:
        return self.in_h * self.in_w * self.in_c

    @property
    def out_size(self) -> int:
        return self.out_h * self.out_w * self.out_c

    @property
    def macs(self) -> int:
        return self.out_size * self.k if self.kind in (DENSE, CONVOLUTION) else 0

    def pack(self) -> bytes:
        """Return the step as evidence brings it, 40 bytes."""
        return b"".join(value.to_bytes(2, "big") for value in astuple(self))

    def hash(self) -> bytes:
        return keccak256(b"".join(value.to_bytes(32, "big") for value in astuple(self)))


@dataclass(frozen=True)
class Row:
    """Bias with the zero points' part folded in, bits of the scale, weights as stored."""

    bias: int
    scale: int
    weights: bytes = b""

    def pack(self) -> bytes:
        return self.bias.to_bytes(8, "big", signed=True) + self.scale.to_bytes(4) + self.weights


@dataclass(frozen=True)
class Layer:
    """A step with its rows, its table, or a sum's multipliers."""

    record: StepRecord
    rows: list[Row] = field(default_factory=list)
    table: bytes = b""
    multipliers: tuple[int, ...] = ()

    def pack_rows(self) -> bytes:
        multipliers = b"".join(one.to_bytes(4, "big") for one in self.multipliers)
        return b"".join(row.pack() for row in self.rows) + self.table + multipliers


@dataclass(frozen=True)
class Net:
    """A model."""

    layers: list[Layer]

    @property
    def steps(self) -> bytes:
        return b"".join(layer.record.pack() for layer in self.layers)

    @property
    def rows(self) -> bytes:
        return b"".join(layer.pack_rows() for layer in self.layers)

    @property
    def in_size(self) -> int:
        return self.layers[0].record.in_size

    @property
    def macs(self) -> int:
        return sum(layer.record.macs for layer in self.layers)

    def content_hash(self) -> bytes:
        hashes = [layer.record.hash() for layer in self.layers]
        head = SPEC_ID + (96).to_bytes(32, "big") + keccak256(self.rows)
        return keccak256(head + len(hashes).to_bytes(32, "big") + b"".join(hashes))

    def run(self, data: bytes) -> bytes:
        """Return the output's bytes."""
        tensors = [data]
        for layer in self.layers:
            record = layer.record
            if record.kind in (SUM, CONCAT, RECALL):
                tensors.append(join(layer, tensors[-1], tensors[record.groups]))
            else:
                tensors.append(apply(layer, tensors[-1]))
        return tensors[-1]

    def with_layer(self, index: int, layer: Layer) -> "Net":
        return Net([*self.layers[:index], layer, *self.layers[index + 1 :]])

    def with_record(self, index: int, **changes: int) -> "Net":
        layer = self.layers[index]
        return self.with_layer(index, replace(layer, record=replace(layer.record, **changes)))


def requantize(acc: int, scale: int, zy: int, lo: int, hi: int) -> int:
    """Return the byte: float32 arithmetic of numpy, one rounding each."""
    # Python rounds an int to float64, not to float32: numpy's conversion from int64 rounds once.
    number = np.array(acc, np.int64).astype(np.float32)
    with np.errstate(over="ignore", under="ignore"):
        scaled = number * np.array(scale, np.uint32).view(np.float32)
    if np.isinf(scaled):
        return hi if acc > 0 else lo
    return min(max(int(np.rint(scaled)) + zy, lo), hi)


def apply(layer: Layer, data: bytes) -> bytes:
    """Return a step's output."""
    r = layer.record
    if r.kind == LOOKUP:
        return bytes(layer.table[byte] for byte in data)
    out = []
    for y, x, o in product(range(r.out_h), range(r.out_w), range(r.out_c)):
        if r.kind in (DENSE, CONVOLUTION):
            row = layer.rows[o]
            width = r.in_c // r.groups
            first = o // (r.out_c // r.groups) * width
            patch = [
                byte
                for ky, kx in product(range(r.k_h), range(r.k_w))
                for byte in _pixel(r, data, y, x, ky, kx, r.za)[first : first + width]
            ]
            acc = sum(a * (w - r.zw) for a, w in zip(patch, row.weights, strict=True)) + row.bias
            out.append(requantize(acc, row.scale, r.zy, r.lo, r.hi))
            continue
        padding = r.za if r.kind == AVERAGE_POOL else 0
        window = [
            _pixel(r, data, y, x, ky, kx, padding)[o]
            for ky, kx in product(range(r.k_h), range(r.k_w))
        ]
        if r.kind == MAX_POOL:
            out.append(max(window))
        else:
            row = layer.rows[0]
            out.append(requantize(sum(window) + row.bias, row.scale, r.zy, r.lo, r.hi))
    return bytes(out)


def join(layer: Layer, data: bytes, source: bytes) -> bytes:
    """Return the output of a step that reads an earlier tensor."""
    r = layer.record
    if r.kind == RECALL:
        return source
    if r.kind == CONCAT:
        ahead, width = r.out_c - r.in_c, r.in_c
        return b"".join(
            source[at * ahead :][:ahead] + data[at * width :][:width]
            for at in range(r.in_h * r.in_w)
        )
    ours, theirs = (Fraction(one, 2**24) for one in layer.multipliers)
    # Python rounds fractions half to even.
    sums = (
        round((a - r.za) * ours + (b - r.zw) * theirs + r.zy)
        for a, b in zip(data, source, strict=True)
    )
    return bytes(min(max(one, r.lo), r.hi) for one in sums)


def _pixel(r: StepRecord, data: bytes, y: int, x: int, ky: int, kx: int, padding: int) -> bytes:
    """Return the channels of the input under a window's place."""
    row, column = y * r.stride_h + ky - r.pad_top, x * r.stride_w + kx - r.pad_left
    if not (0 <= row < r.in_h and 0 <= column < r.in_w):
        return bytes([padding]) * r.in_c
    start = (row * r.in_w + column) * r.in_c
    return data[start : start + r.in_c]


def dense(inputs: int, outputs: int, **fields: int) -> StepRecord:
    """Return a dense step."""
    ones = {"k_h": 1, "k_w": 1, "stride_h": 1, "stride_w": 1, "groups": 1}
    return StepRecord(DENSE, 1, 1, inputs, 1, 1, outputs, k=inputs, **ones, **fields)


def joined(
    kind: int, shape: tuple[int, int, int], source: int, more: int = 0, **fields: int
) -> StepRecord:
    """Return a sum, concat or recall; `more` channels come from the tensor that a concat names."""
    out = (*shape[:2], shape[2] + more)
    return StepRecord(kind, *shape, *out, groups=source, **{"hi": 0, **fields})


def windowed(
    kind: int,
    image: tuple[int, int, int],
    channels: int,
    kernel: tuple[int, int],
    stride: tuple[int, int] = (1, 1),
    pads: tuple[int, int, int, int] = (0, 0, 0, 0),
    groups: int = 1,
    **fields: int,
) -> StepRecord:
    """Return a convolution or pool; pads are top, left, bottom, right."""
    top, left, bottom, right = pads
    out_h = (image[0] + top + bottom - kernel[0]) // stride[0] + 1
    out_w = (image[1] + left + right - kernel[1]) // stride[1] + 1
    k = kernel[0] * kernel[1]
    if kind == CONVOLUTION:
        k *= image[2] // groups
    if kind == MAX_POOL:
        k = 0
    return StepRecord(
        kind,
        *image,
        out_h,
        out_w,
        channels,
        *kernel,
        *stride,
        top,
        left,
        groups if kind == CONVOLUTION else 0,
        k,
        **fields,
    )


def conv(image: tuple[int, int, int], channels: int, kernel: int, pad: int = 0) -> StepRecord:
    """Return a square convolution with stride 1."""
    return windowed(CONVOLUTION, image, channels, (kernel, kernel), pads=(pad,) * 4)
