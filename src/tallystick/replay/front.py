"""Quantizes a graph's input before anything else does something to it."""

from collections.abc import Sequence

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from tallystick.replay.graph import constants_of

_MONOTONE = ("Clip", "Identity", "MaxPool", "Relu")
"""Operators that commute with QuantizeLinear: the greatest of bytes is that of the floats."""
_MOVING = ("Flatten", "Identity", "MaxPool", "Reshape", "Squeeze", "Transpose", "Unsqueeze")
"""Operators that pick and place elements, so that DequantizeLinear may stand before or behind."""


def quantized_first(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model whose QuantizeLinear stands before what clamps or picks elements.

    Of the same answers: both are monotone, or move elements only.
    """
    graph = model.graph
    chain = _chain(model, _input(graph))
    if not any(map(_goes_behind, chain[:-1])):
        return model
    last = chain[-1]
    return with_bytes(model, list(last.input[1:])) if last.op_type == "QuantizeLinear" else model


def _goes_behind(node: onnx.NodeProto) -> bool:
    if node.op_type == "Transpose":
        # But for images that come with their channels last: bytes lie so.
        perm = next((list(one.ints) for one in node.attribute if one.name == "perm"), [])
        return perm != [0, 3, 1, 2]
    return node.op_type in ("Clip", "MaxPool", "Relu")


def _chain(model: onnx.ModelProto, name: str) -> list[onnx.NodeProto]:
    """Return the nodes behind a tensor, each the only one that reads what the one before made."""
    found: list[onnx.NodeProto] = []
    while True:
        readers = [node for node in model.graph.node if name in node.input]
        if len(readers) != 1 or readers[0].input[0] != name:
            return found
        found.append(readers[0])
        if readers[0].op_type not in (*_MONOTONE, *_MOVING):
            return found
        name = readers[0].output[0]


def quantized_input(model: onnx.ModelProto, samples: NDArray[np.float32]) -> onnx.ModelProto:
    """Return a quantized model whose input becomes bytes before float operators read it.

    Args:
        model: as onnxruntime quantized it; it leaves operators at the input as they are.
        samples: that ranges are taken from.
    """
    name = _input(model.graph)
    readers = [node for node in model.graph.node if name in node.input]
    if all(node.op_type in ("QuantizeLinear", *_MOVING) for node in readers) and any(
        node.op_type == "QuantizeLinear" for node in _chain(model, name) or readers
    ):
        return model
    signed = any(
        np.int8 == value.dtype
        for node in model.graph.node
        if node.op_type == "QuantizeLinear"
        for value in [constants_of(model.graph)[node.input[2]]]
    )
    low, high = min(0.0, float(samples.min())), max(0.0, float(samples.max()))
    scale = np.float32((high - low) / 255)
    zero = round(-low / float(scale)) - 128 * signed
    result = onnx.ModelProto()
    result.CopyFrom(model)
    kind = np.int8 if signed else np.uint8
    names = [f"{name}/scale", f"{name}/zero_point"]
    for value, one in zip((scale, np.array(zero, kind)), names, strict=True):
        result.graph.initializer.append(numpy_helper.from_array(np.array(value), one))
    return pooled_as_bytes(with_bytes(result, names))


def with_bytes(model: onnx.ModelProto, parameters: Sequence[str]) -> onnx.ModelProto:
    """Return the model that quantizes its input, and reads the floats of those bytes.

    Args:
        model: any.
        parameters: names of scale and zero point.
    """
    result = onnx.ModelProto()
    result.CopyFrom(model)
    name = _input(result.graph)
    bytes_, floats = f"{name}/bytes", f"{name}/floats"
    for node in result.graph.node:
        for place, read in enumerate(node.input):
            if read == name:
                node.input[place] = floats
    ends = [
        helper.make_node("QuantizeLinear", [name, *parameters], [bytes_], f"{name}/quantize"),
        helper.make_node("DequantizeLinear", [bytes_, *parameters], [floats], f"{name}/floats"),
    ]
    for node in reversed(ends):
        result.graph.node.insert(0, node)
    return result


def moved_as_bytes(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model in which bytes, not their floats, are picked and placed.

    Of the same answers: a DequantizeLinear goes behind such nodes.
    """
    result = onnx.ModelProto()
    result.CopyFrom(model)
    graph, constants = result.graph, constants_of(model.graph)
    floats = {
        node.output[0]: node
        for node in graph.node
        if node.op_type == "DequantizeLinear" and node.input[0] not in constants
    }
    made: list[onnx.NodeProto] = []
    for node in graph.node:
        made.append(node)
        before = floats.get(node.input[0]) if node.input else None
        if before is None or node.op_type not in _MOVING or len(node.output) != 1:
            continue
        behind, moved = node.output[0], f"{node.output[0]}/bytes"
        node.input[0], node.output[0] = before.input[0], moved
        made.append(
            helper.make_node(
                "DequantizeLinear", [moved, *before.input[1:]], [behind], f"{behind}/floats"
            )
        )
        floats[behind] = made[-1]
    del graph.node[:]
    graph.node.extend(made)
    return result


def pooled_as_bytes(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model in which a GlobalAveragePool of dequantized bytes is one of bytes.

    In the scale that its only reader quantizes it to, or else in that of its input.
    """
    result = onnx.ModelProto()
    result.CopyFrom(model)
    graph = result.graph
    floats = {node.output[0]: node for node in graph.node if node.op_type == "DequantizeLinear"}
    made: list[onnx.NodeProto] = []
    for node in graph.node:
        before = floats.get(node.input[0]) if node.op_type == "GlobalAveragePool" else None
        if before is None:
            made.append(node)
            continue
        name = node.output[0]
        readers = [one for one in graph.node if name in one.input]
        alone = len(readers) == 1 and readers[0].op_type == "QuantizeLinear"
        parameters = (readers[0] if alone else before).input[1:]
        pooled = f"{name}/bytes"
        inputs = [*before.input, *parameters]
        made += [
            helper.make_node(
                "QLinearGlobalAveragePool", inputs, [pooled], node.name, domain="com.microsoft"
            ),
            helper.make_node(
                "DequantizeLinear", [pooled, *parameters], [name], f"{name}/dequantize"
            ),
        ]
    if not any(one.domain == "com.microsoft" for one in result.opset_import):
        result.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    nodes = list(made)
    del graph.node[:]
    graph.node.extend(nodes)
    return result


def _input(graph: onnx.GraphProto) -> str:
    constants = {one.name for one in graph.initializer}
    return str(next(one.name for one in graph.input if one.name not in constants))
