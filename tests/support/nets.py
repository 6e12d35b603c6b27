"""Small float networks in ONNX, the same on every run, for tests and figures of replay."""

from functools import cache

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

from tallystick.demo.digits import model as demo


@cache
def digits() -> np.ndarray:
    """Return scikit-learn's digits, (1797, 1, 8, 8) float32, 0 to 1."""
    return (load_digits().data.reshape(-1, 1, 8, 8) / 16).astype(np.float32)


def cnn() -> onnx.ModelProto:
    """Return the demo's classifier: two convolutions and a dense layer."""
    return onnx.load(str(demo.FILE))


@cache
def mlp() -> onnx.ModelProto:
    """Return a classifier of digits, 64-32-10, trained."""
    net = MLPClassifier((32,), max_iter=15, random_state=5)
    with np.testing.suppress_warnings() as silenced:
        silenced.filter(UserWarning)
        net.fit(digits().reshape(-1, 64), load_digits().target)
    (w1, w2), (b1, b2) = net.coefs_, net.intercepts_
    nodes = [
        helper.make_node("Flatten", ["x"], ["flat"]),
        helper.make_node("Gemm", ["flat", "w1", "b1"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Gemm", ["r", "w2", "b2"], ["y"]),
    ]
    return build(nodes, {"w1": w1, "b1": b1, "w2": w2, "b2": b2}, (1, 8, 8), (10,))


def build(
    nodes: list[onnx.NodeProto],
    constants: dict[str, np.ndarray],
    in_shape: tuple[int, ...],
    out_shape: tuple[int, ...],
) -> onnx.ModelProto:
    """Return a float model from x to y; float constants become float32."""
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", *in_shape])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", *out_shape])],
        [
            numpy_helper.from_array(
                value.astype(np.float32) if value.dtype.kind == "f" else value, name
            )
            for name, value in constants.items()
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def weights(seed: int, *shape: int) -> np.ndarray:
    """Return random weights that keep a signal's size."""
    spread = 1 / np.sqrt(max(1, np.prod(shape[1:])))
    return np.random.default_rng(seed).standard_normal(shape) * spread
