"""Kinds of ONNX models that people have, each small, with inputs for it."""

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from onnx import helper

from tallystick.models.graph import Graph
from tallystick.models.tensors import encode
from tests.support.nets import cnn, digits
from tests.support.onnx_files import FLOAT, INT64, STRING, weights, write

node = helper.make_node
INPUTS = 200
_SAMPLES = np.random.default_rng(3).normal(0, 1, (INPUTS, 16)).astype(np.float32)


def float_classifier(file: Path) -> list[bytes]:
    """A dense layer, its softmax, and a sum of float32 over time before it."""
    layers = [
        node("Reshape", ["x", "s"], ["t"]),
        node("ReduceSum", ["t", "axes"], ["m"], keepdims=0),
        node("MatMul", ["m", "w"], ["a"]),
        node("Softmax", ["a"], ["y"]),
    ]
    constants = {"s": np.array([-1, 4, 4]), "axes": np.array([1]), "w": weights(4, 5)}
    write(file, layers, [("x", FLOAT, ["n", 16])], [("y", FLOAT, ["n", 5])], constants)
    return [one.tobytes() for one in _SAMPLES]


def dynamically_quantized(file: Path) -> list[bytes]:
    """Two layers, whose scales follow from all that is computed together."""
    from onnxruntime.quantization import quantize_dynamic

    layers = [
        node("MatMul", ["x", "w"], ["a"]),
        node("Relu", ["a"], ["b"]),
        node("MatMul", ["b", "v"], ["y"]),
    ]
    plain = file.with_name("plain.onnx")
    constants = {"w": weights(16, 32), "v": weights(32, 4)}
    write(plain, layers, [("x", FLOAT, ["n", 16])], [("y", FLOAT, ["n", 4])], constants)
    logging.disable(logging.WARNING)
    try:
        quantize_dynamic(str(plain), str(file))
    finally:
        logging.disable(logging.NOTSET)
    return [one.tobytes() for one in _SAMPLES]


def time_major(file: Path) -> list[bytes]:
    """Answers (time, n, classes), as recurrent nets do."""
    layers = [
        node("Reshape", ["x", "s"], ["z"]),
        node("Transpose", ["z"], ["t"], perm=[1, 0, 2]),
        node("Tanh", ["t"], ["y"]),
    ]
    constants = {"s": np.array([-1, 4, 4])}
    write(file, layers, [("x", FLOAT, ["n", 16])], [("y", FLOAT, [4, "n", 4])], constants)
    return [one.tobytes() for one in _SAMPLES]


def several_outputs(file: Path) -> list[bytes]:
    """A state beside the input; the label, and the odds."""
    layers = [
        node("Add", ["x", "state"], ["a"]),
        node("Softmax", ["a"], ["odds"]),
        node("ArgMax", ["a"], ["label"], axis=1, keepdims=0),
    ]
    given = [("x", FLOAT, ["n", 8]), ("state", FLOAT, ["n", 8])]
    write(file, layers, given, [("label", INT64, ["n"]), ("odds", FLOAT, ["n", 8])])
    specs = Graph.read(file).inputs
    return [encode(specs, [one[None, :8], one[None, 8:]]) for one in _SAMPLES]


def text_classifier(file: Path) -> list[bytes]:
    """A linear classifier whose labels are texts, with odds as scikit-learn's files have them."""
    columns = [[float(number) for number in row] for row in weights(3, 16, seed=5)]
    layers = [
        node(
            *("LinearClassifier", ["x"], ["label", "scores"]),
            domain="ai.onnx.ml",
            coefficients=[number for row in columns for number in row],
            intercepts=[0.0, 0.1, -0.1],
            classlabels_strings=["cat", "dog", "é"],
            post_transform="SOFTMAX",
        ),
        node(
            *("ZipMap", ["scores"], ["odds"]),
            domain="ai.onnx.ml",
            classlabels_strings=["cat", "dog", "é"],
        ),
    ]
    write(file, layers, [("x", FLOAT, ["n", 16])], [("label", STRING, ["n"])])
    model = onnx.load(str(file))
    odds = helper.make_map_type_proto(STRING, helper.make_tensor_type_proto(FLOAT, []))
    sequence = helper.make_sequence_type_proto(odds)
    model.graph.output.append(helper.make_value_info("odds", sequence))
    onnx.save(model, str(file))
    return [one.tobytes() for one in _SAMPLES]


def qdq_convolution(file: Path) -> list[bytes]:
    """The digits CNN, as onnxruntime quantizes it by default."""
    from onnxruntime.quantization import QuantFormat, quantize_static

    from tallystick.replay.quantize import Samples

    plain = file.with_name("plain.onnx")
    onnx.save(cnn(), str(plain))
    samples = Samples("image", digits()[:50])
    quantize_static(str(plain), str(file), samples, quant_format=QuantFormat.QDQ)
    return [one.astype("<f4").tobytes() for one in digits()[:INPUTS]]


KINDS: dict[str, Callable[[Path], list[bytes]]] = {
    "float classifier": float_classifier,
    "dynamically quantized": dynamically_quantized,
    "time major": time_major,
    "several outputs": several_outputs,
    "QDQ convolution": qdq_convolution,
    "text classifier": text_classifier,
}
"""Each writes its file, and returns canonical inputs."""
