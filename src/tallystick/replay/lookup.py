"""Tables of functions of one byte."""

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from tallystick.replay.functions import TABLE
from tallystick.replay.graph import GraphNode
from tallystick.replay.runtime import run, session

_ALL = np.arange(256, dtype=np.uint8)


def table(node: GraphNode, signed: bool, opset: int) -> tuple[NDArray[np.uint8], bool]:
    """Return what onnxruntime answers to each stored byte, (256,), and whether that is signed.

    The model holds the table: whatever a runtime computes elsewhere, these bytes are the model.

    Args:
        node: one whose output element depends on the same element of its first input only; or a
            stretch of such, as of with_tables.
        signed: whether its input is int8.
        opset: version of the standard operators.

    Raises:
        UnportableError: another input is computed, or onnxruntime refuses the node.
    """
    nodes: list[GraphNode] = node.attributes["nodes"] if node.op == TABLE else [node]
    given, constants = node.inputs[0], {}
    for one in nodes:
        for place, name in enumerate(one.inputs):
            if name != given and name in one.constants:
                constants[name] = one.constants[name]
            elif place and one is node:
                one.optional(place)
    kind = TensorProto.INT8 if signed else TensorProto.UINT8
    graph = helper.make_graph(
        [_copy(one) for one in nodes],
        "table",
        [helper.make_tensor_value_info(given, kind, [1, 256])],
        [onnx.ValueInfoProto(name=nodes[-1].outputs[0])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    values = (_ALL ^ 0x80).view(np.int8) if signed else _ALL
    (answers,) = run(session(model), given, values.reshape(1, 256))
    out_signed = answers.dtype == np.int8
    flip = np.uint8(0x80 if out_signed else 0)
    return answers.ravel().view(np.uint8) ^ flip, out_signed


def _copy(node: GraphNode) -> onnx.NodeProto:
    domain = "com.microsoft" if node.op.startswith("QLinear") else ""
    return helper.make_node(
        node.op, node.inputs, node.outputs[:1], domain=domain, **node.attributes
    )
