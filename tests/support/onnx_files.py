"""Small ONNX files of any shape, written for a test."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT, INT64, STRING = TensorProto.FLOAT, TensorProto.INT64, TensorProto.STRING
Value = tuple[str, int, Sequence[int | str | None]]
"""Name, type and shape of a tensor; a name or None is a free size."""


def write(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    inputs: Sequence[Value],
    outputs: Sequence[Value],
    constants: Mapping[str, Any] | None = None,
    **saving: Any,
) -> Path:
    """Write a model; `saving` goes to onnx.save."""
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info(*one) for one in inputs],
        [helper.make_tensor_value_info(*one) for one in outputs],
        [numpy_helper.from_array(np.asarray(one), name) for name, one in (constants or {}).items()],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 2)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), str(path), **saving)
    return path


def weights(*shape: int, seed: int = 7) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.3, shape).astype(np.float32)


def dense(path: Path, seed: int = 7, batch: int | str = "n", **saving: Any) -> Path:
    """Write y = x w, 16 to 4."""
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    shapes = [("x", FLOAT, [batch, 16])], [("y", FLOAT, [batch, 4])]
    return write(path, [node], *shapes, {"w": weights(16, 4, seed=seed)}, **saving)
