"""What a node does to a tensor's shape."""

from math import prod

from tallystick.replay.graph import Node
from tallystick.replay.tensor import Tensor


def new_shape(node: Node, before: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape that a node gives, less the batch dimension."""
    size = prod(before)
    if node.op == "Identity":
        return before
    if node.op == "Flatten" and node.attributes.get("axis", 1) == 1:
        return (size,)
    if node.op == "Squeeze" and before[1:] == (1, 1):
        axes = node.optional(1)
        chosen = node.attributes.get("axes") if axes is None else axes.tolist()
        if chosen is not None and {axis % 4 for axis in chosen} == {2, 3}:
            return (size,)
    if node.op == "Unsqueeze" and len(before) == 1:
        axes = node.optional(1)
        chosen = node.attributes.get("axes") if axes is None else axes.tolist()
        if chosen is not None and {axis % 4 for axis in chosen} == {2, 3}:
            return (size, 1, 1)
    if node.op == "Reshape" and not node.attributes.get("allowzero", 0):
        batch, *rest = node.constant(1).tolist()
        rest = [before[place] if n == 0 else n for place, n in enumerate(rest)]
        if rest.count(-1) == 1 and batch in (0, 1):
            rest[rest.index(-1)] = size // max(1, -prod(rest))
        if batch in (0, 1, -1) and len(rest) in (1, 3) and prod(rest) == size and min(rest) > 0:
            return tuple(rest)
    raise node.refusal(
        f"changes the shape {before} in a way that has no step", "Flatten with axis 1, or none"
    )


def window_of(
    node: Node, tensor: Tensor, kernel: tuple[int, int]
) -> tuple[tuple[int, int], dict[str, int]]:
    """Return output height and width, and kernel, strides and pads as a step has them."""
    attributes = node.attributes
    if len(tensor.shape) != 3:
        raise node.refusal("its input is not an image", "an input of (n, c, h, w)")
    if set(attributes.get("dilations", [1])) != {1}:
        raise node.refusal("is dilated", "a dense kernel with zeros between")
    if attributes.get("ceil_mode", 0):
        raise node.refusal("ceil_mode is set", "pads that say the same")
    strides = attributes.get("strides", [1, 1])
    auto = attributes.get("auto_pad", b"NOTSET").decode()
    given = attributes.get("pads", [0, 0, 0, 0]) if auto == "NOTSET" else [0, 0, 0, 0]
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
