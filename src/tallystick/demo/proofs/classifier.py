"""A small classifier of scikit-learn's digits, trained anew in a moment: 64 inputs, 16, 10.

Small enough that a proof of an answer takes seconds.
"""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits  # type: ignore[import-untyped]

HELD_OUT = 297
"""Samples that training never sees: the last."""


def images() -> NDArray[np.float64]:
    """Return all images as rows of 64 whole numbers, 0 to 16, (1797, 64)."""
    found: NDArray[np.float64] = load_digits().data
    return found


def write_mlp(path: Path, hidden: int = 16, seed: int = 1) -> Path:
    """Train it and write it as ONNX: float32 (1, 64) of raw pixels to (1, 10) logits.

    Args:
        path: the file.
        hidden: neurons between.
        seed: of the first weights.

    Returns:
        The file.
    """
    rng = np.random.default_rng(seed)
    digits: Any = load_digits()
    inputs, labels = digits.data[:-HELD_OUT] / 16, np.eye(10)[digits.target[:-HELD_OUT]]
    first = rng.standard_normal((64, hidden)) / 8
    second, bias, shift = np.zeros((hidden, 10)), np.zeros(hidden), np.zeros(10)
    for step in range(300):
        within = np.maximum(inputs @ first + bias, 0)
        logits = within @ second + shift
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        wrong = (odds / odds.sum(axis=1, keepdims=True) - labels) / len(labels)
        back = wrong @ second.T * (within > 0)
        rate = 2.0 if step < 200 else 0.5
        first -= rate * inputs.T @ back
        bias -= rate * back.sum(axis=0)
        second -= rate * within.T @ wrong
        shift -= rate * wrong.sum(axis=0)
    weights = {"first": first / 16, "bias": bias, "second": second, "shift": shift}
    nodes = [
        helper.make_node("Gemm", ["pixels", "first", "bias"], ["sums"]),
        helper.make_node("Relu", ["sums"], ["within"]),
        helper.make_node("Gemm", ["within", "second", "shift"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "mlp",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, [1, 64])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 10])],
        [numpy_helper.from_array(w.astype(np.float32), name) for name, w in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, path)
    return path
