"""Float layers that have no step, and what --quantize makes of them: one that has.

normalised  before a layer, behind a Relu, flat | a number for each channel
at the input  Clip, Relu, MaxPool, Tanh, Sub and Div: the input is quantized before them
shapes  any rank that is flattened first | rows of a matrix | axes squeezed
means  over height and width | sums of several tensors
shared  a tensor read before its Relu, too; Swish, and a residual beside it
"""

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

from tallystick.replay.distance import distance
from tallystick.replay.front import quantized_first
from tallystick.replay.importer import import_onnx
from tallystick.replay.quantize import Types, quantize
from tallystick.replay.runtime import run, session
from tallystick.replay.step import StepKind
from tests.support.nets import build, weights

node = helper.make_node
IMAGE = (3, 8, 8)
W = {"w": weights(9, 4, 3, 3, 3)}
V = {"v": weights(2, 4, 4, 3, 3)}
BOUNDS = {"lo": np.float32(-0.5), "hi": np.float32(0.7)}
PAD = {"pads": [1] * 4}


def norm(channels: int) -> dict[str, Any]:
    """Return the constants of a BatchNormalization: g, be, mu, va."""
    positive = {"va": 1 + np.abs(weights(4, channels))}
    return positive | {
        "g": 1 + 0.2 * weights(1, channels),
        "be": weights(2, channels),
        "mu": weights(3, channels),
    }


def normed(x: str, y: str) -> onnx.NodeProto:
    return node("BatchNormalization", [x, "g", "be", "mu", "va"], [y])


def conv(x: str, y: str, w: str = "w", **attributes: Any) -> onnx.NodeProto:
    return node("Conv", [x, w], [y], **attributes)


