"""Runs QI8-1 models with numpy, many inputs at a time, exactly.

Dot products are those of BLAS over floats: all operands are integers, and no partial sum, in
whatever order, exceeds what the float type holds exactly. What fits in float32 runs in it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick.errors import FieldError
from tallystick.replay.model import Model, Rows
from tallystick.replay.requantize import requantize_float32
from tallystick.replay.step import SUM_SHIFT, Step, StepKind

Bytes = NDArray[np.uint8]
_Floats = NDArray[Any]

_BLOCK = 1 << 20
"""Patch elements laid out at a time: what stays in a processor's cache."""
_EXACT32 = 1 << 24
"""Below it float32 holds all integers; float64 does so far beyond any accumulator."""


@dataclass(frozen=True, slots=True, eq=False)
class _Kernel:
    """Rows made ready for BLAS."""

    weights: _Floats
    """(groups, K, rows of a group), less their zero point."""
    bias: _Floats
    """(rows,), float32 where the accumulators fit in it exactly, else float64."""
    scale: NDArray[np.float32]

    @classmethod
    def of(cls, step: Step, rows: Rows) -> "_Kernel":
        weights = rows.weights.astype(np.int64) - step.zw
        sums = 255 * np.abs(weights).sum(axis=1)
        kind = np.float32 if sums.max() < _EXACT32 else np.float64
        totals = np.float32 if (sums + np.abs(rows.bias)).max() < _EXACT32 else np.float64
        grouped = weights.reshape(step.groups, -1, step.k).transpose(0, 2, 1)
        return cls(
            np.ascontiguousarray(grouped, kind),
            rows.bias.astype(totals),
            rows.scale.view(np.float32),
        )


class Engine:
    """One model, ready to run.

    Args:
        model: checked (as from_bytes and the importer return it): of an unchecked one,
            accumulators could be inexact.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self._kernels = {
            index: _Kernel.of(step, model.rows_of(index))
            for index, step in enumerate(model.steps)
            if step.kind in (StepKind.DENSE, StepKind.CONV)
        }
        self._last_use = {
            step.source: index for index, step in enumerate(model.steps) if step.source is not None
        }

    def run(self, inputs: Bytes) -> Bytes:
        """Return the outputs, (n, output bytes).

        Args:
            inputs: (n, input bytes).

        Raises:
            FieldError: inputs of another size.
        """
        for tensor in self._tensors(inputs):
            last = tensor
        return last.reshape(len(inputs), self.model.steps[-1].out_size)

    def trace(self, inputs: Bytes) -> list[Bytes]:
        """Return all tensors, (n, h, w, c) each: the inputs and each step's outputs."""
        return list(self._tensors(inputs))

    def infer(self, inputs: list[bytes]) -> list[bytes]:
        """Return the canonical output of each canonical input; see run for errors."""
        size = self.model.steps[0].in_size
        for place, data in enumerate(inputs):
            if len(data) != size:
                raise FieldError(f"input {place}", f"{len(data)} bytes", f"{size} bytes")
        stacked = np.frombuffer(b"".join(inputs), np.uint8).reshape(-1, size)
        return [row.tobytes() for row in self.run(stacked)]

    def _tensors(self, inputs: Bytes) -> Iterator[Bytes]:
        first = self.model.steps[0]
        if inputs.dtype != np.uint8 or inputs.ndim < 2 or prod(inputs.shape[1:]) != first.in_size:
            raise FieldError("inputs", f"{inputs.dtype} {inputs.shape}", f"n x {first.in_size} u8")
        tensor = inputs.reshape(-1, *first.in_shape)
        # Only those that a later step names.
        kept = {0: tensor} if 0 in self._last_use else {}
        yield tensor
        for index, step in enumerate(self.model.steps):
            if step.source is None:
                tensor = self._apply(index, step, tensor.reshape(-1, *step.in_shape))
            else:
                tensor = self._join(index, step, tensor, kept[step.source])
                if self._last_use[step.source] == index:
                    del kept[step.source]
            if index + 1 in self._last_use:
                kept[index + 1] = tensor
            yield tensor

    def _join(self, index: int, step: Step, tensor: Bytes, source: Bytes) -> Bytes:
        if step.kind == StepKind.RECALL:
            return source
        if step.kind == StepKind.SUM:
            return _sum(step, self.model.multipliers_of(index), tensor, source)
        shapes = (step.source_shape, step.in_shape)
        parts = [
            one.reshape(-1, *shape) for one, shape in zip((source, tensor), shapes, strict=True)
        ]
        return np.concatenate(parts, axis=3)

    def _apply(self, index: int, step: Step, tensor: Bytes) -> Bytes:
        if step.kind == StepKind.LOOKUP:
            return self.model.table_of(index)[tensor]
        if step.kind == StepKind.MAX_POOL:
            return _max_pool(step, tensor)
        if step.kind == StepKind.AVERAGE_POOL:
            return _average_pool(step, self.model.rows_of(index), tensor)
        return _multiply(step, self._kernels[index], tensor)


