"""Shapes of tensors after a node."""

from collections.abc import Callable, Sequence
from math import prod

import numpy as np

from tallystick.replay.graph import GraphNode
from tallystick.replay.tensor import Tensor


def new_shape(node: GraphNode, before: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape that a node gives, less the batch dimension.

    Raises:
        UnportableError: one that no tensor of QI8-1 has, or that mixes samples.
    """
    shape = before if node.op == "Identity" else _SHAPES[node.op](node, before)
    if shape is None:
        raise node.refusal(
            f"changes the shape {before} in a way that has no step", "Flatten with axis 1, or none"
        )
    return shape


def _flattened(node: GraphNode, before: tuple[int, ...]) -> tuple[int, ...] | None:
    return (prod(before),) if node.attributes.get("axis", 1) == 1 else None


def _squeezed(node: GraphNode, before: tuple[int, ...]) -> tuple[int, ...] | None:
    axes = _axes(node, len(before) + 1)
    whole = (0, *before)
    if axes is None or 0 in axes or any(whole[axis] != 1 for axis in axes):
        return None
    return tuple(size for axis, size in enumerate(whole) if axis and axis not in axes) or None


def _unsqueezed(node: GraphNode, before: tuple[int, ...]) -> tuple[int, ...] | None:
    axes = _axes(node, len(before) + 1, added=True)
    if axes is None or 0 in axes:
        return None
    sizes = iter((0, *before))
    count = len(before) + 1 + len(axes)
    return tuple(1 if axis in axes else next(sizes) for axis in range(count))[1:]


def _axes(node: GraphNode, rank: int, added: bool = False) -> set[int] | None:
    """Return the axes squeezed or unsqueezed, of the shape with all of them."""
    given = node.optional(1)
    axes = node.attributes.get("axes") if given is None else np.ravel(given).tolist()
    if axes is None:
        return None
    rank += len(axes) if added else 0
    fit = all(-rank <= axis < rank for axis in axes)
    return {axis % rank for axis in axes} if fit else None


def _reshaped(node: GraphNode, before: tuple[int, ...]) -> tuple[int, ...] | None:
    batch, *shape = node.constant(1).tolist() or [0]
    if not shape or node.attributes.get("allowzero", 0):
        return None
    copied = (*before, *[0] * len(shape))
    shape = [copied[place] if size == 0 else size for place, size in enumerate(shape)]
    if batch in (0, 1) and shape.count(-1) == 1:
        shape[shape.index(-1)] = prod(before) // max(1, -prod(shape))
    fits = batch in (-1, 0, 1) and min(shape) > 0 and prod(shape) == prod(before)
    return tuple(shape) if fits else None


_SHAPES: dict[str, Callable[[GraphNode, tuple[int, ...]], tuple[int, ...] | None]] = {
    "Flatten": _flattened,
    "Squeeze": _squeezed,
    "Unsqueeze": _unsqueezed,
    "Reshape": _reshaped,
}


def window_of(
    node: GraphNode, tensor: Tensor, kernel: Sequence[int]
) -> tuple[tuple[int, int], dict[str, int]]:
    """Return output height and width, and kernel, strides and pads as a step has them.

    Raises:
        UnportableError: no image, or windows that a step cannot say.
    """
    attributes = node.attributes
    strides = attributes.get("strides", [1, 1])
    auto = attributes.get("auto_pad", b"NOTSET").decode()
    given = attributes.get("pads", [0] * 4) if auto == "NOTSET" else [0] * 4
    if len(tensor.shape) != 3 or (len(kernel), len(strides), len(given)) != (2, 2, 4):
        raise node.refusal("its input is not an image", "an input of (n, c, h, w)")
    if set(attributes.get("dilations", [1])) != {1}:
        raise node.refusal("is dilated", "a dense kernel with zeros between")
    if attributes.get("ceil_mode", 0):
        raise node.refusal("ceil_mode is set", "pads that say the same")
    shape, pads = [], []
    for axis in range(2):
        size, k, stride = tensor.shape[1 + axis], kernel[axis], strides[axis]
        before, after = given[axis], given[axis + 2]
        if auto.startswith("SAME"):
            missing = max((-(-size // stride) - 1) * stride + k - size, 0)
            before = missing // 2 if auto == "SAME_UPPER" else missing - missing // 2
            after = missing - before
        shape.append((size + before + after - k) // stride + 1)
        pads.append(before)
    return (shape[0], shape[1]), {
        "k_h": kernel[0],
        "k_w": kernel[1],
        "stride_h": strides[0],
        "stride_w": strides[1],
        "pad_top": pads[0],
        "pad_left": pads[1],
    }