CONV, DENSE, LOOKUP, SUM = StepKind.CONV, StepKind.DENSE, StepKind.LOOKUP, StepKind.SUM
MAX_POOL, MEAN, RECALL = StepKind.MAX_POOL, StepKind.AVERAGE_POOL, StepKind.RECALL
NETS: dict[str, tuple[list[onnx.NodeProto], dict[str, Any], Any, Any, list[StepKind]]] = {
    "normalised before a convolution": (
        [normed("x", "b"), conv("b", "y")], norm(3) | W, IMAGE, (4, 6, 6), [CONV, CONV]),
    "normalised, flat": (
        [normed("x", "b"), node("Gemm", ["b", "m"], ["y"])],
        norm(6) | {"m": weights(9, 6, 4)}, (6,), (4,), [DENSE, DENSE]),
    "normalised behind a Relu": (
        [conv("x", "a"), node("Relu", ["a"], ["r"]), normed("r", "y")],
        norm(4) | W, IMAGE, (4, 6, 6), [CONV, CONV]),
    "normalised behind a dense layer": (
        [node("Gemm", ["x", "m"], ["a"]), normed("a", "b"), node("Relu", ["b"], ["r"]),
         node("Gemm", ["r", "n"], ["y"])],
        norm(8) | {"m": weights(9, 6, 8), "n": weights(3, 8, 2)}, (6,), (2,), [DENSE] * 3),
    "a number for each channel, added": (
        [conv("x", "a"), node("Relu", ["a"], ["r"]), node("Add", ["r", "b"], ["y"])],
        W | {"b": weights(3, 1, 4, 1, 1)}, IMAGE, (4, 6, 6), [CONV, CONV]),
    "a number for each channel, multiplied": (
        [conv("x", "a"), node("Relu", ["a"], ["r"]), node("Mul", ["b", "r"], ["y"])],
        W | {"b": weights(3, 4, 1, 1)}, IMAGE, (4, 6, 6), [CONV, CONV]),
    "less than a number for each channel, divided": (
        [node("Sub", ["m", "x"], ["a"]), node("Div", ["a", "s"], ["b"]), conv("b", "y")],
        W | {"m": np.float32([0.5, 0.4, 0.3]).reshape(1, 3, 1, 1),
             "s": np.float32([0.25, 0.2, 0.3]).reshape(1, 3, 1, 1)},
        IMAGE, (4, 6, 6), [CONV, CONV, CONV]),
    "scaled at the input": (
        [node("Sub", ["x", "m"], ["a"]), node("Div", ["a", "s"], ["b"]), conv("b", "y")],
        W | {"m": np.float32(0.5), "s": np.float32(0.25)}, IMAGE, (4, 6, 6), [LOOKUP, CONV]),
    "clamped at the input": (
        [node("Clip", ["x", "lo", "hi"], ["b"]), conv("b", "y")],
        W | BOUNDS, IMAGE, (4, 6, 6), [LOOKUP, CONV]),
    "Relu at the input": (
        [node("Relu", ["x"], ["b"]), conv("b", "y")], W, IMAGE, (4, 6, 6), [LOOKUP, CONV]),
    "Tanh at the input": (
        [node("Tanh", ["x"], ["b"]), conv("b", "y")], W, IMAGE, (4, 6, 6), [LOOKUP, CONV]),
    "pooled at the input": (
        [node("MaxPool", ["x"], ["b"], kernel_shape=[2, 2]), conv("b", "y")],
        W, IMAGE, (4, 5, 5), [MAX_POOL, CONV]),
    "nothing but a pool": (
        [node("MaxPool", ["x"], ["y"], kernel_shape=[2, 2])], {}, IMAGE, (3, 7, 7), [MAX_POOL]),
    "averaged at the input": (
        [node("AveragePool", ["x"], ["b"], kernel_shape=[2, 2]), conv("b", "y")],
        W, IMAGE, (4, 5, 5), [CONV, CONV]),
    "rank 3, flattened": (
        [node("Flatten", ["x"], ["f"]), node("Gemm", ["f", "m"], ["y"])],
        {"m": weights(3, 28, 4)}, (4, 7), (4,), [DENSE]),
    "rank 3, reshaped": (
        [node("Reshape", ["x", "s"], ["f"]), node("MatMul", ["f", "m"], ["y"])],
        {"m": weights(3, 28, 4), "s": np.array([-1, 28])}, (4, 7), (4,), [DENSE]),
    "rank 3, an image of one channel": (
        [node("Unsqueeze", ["x", "s"], ["f"]), conv("f", "y")],
        {"w": weights(3, 4, 1, 3, 3), "s": np.array([1])}, (8, 7), (4, 6, 5), [CONV]),
    "rank 3, squeezed": (
        [node("Squeeze", ["x", "s"], ["f"]), node("Gemm", ["f", "m"], ["y"])],
        {"m": weights(3, 7, 4), "s": np.array([-2])}, (1, 7), (4,), [DENSE]),
    "rank 5, flattened": (
        [node("Flatten", ["x"], ["f"]), node("Gemm", ["f", "m"], ["y"])],
        {"m": weights(3, 24, 4)}, (2, 3, 2, 2), (4,), [DENSE]),
    "rows of a matrix": (
        [node("MatMul", ["x", "m"], ["a"]), node("Relu", ["a"], ["r"]),
         node("MatMul", ["r", "n"], ["y"])],
        {"m": weights(3, 7, 9), "n": weights(4, 9, 5)}, (4, 7), (4, 5), [CONV, CONV]),
    "rows of a matrix, and a bias": (
        [node("MatMul", ["x", "m"], ["a"]), node("Add", ["a", "b"], ["c"]),
         node("Relu", ["c"], ["r"]), node("MatMul", ["r", "n"], ["d"]),
         node("Flatten", ["d"], ["f"]), node("Gemm", ["f", "o"], ["y"])],
        {"m": weights(3, 7, 9), "b": weights(8, 9), "n": weights(4, 9, 5),
         "o": weights(4, 20, 3)}, (4, 7), (3,), [CONV, LOOKUP, CONV, DENSE]),
    "mean over an image": (
        [conv("x", "a"), node("ReduceMean", ["a"], ["m"], axes=[2, 3], keepdims=0),
         node("Gemm", ["m", "o"], ["y"])],
        W | {"o": weights(3, 4, 5)}, IMAGE, (5,), [CONV, MEAN, DENSE]),
    "mean over an image, axes kept": (
        [conv("x", "a"), node("ReduceMean", ["a"], ["m"], axes=[-1, -2]),
         node("Flatten", ["m"], ["f"]), node("Gemm", ["f", "o"], ["y"])],
        W | {"o": weights(3, 4, 5)}, IMAGE, (5,), [CONV, MEAN, DENSE]),
    "sum of several": (
        [conv("x", "a", **PAD), conv("x", "b", "u", **PAD), node("Sum", ["a", "b", "a"], ["y"])],
        W | {"u": weights(7, 4, 3, 3, 3)}, IMAGE, (4, 8, 8), [CONV, RECALL, CONV, SUM, SUM]),
    "read before its Relu, too": (
        [conv("x", "a"), node("Relu", ["a"], ["r"]), conv("r", "c", "v", **PAD),
         node("Add", ["a", "c"], ["y"])], W | V, IMAGE, (4, 6, 6), [CONV, LOOKUP, CONV, SUM]),
    "Swish and a residual": (
        [conv("x", "a"), node("Sigmoid", ["a"], ["s"]), node("Mul", ["a", "s"], ["b"]),
         conv("b", "c", "v", **PAD), node("Add", ["b", "c"], ["y"])],
        W | V, IMAGE, (4, 6, 6), [CONV, LOOKUP, CONV, SUM]),
    "padded": (
        [conv("x", "a"), node("Relu", ["a"], ["r"]), node("Pad", ["r", "p"], ["q"]),
         conv("q", "y", "v")],
        W | V | {"p": np.array([0, 0, 0, 0, 0, 0, 1, 1])}, IMAGE, (4, 5, 5), [CONV, CONV]),
}  # fmt: skip