def _multiply(step: Step, kernel: _Kernel, tensor: Bytes) -> Bytes:
    out = np.empty((len(tensor), *step.out_shape), np.uint8)
    per_input = step.out_h * step.out_w * step.k * step.groups
    block = max(1, _BLOCK // per_input)
    dot = _depthwise if step.k == step.k_h * step.k_w and step.groups > 1 else _grouped
    for start in range(0, len(tensor), block):
        padded = _padded(step, tensor[start : start + block], step.za)
        sums = dot(step, kernel, padded)
        if kernel.bias.dtype == sums.dtype:
            sums += kernel.bias
        else:
            sums = sums + kernel.bias
        acc = sums.astype(np.float32, copy=False)
        out[start : start + block] = requantize_float32(
            acc, kernel.scale, step.zy, step.lo, step.hi
        )
    return out


def _grouped(step: Step, kernel: _Kernel, padded: Bytes) -> _Floats:
    kind = kernel.weights.dtype
    n = len(padded)
    if step.groups == 1:
        whole: _Floats = np.matmul(_patches(step, padded.astype(kind)), kernel.weights[0])
        return whole.reshape(n, *step.out_shape)
    windows = _windows(step, padded)
    width = step.in_c // step.groups
    sums = np.empty((n * step.out_h * step.out_w, step.out_c), kind)
    for group, weights in enumerate(kernel.weights):
        part = windows[..., group * width : (group + 1) * width]
        patches = part.astype(kind, order="C").reshape(-1, step.k)
        at = group * weights.shape[1]
        np.matmul(patches, weights, out=sums[:, at : at + weights.shape[1]])
    return sums.reshape(n, *step.out_shape)


def _depthwise(step: Step, kernel: _Kernel, padded: Bytes) -> _Floats:
    """One input channel a group: products of whole images instead of thin matrices."""
    kind = kernel.weights.dtype
    windows = _windows(step, padded.astype(kind))
    each = step.out_c // step.groups
    sums = np.zeros((*windows.shape[:3], step.groups, each), kind)
    for place in range(step.k):
        y, x = divmod(place, step.k_w)
        sums += windows[:, :, :, y, x, :, None] * kernel.weights[:, place]
    return sums.reshape(*windows.shape[:3], step.out_c)


def _max_pool(step: Step, tensor: Bytes) -> Bytes:
    windows = _windows(step, _padded(step, tensor, 0))
    out = windows[:, :, :, 0, 0].copy()
    for place in range(1, step.k_h * step.k_w):
        y, x = divmod(place, step.k_w)
        np.maximum(out, windows[:, :, :, y, x], out=out)
    return out


def _average_pool(step: Step, rows: Rows, tensor: Bytes) -> Bytes:
    windows = _windows(step, _padded(step, tensor, step.za))
    # K is at most 2^15, so that a sum of bytes stays below 2^23.
    acc = windows.sum(axis=(3, 4), dtype=np.int64) + rows.bias[0]
    scale = rows.scale.view(np.float32)
    return requantize_float32(acc.astype(np.float32), scale, step.zy, step.lo, step.hi)


def _sum(step: Step, multipliers: tuple[int, int], tensor: Bytes, source: Bytes) -> Bytes:
    # Below 2^8 * 2^32 * 2: far within 64 bits. A byte's product is looked up.
    every = np.arange(256, dtype=np.int64)
    ours, theirs = (
        (every - zero) * m for m, zero in zip(multipliers, (step.za, step.zw), strict=True)
    )
    acc = ours[tensor] + theirs[source] + (step.zy << SUM_SHIFT)
    half, odd = (1 << SUM_SHIFT - 1) - 1, (acc >> SUM_SHIFT) & 1
    rounded = (acc + half + odd) >> SUM_SHIFT
    return np.clip(rounded, step.lo, step.hi).astype(np.uint8)


def _padded(step: Step, tensor: Bytes, value: int) -> Bytes:
    """Return the input with its padding; what lies beyond the last window stays as it is."""
    top, left = step.pad_top, step.pad_left
    height = max((step.out_h - 1) * step.stride_h + step.k_h, top + step.in_h)
    width = max((step.out_w - 1) * step.stride_w + step.k_w, left + step.in_w)
    if (height, width) == (step.in_h, step.in_w):
        return np.ascontiguousarray(tensor)
    padded = np.full((len(tensor), height, width, step.in_c), value, np.uint8)
    padded[:, top : top + step.in_h, left : left + step.in_w] = tensor
    return padded


def _windows(step: Step, padded: NDArray[Any]) -> NDArray[Any]:
    """Return a view of all windows, (n, out_h, out_w, k_h, k_w, c)."""
    n, _, _, c = padded.shape
    by_n, by_y, by_x, by_c = padded.strides
    shape = (n, step.out_h, step.out_w, step.k_h, step.k_w, c)
    strides = (by_n, by_y * step.stride_h, by_x * step.stride_w, by_y, by_x, by_c)
    return np.ndarray(shape, padded.dtype, padded, strides=strides)


def _patches(step: Step, padded: NDArray[Any]) -> NDArray[Any]:
    """Return all windows laid out, (n * out_h * out_w, k_h * k_w * c)."""
    n, height, width, c = padded.shape
    if step.k_h == step.k_w == 1 and (height, width) == (step.out_h, step.out_w):
        return padded.reshape(-1, step.k)
    by_n, by_y, by_x, by_c = padded.strides
    # The pixels of a window's line lie side by side: copied in one go.
    shape = (n, step.out_h, step.out_w, step.k_h, step.k_w * c)
    strides = (by_n, by_y * step.stride_h, by_x * step.stride_w, by_y, by_c)
    view: NDArray[Any] = np.ndarray(shape, padded.dtype, padded, strides=strides)
    return view.reshape(-1, step.k)
