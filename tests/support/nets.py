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


def in_bytes(
    nodes: list[onnx.NodeProto],
    constants: dict[str, np.ndarray],
    in_shape: tuple[int, ...],
    dtype: int = TensorProto.UINT8,
    out_dtype: int = TensorProto.UINT8,
) -> onnx.ModelProto:
    """Return a quantized model from x to y of the given nodes; types stay as they are."""
    graph = helper.make_graph(
        nodes,
        "bytes",
        [helper.make_tensor_value_info("x", dtype, ["n", *in_shape])],
        [helper.make_tensor_value_info("y", out_dtype, None)],
        [numpy_helper.from_array(np.array(value), name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def weights(seed: int, *shape: int) -> np.ndarray:
    """Return random weights that keep a signal's size."""
    spread = 1 / np.sqrt(max(1, np.prod(shape[1:])))
    return np.random.default_rng(seed).standard_normal(shape) * spread


def lenet() -> onnx.ModelProto:
    """Return LeNet-5 on (1, 28, 28), random weights."""
    pool = {"kernel_shape": [2, 2], "strides": [2, 2]}
    nodes = [
        helper.make_node("Conv", ["x", "w1", "b1"], ["c1"], pads=[2, 2, 2, 2]),
        helper.make_node("Relu", ["c1"], ["r1"]),
        helper.make_node("MaxPool", ["r1"], ["m1"], **pool),
        helper.make_node("Conv", ["m1", "w2", "b2"], ["c2"]),
        helper.make_node("Relu", ["c2"], ["r2"]),
        helper.make_node("MaxPool", ["r2"], ["m2"], **pool),
        helper.make_node("Flatten", ["m2"], ["flat"]),
        *dense_layers("flat", (3, 4, 5)),
    ]
    shapes = {1: (6, 1, 5, 5), 2: (16, 6, 5, 5), 3: (120, 400), 4: (84, 120), 5: (10, 84)}
    return build(nodes, layer_constants(shapes), (1, 28, 28), (10,))


def wide_mlp() -> onnx.ModelProto:
    """Return a dense network, 784-128-10, random weights."""
    nodes = [helper.make_node("Flatten", ["x"], ["flat"]), *dense_layers("flat", (1, 2))]
    return build(nodes, layer_constants({1: (128, 784), 2: (10, 128)}), (1, 28, 28), (10,))


def deep_cnn() -> onnx.ModelProto:
    """Return six convolutions on (3, 32, 32), 38 M products, random weights."""
    widths = (3, 32, 32, 64, 64, 128, 128)
    nodes, at = [], "x"
    for layer in range(1, 7):
        stride = 2 if layer in (3, 5) else 1
        nodes += [
            helper.make_node(
                "Conv",
                [at, f"w{layer}", f"b{layer}"],
                [f"c{layer}"],
                pads=[1, 1, 1, 1],
                strides=[stride, stride],
            ),
            helper.make_node("Relu", [f"c{layer}"], [f"r{layer}"]),
        ]
        at = f"r{layer}"
    nodes += [
        helper.make_node("GlobalAveragePool", [at], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        *dense_layers("flat", (7,)),
    ]
    shapes = {layer: (widths[layer], widths[layer - 1], 3, 3) for layer in range(1, 7)}
    return build(nodes, layer_constants({**shapes, 7: (10, 128)}), (3, 32, 32), (10,))


def dense_layers(at: str, layers: tuple[int, ...]) -> list[onnx.NodeProto]:
    """Return dense layers by their numbers, relu between them, to y."""
    nodes = []
    for layer in layers:
        last = layer == layers[-1]
        out = "y" if last else f"g{layer}"
        nodes.append(helper.make_node("Gemm", [at, f"w{layer}", f"b{layer}"], [out], transB=1))
        if not last:
            nodes.append(helper.make_node("Relu", [out], [f"r{layer}"]))
            at = f"r{layer}"
    return nodes


def layer_constants(shapes: dict[int, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """Return w and b for each layer's shape of weights."""
    return {
        name: value
        for layer, shape in shapes.items()
        for name, value in (
            (f"w{layer}", 1.4 * weights(layer, *shape)),
            (f"b{layer}", 0.1 * weights(100 + layer, shape[0])),
        )
    }