@pytest.mark.parametrize("types", [Types.U8U8, Types.S8S8])
@pytest.mark.parametrize("name", NETS)
def test_quantize__layer_without_a_step__becomes_one_that_has(name: str, types: Types) -> None:
    nodes, constants, taken, given, kinds = NETS[name]
    inputs = np.random.default_rng(0).normal(0, 1, (30, *taken)).astype(np.float32)
    net = build(nodes, constants, taken, given)

    quantized = quantize(net, inputs, types)

    assert [step.kind for step in import_onnx(quantized, inputs, count=32).steps] == kinds
    answers = run(session(net), "x", inputs)[0]
    # 255 steps over the answers' range, and a few layers' worth of roundings.
    assert distance(net, quantized, inputs).largest_difference <= np.ptp(answers) / 20


def test_quantize__clamped_where_another_layer_reads__is_the_float_models_answer() -> None:
    """onnxruntime's quantizer drops such a Relu, and the shortcut would be clamped."""
    nodes, constants, taken, given, _ = NETS["read before its Relu, too"]
    inputs = np.random.default_rng(0).normal(0, 1, (30, *taken)).astype(np.float32)
    net = build(nodes, constants, taken, given)

    assert distance(net, quantize(net, inputs), inputs).equal_argmax >= 0.9


@pytest.mark.parametrize("op", ["Clip", "MaxPool", "Relu"])
def test_quantized_first__operator_before_quantizing__answers_the_same(op: str) -> None:
    nodes, constants, taken, given, _ = NETS[
        {"Clip": "clamped at the input", "MaxPool": "pooled at the input"}.get(
            op, "Relu at the input"
        )
    ]
    net = build(nodes, constants, taken, given)
    inputs = np.random.default_rng(0).normal(0, 1, (30, *taken)).astype(np.float32)
    ends = {"s": np.float32(0.013), "z": np.uint8(99)}
    first, rest = nodes
    behind = [
        node("QuantizeLinear", [first.output[0], "s", "z"], ["q"]),
        node("DequantizeLinear", ["q", "s", "z"], ["d"]),
        node("Conv", ["d", *rest.input[1:]], ["y"]),
    ]
    net = build([first, *behind], constants | ends, taken, given)

    moved = quantized_first(net)

    assert moved.graph.node[0].op_type == "QuantizeLinear"
    assert np.array_equal(run(session(net), "x", inputs)[0], run(session(moved), "x", inputs)[0])
