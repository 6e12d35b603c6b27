"""Tables of functions of one byte."""

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from tallystick.replay.graph import GraphNode
from tallystick.replay.runtime import run, session

_ALL = np.arange(256, dtype=np.uint8)


def table(node: GraphNode, signed: bool) -> tuple[NDArray[np.uint8], bool]:
    """Return what onnxruntime answers to each stored byte, (256,), and whether that is signed.

    The model holds the table: whatever a runtime computes elsewhere, these bytes are the model.

    Args:
        node: one whose output element depends on the same element of its first input only.
        signed: whether its input is int8.

    Raises:
        UnportableError: another input is computed, or onnxruntime refuses the node.
    """
    constants = {
        name: found
        for place, name in enumerate(node.inputs[1:], start=1)
        if (found := node.optional(place)) is not None
    }
    kind = TensorProto.INT8 if signed else TensorProto.UINT8
    attributes = dict(node.attributes)
    domain = "com.microsoft" if node.op.startswith("QLinear") else ""
    graph = helper.make_graph(
        [helper.make_node(node.op, ["x", *node.inputs[1:]], ["y"], domain=domain, **attributes)],
        "table",
        [helper.make_tensor_value_info("x", kind, [1, 256])],
        [onnx.ValueInfoProto(name="y")],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    values = (_ALL ^ 0x80).view(np.int8) if signed else _ALL
    (answers,) = run(session(model), "x", values.reshape(1, 256))
    out_signed = answers.dtype == np.int8
    flip = np.uint8(0x80 if out_signed else 0)
    return answers.ravel().view(np.uint8) ^ flip, out_signed
