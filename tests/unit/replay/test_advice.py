"""A refusal's advice, when followed, works: each model here is refused, and its mended form taken.

The refusal must give the advice that the mended form follows. Every reason that refusals.py has
must have a case.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper
from onnxruntime.quantization import quantize_dynamic

from tallystick.replay.errors import UnportableError
from tallystick.replay.importer import import_onnx
from tallystick.replay.prepare import until
from tallystick.replay.quantize import quantize
from tallystick.replay.refusals import FLOATS, REASONS
from tests.support.nets import build, in_bytes, weights
from tests.support.zoo import conv, pooled, samples

node = helper.make_node
Made = Callable[[], onnx.ModelProto]
IMAGE = (3, 9, 7)
REAL = samples(20, *IMAGE)
W = {"w": weights(1, 3, 3, 1, 1)}
PARAMETERS = {"s": np.float32(0.1), "z": np.uint8(7)}
FLAT = ["x", "s", "z", "w", "s", "wz"]


def quantized(*nodes: onnx.NodeProto, out: tuple[int, ...] = IMAGE, **constants: Any) -> Made:
    """Return a maker of a float model of these nodes, behind a convolution x to c, quantized."""
    net = build([node("Conv", ["x", "w"], ["c"]), *nodes], W | constants, IMAGE, out)
    return lambda: quantize(net, REAL)


def dense(*more: str, w: Any = None, wz: Any = None, **attributes: Any) -> Made:
    """Return a maker of a QGemm of 4 bytes to 2."""
    w = np.full((4, 2), 7, np.uint8) if w is None else w
    wz = np.uint8(0) if wz is None else wz
    constants = PARAMETERS | {"w": w, "wz": wz}
    gemm = node("QGemm", [*FLAT, "", *more], ["y"], domain="com.microsoft", **attributes)
    return lambda: in_bytes([gemm], constants, (4,))


def dynamic() -> onnx.ModelProto:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "float.onnx"), Path(folder, "dynamic.onnx")
        onnx.save(conv((4, 3, 3, 3), (4, 7, 5)), str(source))
        quantize_dynamic(str(source), str(target))
        return onnx.load(str(target))


def of_bytes(*nodes: onnx.NodeProto) -> Made:
    return lambda: in_bytes(list(nodes), PARAMETERS, IMAGE)


def pool(x: str, y: str, size: int = 2, **attributes: Any) -> onnx.NodeProto:
    return node("MaxPool", [x], [y], kernel_shape=[size, size], **attributes)


def softmax() -> onnx.ModelProto:
    nodes = [node("Conv", ["x", "w"], ["c"]), node("Softmax", ["c"], ["y"], "odds")]
    return build(nodes, W, IMAGE, IMAGE)


def flattened() -> onnx.ModelProto:
    nodes = [node("Conv", ["x", "w"], ["c"]), node("Flatten", ["c"], ["y"], "flat")]
    return build(nodes, W, IMAGE, (189,))


def edged(**attributes: Any) -> Made:
    pads = {"kernel_shape": [3, 3], "pads": [1] * 4}
    return lambda: quantize(pooled("AveragePool", (8, 9, 7), **pads, **attributes), REAL)


def dilated(**attributes: Any) -> Made:
    size = 5 if not attributes else 3
    kernel = np.zeros((4, 3, 5, 5))
    kernel[:, :, ::2, ::2] = weights(1, 4, 3, 3, 3)
    w = kernel if size == 5 else kernel[:, :, ::2, ::2].copy()
    net = build([node("Conv", ["x", "w"], ["y"], **attributes)], {"w": w}, IMAGE, (4, 5, 3))
    return lambda: quantize(net, REAL)


def ceiled(**attributes: Any) -> Made:
    shape = {"kernel_shape": [2, 2], "strides": [2, 2]}
    return lambda: quantize(pooled("MaxPool", (8, 5, 4), **shape, **attributes), REAL)


def sliced(*nodes: onnx.NodeProto) -> Made:
    return of_bytes(*nodes, pool("r" if nodes else "x", "y"))


def reshaped() -> onnx.ModelProto:
    """Return a float model whose dense layer makes an image."""
    constants = {"wd": weights(3, 189, 48), "shape": np.array([0, 3, 4, 4]), **W}
    nodes = [
        node("Flatten", ["x"], ["f"]),
        node("Gemm", ["f", "wd"], ["d"]),
        node("Reshape", ["d", "shape"], ["i"]),
        node("Conv", ["i", "w"], ["y"]),
    ]
    return build(nodes, constants, IMAGE, (3, 4, 4))


def of_image() -> onnx.ModelProto:
    net = build([node("Conv", ["x", "w"], ["y"])], W, (3, 4, 4), (3, 4, 4))
    return quantize(net, samples(20, 3, 4, 4))


def softmax_of_bytes(*before: onnx.NodeProto, given: str = "x") -> Made:
    last = node("QLinearSoftmax", [given, "s", "z", "s", "z"], ["y"], domain="com.microsoft",
                axis=1, opset=17)  # fmt: skip
    return of_bytes(*before, last)


def multiplied(*nodes: onnx.NodeProto) -> onnx.ModelProto:
    return in_bytes(list(nodes), PARAMETERS | {"wf": weights(4, 4, 2)}, (4,))


def dense_of_floats() -> onnx.ModelProto:
    net = build([node("Gemm", ["x", "wf"], ["y"])], {"wf": weights(4, 4, 2)}, (4,), (2,))
    return quantize(net, samples(20, 4))


CASES: dict[str, tuple[Made, str, Made]] = {
    "product of two tensors": (
        quantized(node("Mul", ["c", "x"], ["y"])), "leave it out", quantized(pool("c", "y", 1))),
    "dynamic quantization": (
        dynamic, "quantize statically", lambda: quantize(conv((4, 3, 3, 3), (4, 7, 5)), REAL)),
    "average pool of onnxruntime": (
        of_bytes(node("QLinearAveragePool", ["x", "s", "z", "s", "z"], ["y"],
                      domain="com.microsoft", kernel_shape=[2, 2])),
        "GlobalAveragePool, or a convolution of equal weights",
        lambda: quantize(pooled("AveragePool", (8, 8, 6), kernel_shape=[2, 2]), REAL)),
    "an average that leaves pads out": (
        edged(), "count_include_pad 1", edged(count_include_pad=1)),
    "Softmax at the end": (
        lambda: quantize(softmax(), REAL), "end the graph before it|clients at either end|quantize",
        lambda: quantize(until(softmax(), "odds"), REAL)),
    "image flattened at the end": (
        lambda: quantize(flattened(), REAL), "end the graph before flattening",
        lambda: quantize(until(flattened(), "flat"), REAL)),
    "Softmax of bytes": (
        softmax_of_bytes(pool("x", "p"), given="p"), "end the graph before it",
        of_bytes(pool("x", "y"))),
    "mean of bytes": (
        of_bytes(node("QLinearReduceMean", ["x", "s", "z", "s", "z"], ["y"],
                      domain="com.microsoft", axes=[2, 3], keepdims=1)),
        "GlobalAveragePool, or a convolution",
        of_bytes(node("QLinearGlobalAveragePool", ["x", "s", "z", "s", "z"], ["y"],
                      domain="com.microsoft"))),
    "floats between bytes": (
        lambda: multiplied(node("DequantizeLinear", ["x", "s", "z"], ["f"]),
                           node("MatMul", ["f", "wf"], ["g"]),
                           node("QuantizeLinear", ["g", "s", "z"], ["y"])),
        "quantize statically, in QOperator form", dense_of_floats),
    "operator without a step": (
        of_bytes(pool("x", "p"), node("ArgMax", ["p"], ["y"], axis=1)),
        "leave it to clients at either end", of_bytes(pool("x", "y"))),
    "floats at the input": (
        lambda: build([node("Conv", ["x", "w"], ["y"])], W, IMAGE, IMAGE),
        "clients at either end; quantize statically",
        lambda: quantize(build([node("Conv", ["x", "w"], ["y"])], W, IMAGE, IMAGE), REAL)),
    "image from a dense layer": (
        lambda: quantize(reshaped(), REAL), "begins behind it, with the image", of_image),
    "quantized already": (
        lambda: quantize(quantize(conv((4, 3, 3, 3), (4, 7, 5)), REAL), REAL), "import it as it is",
        lambda: quantize(conv((4, 3, 3, 3), (4, 7, 5)), REAL)),
    "dilated": (dilated(dilations=[2, 2]), "a dense kernel with zeros between", dilated()),
    "ceil_mode": (
        ceiled(ceil_mode=1), "pads that say the same", ceiled(pads=[0, 0, 1, 1])),
    "alpha": (
        dense("s", "z", alpha=0.5), "alpha 1", dense("s", "z", alpha=1.0)),
    "float output": (
        dense(), "give it y_scale and y_zero_point", dense("s", "z")),
    "zero points of channels": (
        dense("s", "z", wz=np.array([1, 2], np.uint8)), "symmetric weights",
        dense("s", "z", wz=np.uint8(2))),
    "weights of 16 bits": (
        dense("s", "z", w=np.full((4, 2), 7, np.int16)), "weights of 8 bits",
        dense("s", "z", w=np.full((4, 2), 7, np.int8), wz=np.int8(0))),
    "indices": (
        of_bytes(node("MaxPool", ["x"], ["y", "at"], kernel_shape=[2, 2])), "one output",
        of_bytes(pool("x", "y"))),
    "concat along another axis": (
        of_bytes(pool("x", "p", 1), node("Concat", ["x", "p"], ["y"], axis=2)),
        "along the channels",
        of_bytes(pool("x", "p", 1), node("Concat", ["x", "p"], ["y"], axis=1))),
    "what moves bytes": (
        sliced(node("Slice", ["x"], ["r"])), "convolutions, products, pools", sliced()),
    "sum of other shapes": (
        quantized(node("GlobalAveragePool", ["c"], ["p"]), node("Add", ["c", "p"], ["y"])),
        "tensors of one shape", quantized(node("Add", ["c", "x"], ["y"]))),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_import_onnx__advice_followed__is_taken(name: str) -> None:
    refused, advice, mended = CASES[name]
    with pytest.raises(UnportableError, match=f"instead: .*({advice})"):
        tried(refused)

    assert tried(mended).steps


def test_cases__every_reason_of_an_operator__has_one() -> None:
    found = set()
    for refused, _, _ in CASES.values():
        with pytest.raises(UnportableError) as error:
            tried(refused)
        found.add((error.value.reason, error.value.instead))

    assert {*REASONS.values(), FLOATS} <= found


@pytest.mark.parametrize("layers", [("p",), ("p", "c")])
def test_quantize__pool_of_the_input__is_one_of_bytes(layers: tuple[str, ...]) -> None:
    """It was refused with advice that was followed already."""
    pooled = node("GlobalAveragePool", ["x"], ["p" if len(layers) > 1 else "y"])
    nodes = [pooled, node("Conv", ["p", "w"], ["y"])][: len(layers)]

    net = quantize(build(nodes, W, IMAGE, (3, 1, 1)), REAL)

    assert len(import_onnx(net, REAL, count=8).steps) == len(layers)


def tried(made: Made) -> Any:
    model = made()
    kind = model.graph.input[0].type.tensor_type
    shape = [dim.dim_value for dim in kind.shape.dim][1:]
    dtype = helper.tensor_dtype_to_np_dtype(kind.elem_type)
    real = REAL if tuple(shape) == IMAGE and dtype == np.float32 else np.zeros((2, *shape), dtype)
    return import_onnx(model, real, count=8)
