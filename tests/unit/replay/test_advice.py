"""A refusal's advice, when followed, works: each model here is refused, and its mended form taken.

The refusal must give the advice that the mended form follows.
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


def tried(made: Made) -> Any:
    model = made()
    kind = model.graph.input[0].type.tensor_type
    shape = [dim.dim_value for dim in kind.shape.dim][1:]
    dtype = helper.tensor_dtype_to_np_dtype(kind.elem_type)
    real = REAL if tuple(shape) == IMAGE and dtype == np.float32 else np.zeros((2, *shape), dtype)
    return import_onnx(model, real, count=8)
