"""One small float network for each thing that a step can do; images are (3, 9, 7)."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from onnx import helper

from tests.support.nets import build, weights

SHAPE = (3, 9, 7)


def samples(count: int, *shape: int, seed: int = 3) -> np.ndarray:
    """Return smooth-ish random inputs, (count, *shape) float32."""
    return np.random.default_rng(seed).normal(0.3, 1, (count, *shape)).astype(np.float32)


def conv(
    w_shape: tuple[int, ...], out_shape: tuple[int, ...], before: str = "", **attributes: Any
) -> onnx.ModelProto:
    """Return one convolution; after an elementwise operator, where one is named."""
    nodes = [helper.make_node("Conv", ["h" if before else "x", "w", "b"], ["y"], **attributes)]
    if before:
        nodes.insert(0, helper.make_node(before, ["x"], ["h"]))
    constants = {"w": weights(1, *w_shape), "b": weights(2, w_shape[0])}
    return build(nodes, constants, SHAPE, out_shape)


def pooled(
    op: str, out_shape: tuple[int, ...], tail: bool = False, **attributes: Any
) -> onnx.ModelProto:
    """Return a convolution 1x1 to 8 channels and a pool; with a tail, flatten and dense after."""
    constants = {"w": weights(1, 8, 3, 1, 1), "b": weights(2, 8)}
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node(op, ["r"], ["p" if tail else "y"], **attributes),
    ]
    if not tail:
        return build(nodes, constants, SHAPE, out_shape)
    constants |= {"v": weights(3, int(np.prod(out_shape)), 5), "d": weights(4, 5)}
    nodes += [
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Gemm", ["f", "v", "d"], ["y"]),
    ]
    return build(nodes, constants, SHAPE, (5,))


def dense(*nodes: onnx.NodeProto, in_shape: tuple[int, ...] = SHAPE) -> onnx.ModelProto:
    """Return a model whose nodes may use v (189, 20), t (20, 189), d (20,) and flat, a shape."""
    constants = {
        "v": weights(3, 189, 20),
        "t": weights(3, 20, 189),
        "d": weights(4, 20),
        "flat": np.array([-1, 189]),
    }
    used = {name for node in nodes for name in node.input}
    kept = {name: value for name, value in constants.items() if name in used}
    return build(list(nodes), kept, in_shape, (20,))


def chain(*ops: str) -> onnx.ModelProto:
    """Return operators of one input, one after another, on (3, 9, 7)."""
    names = ["x", *(f"h{place}" for place in range(len(ops) - 1)), "y"]
    nodes = [
        helper.make_node(op, [names[place]], [names[place + 1]]) for place, op in enumerate(ops)
    ]
    return build(nodes, {}, SHAPE, SHAPE)


node = helper.make_node
ZOO: dict[str, Callable[[], onnx.ModelProto]] = {
    "conv 3x3": lambda: conv((8, 3, 3, 3), (8, 7, 5)),
    "conv 1x1": lambda: conv((8, 3, 1, 1), (8, 9, 7)),
    "conv 5x3, strides 2 and 3": lambda: conv((4, 3, 5, 3), (4, 3, 2), strides=[2, 3]),
    "conv, uneven pads": lambda: conv((4, 3, 3, 3), (4, 9, 8), pads=[0, 1, 2, 2]),
    "conv, pads and strides": lambda: conv(
        (4, 3, 3, 3), (4, 5, 4), pads=[1, 1, 1, 1], strides=[2, 2]
    ),
    "conv, same upper": lambda: conv(
        (4, 3, 4, 4), (4, 5, 4), auto_pad="SAME_UPPER", strides=[2, 2]
    ),
    "conv, same lower": lambda: conv((4, 3, 4, 4), (4, 9, 7), auto_pad="SAME_LOWER"),
    "conv of the whole image": lambda: conv((6, 3, 9, 7), (6, 1, 1)),
    "depthwise": lambda: conv((3, 1, 3, 3), (3, 9, 7), group=3, pads=[1, 1, 1, 1]),
    "depthwise, 2 channels each": lambda: conv((6, 1, 3, 3), (6, 7, 5), group=3),
    "grouped": lambda: grouped(),
    "max pool": lambda: pooled("MaxPool", (8, 4, 3), kernel_shape=[2, 2], strides=[2, 2]),
    "max pool, pads": lambda: pooled(
        "MaxPool", (8, 5, 4), kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]
    ),
    "max pool, one stride": lambda: pooled("MaxPool", (8, 8, 5), kernel_shape=[2, 3]),
    "max pool, dense": lambda: pooled(
        "MaxPool", (8, 4, 3), True, kernel_shape=[2, 2], strides=[2, 2]
    ),
    "average pool": lambda: pooled("AveragePool", (8, 4, 3), kernel_shape=[2, 2], strides=[2, 2]),
    "average pool, pads": lambda: pooled(
        "AveragePool", (8, 9, 7), kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1
    ),
    "global average pool": lambda: pooled("GlobalAveragePool", (8, 1, 1)),
    "global average pool, dense": lambda: pooled("GlobalAveragePool", (8, 1, 1), True),
    "gemm of an image": lambda: dense(
        node("Flatten", ["x"], ["f"]), node("Gemm", ["f", "v", "d"], ["y"])
    ),
    "gemm, transposed": lambda: dense(
        node("Flatten", ["x"], ["f"]), node("Gemm", ["f", "t", "d"], ["y"], transB=1)
    ),
    "matmul": lambda: dense(node("MatMul", ["x", "v"], ["y"]), in_shape=(189,)),
    "matmul and addition": lambda: dense(
        node("Reshape", ["x", "flat"], ["f"]),
        node("MatMul", ["f", "v"], ["m"]),
        node("Add", ["m", "d"], ["y"]),
    ),
    "sigmoid": lambda: chain("Sigmoid"),
    "leaky relu": lambda: chain("LeakyRelu"),
    "leaky relu, conv": lambda: conv((8, 3, 3, 3), (8, 7, 5), "LeakyRelu"),
    "sigmoid, leaky relu": lambda: chain("Sigmoid", "LeakyRelu"),
    "flatten, leaky relu, gemm": lambda: dense(
        node("Flatten", ["x"], ["f"]),
        node("LeakyRelu", ["f"], ["g"]),
        node("Gemm", ["g", "v", "d"], ["y"]),
    ),
    "leaky relu, flatten, gemm": lambda: dense(
        node("LeakyRelu", ["x"], ["g"]),
        node("Flatten", ["g"], ["f"]),
        node("Gemm", ["f", "v", "d"], ["y"]),
    ),
}


def grouped() -> onnx.ModelProto:
    """Return a convolution to 8 channels, then one in 2 groups to 6."""
    nodes = [
        node("Conv", ["x", "w", "b"], ["c"]),
        node("Conv", ["c", "v", "d"], ["y"], group=2),
    ]
    constants = {
        "w": weights(1, 8, 3, 1, 1),
        "b": weights(2, 8),
        "v": weights(3, 6, 4, 3, 3),
        "d": weights(4, 6),
    }
    return build(nodes, constants, SHAPE, (6, 7, 5))
