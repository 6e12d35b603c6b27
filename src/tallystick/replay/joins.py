"""Parameters of QLinearAdd and QLinearConcat, for steps of two tensors."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tallystick.replay.functions import TABLE
from tallystick.replay.graph import GraphNode
from tallystick.replay.parameters import scale_of, zero_point_of
from tallystick.replay.step import SUM_SHIFT
from tallystick.replay.tensor import Tensor


class Addend(NamedTuple):
    """One of the two tensors of a sum."""

    name: str
    zero_point: int
    """As stored."""
    multiplier: int
    """Its scale, of the output's, with 24 bits below the point."""


def addends_of(node: GraphNode) -> list[Addend]:
    """Return both tensors of a QLinearAdd: a, its scale and zero point, b's three, y's two.

    Raises:
        UnportableError: a tensor is a constant, or of a scale that has no multiplier.
    """
    to = float(scale_of(node, 6))
    found = []
    for place in (0, 3):
        name = node.inputs[place]
        if name in node.constants:
            raise node.refusal(
                f"adds the constant {name}", "fold it into the layer before, as its bias"
            )
        ratio = float(scale_of(node, place + 1)) / to
        multiplier = round(ratio * (1 << SUM_SHIFT))
        if not 0 < multiplier < 1 << 32:
            raise node.refusal(
                f"scale of {name} is {ratio:.3g} times the output's; needed: 2^-24 to 2^8",
                "scales of inputs and output closer together",
            )
        found.append(Addend(name, zero_point_of(node, place + 2)[0], multiplier))
    return found


@dataclass(frozen=True, slots=True)
class Part:
    """One of the tensors of a concat."""

    name: str
    table: GraphNode | None
    """Node from its bytes to the output's; None where they are the same."""


def parts_of(node: GraphNode) -> list[Part]:
    """Return the tensors of a Concat of bytes, or of a QLinearConcat: y's scale and zero point,
    then each tensor with its own.

    Raises:
        UnportableError: a tensor is a constant.
    """
    if node.op == "Concat":
        parts = [Part(name, None) for name in node.inputs]
    else:
        parts = [_part(node, place) for place in range(2, len(node.inputs), 3)]
    for part in parts:
        if part.name in node.constants:
            raise node.refusal(f"appends the constant {part.name}", "leave it to the layer behind")
    return parts


def _part(node: GraphNode, place: int) -> Part:
    name, *own = node.inputs[place : place + 3]
    ours, theirs = node.inputs[:2], own
    if scale_of(node, place + 1) == scale_of(node, 0) and zero_point_of(
        node, place + 2
    ) == zero_point_of(node, 1):
        return Part(name, None)
    floats, out = f"{name}/floats", f"{name}/as {node.outputs[0]}"
    stretch = [
        GraphNode("DequantizeLinear", node.name, (name, *theirs), (floats,), {}, node.constants),
        GraphNode("QuantizeLinear", node.name, (floats, *ours), (out,), {}, node.constants),
    ]
    table = GraphNode(TABLE, node.name, (name,), (out,), {"nodes": stretch}, node.constants)
    return Part(name, table)


def concatenated(node: GraphNode, first: Tensor, second: Tensor) -> Tensor:
    """Return the tensor of the first's channels and then the second's.

    Raises:
        UnportableError: not along the channels of images of one size, or of flat tensors.
    """
    shapes, axis = (first.shape, second.shape), node.attributes.get("axis", 1)
    dimensions = {len(shape) for shape in shapes}
    fits = dimensions in ({1}, {3}) and axis % (max(dimensions) + 1) == 1
    if not fits or first.shape[1:] != second.shape[1:]:
        raise node.refusal(
            f"joins {shapes[0]} and {shapes[1]} along axis {axis}",
            "Concat along the channels of images of one size, or of flat tensors",
        )
    channels = first.shape[0] + second.shape[0]
    if len(first.shape) == 3:
        return Tensor.image(node.outputs[0], second.signed, (channels, *first.shape[1:]))
    order = np.concatenate([first.order, first.order.size + second.order])
    flat = (1, 1, channels)
    return Tensor(node.outputs[0], second.signed, (channels,), order, flat)
