"""One element of a step's output, and what a contract needs to compute it: a twin of
`Qi8ElementLib` in contracts/replay/Qi8ElementLib.sol.

Source: docs/replay-game.md; the arithmetic is that of docs/replay.md.
"""

from dataclasses import dataclass

from tallystick.errors import FieldError
from tallystick.replay.model import Model
from tallystick.replay.opening import OpeningReader
from tallystick.replay.requantize import requantize_one
from tallystick.replay.step import ROW_HEAD, SUM_ROW, SUM_SHIFT, Step, StepKind
from tallystick.replay.trace import TensorTree


@dataclass(frozen=True, slots=True)
class Element:
    """An element, with pre-images of what it depends on in the order in which they are read."""

    value: int
    """The byte."""
    tensor: tuple[bytes, ...]
    """Of the tensor before the step."""
    source: tuple[bytes, ...]
    """Of the tensor that the step names."""
    rows: tuple[bytes, ...]

    def abi(self) -> tuple[tuple[bytes, ...], ...]:
        """Return the contract's ElementProof."""
        return self.tensor, self.source, self.rows

    @property
    def size(self) -> int:
        """Bytes of all pre-images."""
        return sum(map(len, (*self.tensor, *self.source, *self.rows)))


def element_of(
    model: Model, index: int, place: int, trees: list[TensorTree], rows: TensorTree
) -> Element:
    """Compute an element of a step's output.

    Args:
        model: checked.
        index: of the step.
        place: of the element in the output.
        trees: of the inference's tensors; those that the step reads are needed.
        rows: of the model's rows.

    Raises:
        FieldError: there is no such step or element.
    """
    if not 0 <= index < len(model.steps):
        raise FieldError("step", index, f"0 to {len(model.steps) - 1}")
    step = model.steps[index]
    if not 0 <= place < step.out_size:
        raise FieldError("element", place, f"0 to {step.out_size - 1}")
    named = 0 if step.source is None else step.source
    tensor, source = OpeningReader(trees[index]), OpeningReader(trees[named])
    opened = OpeningReader(rows)
    start = sum(one.rows_size for one in model.steps[:index])
    value = _value(step, place, tensor, source, opened, start)
    return Element(value, tuple(tensor.nodes), tuple(source.nodes), tuple(opened.nodes))


def _value(
    step: Step,
    place: int,
    tensor: OpeningReader,
    source: OpeningReader,
    rows: OpeningReader,
    start: int,
) -> int:
    kind = step.kind
    if kind in (StepKind.DENSE, StepKind.CONV):
        return _dot(step, place, tensor, rows, start)
    if kind is StepKind.MAX_POOL:
        return max(_window(step, place, tensor, place % step.out_c, 1, 0))
    if kind is StepKind.AVERAGE_POOL:
        window = _window(step, place, tensor, place % step.out_c, 1, step.za)
        bias, scale = _head(rows.read(start, ROW_HEAD))
        return requantize_one(sum(window) + bias, scale, step.zy, step.lo, step.hi)
    if kind is StepKind.LOOKUP:
        return rows.read(start + tensor.read(place, 1)[0], 1)[0]
    if kind is StepKind.SUM:
        return _sum(step, tensor.read(place, 1)[0], source.read(place, 1)[0], rows, start)
    if kind is StepKind.RECALL:
        return source.read(place, 1)[0]
    pixel, channel = divmod(place, step.out_c)
    ahead = step.out_c - step.in_c
    if channel < ahead:
        return source.read(pixel * ahead + channel, 1)[0]
    return tensor.read(pixel * step.in_c + channel - ahead, 1)[0]


def _dot(step: Step, place: int, tensor: OpeningReader, rows: OpeningReader, start: int) -> int:
    channel = place % step.out_c
    channels = step.in_c // step.groups
    first = channel // (step.out_c // step.groups) * channels
    if step.kind is StepKind.DENSE:
        window = tensor.read(0, step.k)
    else:
        window = _window(step, place, tensor, first, channels, step.za)
    size = ROW_HEAD + step.k
    row = rows.read(start + channel * size, size)
    bias, scale = _head(row)
    weights = row[ROW_HEAD:]
    acc = sum(a * (w - step.zw) for a, w in zip(window, weights, strict=True)) + bias
    return requantize_one(acc, scale, step.zy, step.lo, step.hi)


def _head(row: bytes) -> tuple[int, int]:
    """Return a row's bias and the bits of its scale."""
    return int.from_bytes(row[:8], "big", signed=True), int.from_bytes(row[8:ROW_HEAD], "big")


def _sum(step: Step, ours: int, theirs: int, rows: OpeningReader, start: int) -> int:
    row = rows.read(start, SUM_ROW)
    one, other = int.from_bytes(row[:4], "big"), int.from_bytes(row[4:], "big")
    acc = (ours - step.za) * one + (theirs - step.zw) * other + (step.zy << SUM_SHIFT)
    half, odd = (1 << SUM_SHIFT - 1) - 1, acc >> SUM_SHIFT & 1
    return min(max(acc + half + odd >> SUM_SHIFT, step.lo), step.hi)


def _window(
    step: Step, place: int, tensor: OpeningReader, first: int, channels: int, padding: int
) -> bytes:
    """Return some channels of a window, one pixel behind the other."""
    y, x = divmod(place // step.out_c, step.out_w)
    top, left = y * step.stride_h - step.pad_top, x * step.stride_w - step.pad_left
    pixels = []
    for row in range(top, top + step.k_h):
        for column in range(left, left + step.k_w):
            if 0 <= row < step.in_h and 0 <= column < step.in_w:
                at = (row * step.in_w + column) * step.in_c + first
                pixels.append(tensor.read(at, channels))
            else:
                pixels.append(bytes([padding]) * channels)
    return b"".join(pixels)
