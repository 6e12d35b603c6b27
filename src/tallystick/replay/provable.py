"""The largest proof of an element that each step of a model may take, whatever the element.

Source: docs/replay-game.md, "Limits"; what is opened is in contracts/replay/Qi8ElementLib.sol.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from tallystick.replay.model import Model
from tallystick.replay.step import SUM_ROW, Step, StepKind
from tallystick.replay.trace import ARITY, CHUNK
from tallystick.replay.transaction import MAX_GAS, MAX_TRANSACTION

_HEAD = 1600
"""Bytes of a transaction but its lists: pre-image, leaf, offsets, envelope, signature."""
_OPENED = 64
"""Bytes of a pre-image's offset and length."""
_BASE_GAS = 21_000
_FIXED_GAS = 135_000
"""A transaction that checks what a proof is of, and resolves the challenge."""
_FLOOR_GAS, _CALLDATA_GAS = 40, 16
"""A byte, none of them zero: at the floor of EIP-7623, and above it."""
_BYTE_GAS = 3
"""A byte that is copied and hashed."""
_OPENED_GAS = 2200
"""A pre-image that is taken and compared, its chunk copied."""
_PRODUCT_GAS = 34
"""A product: four rows are multiplied at a time, and one is wanted."""
_PIXEL_GAS = 95
"""A pixel of a pool, added or compared."""
_READ_GAS = 1000
"""Bytes that are read by themselves: a line of a window, or a pixel."""


@dataclass(frozen=True, slots=True)
class ProofBound:
    """The most that a proof of any element of a step takes."""

    index: int
    """Of the step, from zero."""
    size: int
    """Bytes of the transaction."""
    gas: int
    """Of the transaction, about."""


@dataclass(frozen=True, slots=True)
class _Reads:
    """Bytes that an element reads of a tensor: in each of some lines some parts, equally long."""

    lines: int
    parts: int
    width: int
    """Bytes of a part."""
    span: int
    """Bytes from a line's first part to the end of its last one."""


@dataclass(frozen=True, slots=True)
class _Opened:
    """Pre-images that are opened."""

    count: int
    size: int


_NOTHING = _Opened(0, 0)


def proof_bounds(model: Model) -> Iterator[ProofBound]:
    """Yield the bound of each step of a model, which QI8-1 allows."""
    outs = max(step.out_size for step in model.steps)
    brought = 40 * len(model.steps) + 32 * (len(model.steps) + 1) + min(CHUNK, outs)
    for index, step in enumerate(model.steps):
        reads = _reads(step)
        tensor = _opened(step.in_size, reads) if reads else _NOTHING
        source = _NOTHING
        if step.source is not None:
            source = _opened(prod(step.source_shape), _part(1))
        if step.kind is StepKind.CONCAT:
            # An element is of one of both.
            tensor, source = max(tensor, source, key=lambda one: one.size), _NOTHING
        rows = _opened(len(model.rows), _part(_row(step))) if _row(step) else _NOTHING
        count = tensor.count + source.count + rows.count
        size = _HEAD + brought + _OPENED * count + tensor.size + source.size + rows.size
        pieces = reads.lines * reads.parts if reads else 1
        used = _OPENED_GAS * count + _READ_GAS * pieces
        used += (
            _PRODUCT_GAS * step.k
            if step.kind in (StepKind.DENSE, StepKind.CONV)
            else _PIXEL_GAS * step.k_h * step.k_w
        )
        used += _FIXED_GAS + (_CALLDATA_GAS + _BYTE_GAS) * size
        yield ProofBound(index, size, max(_BASE_GAS + _FLOOR_GAS * size, used))


def unprovable(model: Model) -> str | None:
    """Return which step has elements that no transaction may prove; None where each has room.

    Args:
        model: one that QI8-1 allows.
    """
    for bound in proof_bounds(model):
        for found, most, unit in (
            (bound.size, MAX_TRANSACTION, "bytes"),
            (bound.gas, MAX_GAS, "gas"),
        ):
            if found > most:
                step = model.steps[bound.index]
                shape = " x ".join(map(str, step.in_shape))
                kind = step.kind.name.lower().replace("_", " ")
                return (
                    f"step {bound.index} ({kind} of {shape}): the proof of an element may take "
                    f"{found:,} {unit}; a transaction has {most:,}"
                )
    return None


def _part(width: int) -> _Reads:
    return _Reads(1, 1, width, width)


def _row(step: Step) -> int:
    """Return how many bytes an element reads of the step's rows."""
    if step.kind is StepKind.LOOKUP:
        return 1
    if step.kind is StepKind.SUM:
        return SUM_ROW
    return step.row_size if step.row_count else 0


def _reads(step: Step) -> _Reads | None:
    """Return what an element reads of the tensor before the step; None of one it doesn't read."""
    if step.kind is StepKind.RECALL:
        return None
    if step.kind is StepKind.DENSE:
        return _part(step.in_size)
    if step.kind not in (StepKind.CONV, StepKind.MAX_POOL, StepKind.AVERAGE_POOL):
        return _part(1)
    channels = step.in_c // step.groups if step.kind is StepKind.CONV else 1
    lines, pixels = min(step.k_h, step.in_h), min(step.k_w, step.in_w)
    span = (pixels - 1) * step.in_c + channels
    if channels == step.in_c:
        return _Reads(lines, 1, span, span)
    return _Reads(lines, pixels, channels, span)


def _opened(size: int, reads: _Reads) -> _Opened:
    """Return the most nodes and chunks that reads open of a tree over `size` bytes."""
    count = total = 0
    unit, below = CHUNK, 0
    while True:
        items = -(-size // unit)
        apart = min(_across(reads.span, unit), reads.parts * _across(reads.width, unit))
        touched = min(items, reads.lines * apart)
        count += touched
        total += min(touched * CHUNK, size) if not below else 32 * min(touched * ARITY, below)
        if items == 1:
            return _Opened(count, total)
        unit, below = unit * ARITY, items


def _across(length: int, unit: int) -> int:
    """Return the most pieces of `unit` bytes that so many bytes in a row may touch."""
    return (length + unit - 2) // unit + 1
