"""Rewrites quantized ONNX models into the form that the importer reads; no answer changes.

QDQ files become QOperator files by onnxruntime's own fusions. int8 weights under uint8 activations
become uint8: the same integers with another zero point, in types that every machine multiplies
alike.
"""

import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime  # type: ignore[import-untyped]
from onnx import numpy_helper

from tallystick.replay.errors import UnportableError
from tallystick.replay.front import moved_as_bytes, quantized_first
from tallystick.replay.graph import Array, constants_of
from tallystick.replay.parameters import overflows
from tallystick.replay.runtime import session

ACTIVATION_ZERO, WEIGHTS, WEIGHTS_ZERO = 2, 3, 5
"""Places among the inputs of QLinearConv, QLinearMatMul and QGemm."""
_PRODUCTS = ("QLinearConv", "QLinearMatMul", "QGemm")


def prepare(source: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model in QOperator form, its weights in portable types.

    Raises:
        UnportableError: onnxruntime cannot load it.
    """
    # onnxruntime fuses what is quantized: floats of an input that isn't yet stay.
    first = quantized_first(source)
    fused = optimized(first, extended=True) if is_qdq(source) else first
    return with_unsigned_weights(moved_as_bytes(fused) if _has_floats_within(fused) else fused)


def _has_floats_within(model: onnx.ModelProto) -> bool:
    ends = {one.name for one in model.graph.output}
    return any(
        node.op_type == "DequantizeLinear" and not ends.intersection(node.output)
        for node in model.graph.node
    )


def is_qdq(model: onnx.ModelProto) -> bool:
    """Return whether constants pass through DequantizeLinear, as weights of QDQ files do."""
    constants = constants_of(model.graph)
    return any(
        node.op_type == "DequantizeLinear" and node.input[0] in constants
        for node in model.graph.node
    )


def optimized(model: onnx.ModelProto, extended: bool) -> onnx.ModelProto:
    """Return the model as onnxruntime's own optimizations leave it.

    Args:
        model: any.
        extended: fuse what onnxruntime has operators of its own for; else in standard operators.

    Raises:
        UnportableError: onnxruntime cannot load it.
    """
    levels = onnxruntime.GraphOptimizationLevel
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "optimized.onnx")
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = (
            levels.ORT_ENABLE_EXTENDED if extended else levels.ORT_ENABLE_BASIC
        )
        options.optimized_model_filepath = str(file)
        session(model, options)
        return onnx.load(str(file))


def with_unsigned_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with the same weights as uint8 where int8 is not portable."""
    result = onnx.ModelProto()
    result.CopyFrom(model)
    constants, made = constants_of(model.graph), set[str]()

    def moved(name: str) -> str:
        unsigned = f"{name}/unsigned"
        if unsigned not in made:
            made.add(unsigned)
            values = (constants[name].astype(np.int16) + 128).astype(np.uint8)
            result.graph.initializer.append(numpy_helper.from_array(values, unsigned))
        return unsigned

    for node in result.graph.node:
        if node.op_type in _PRODUCTS and _is_unportable(node, constants):
            node.input[WEIGHTS] = moved(node.input[WEIGHTS])
            node.input[WEIGHTS_ZERO] = moved(node.input[WEIGHTS_ZERO])
    return result


def until(model: onnx.ModelProto, name: str) -> onnx.ModelProto:
    """Return the model that ends before a node, with the input of the node as its answer.

    Args:
        model: any.
        name: of the node, or of its first output.

    Raises:
        UnportableError: there is no such node.
    """
    found = [node for node in model.graph.node if name in (node.name, *node.output[:1])]
    if not found:
        names = ", ".join(node.name or node.output[0] for node in model.graph.node[-5:])
        raise UnportableError(name, "the graph has no such node", f"one of its last: {names}")
    result = onnx.ModelProto()
    result.CopyFrom(model)
    end = found[0].input[0]
    needed, kept = {end}, []
    for node in reversed(model.graph.node):
        if needed.intersection(node.output):
            needed.update(node.input)
            kept.append(node)
    del result.graph.node[:], result.graph.output[:]
    result.graph.node.extend(reversed(kept))
    shaped = {one.name: one for one in onnx.shape_inference.infer_shapes(model).graph.value_info}
    result.graph.output.append(shaped.get(end, onnx.ValueInfoProto(name=end)))
    return result


def _is_unportable(node: onnx.NodeProto, constants: dict[str, Array]) -> bool:
    named = [node.input[place] for place in (ACTIVATION_ZERO, WEIGHTS, WEIGHTS_ZERO)]
    if any(name not in constants for name in named):
        return False
    activation, weights, zero = (constants[name] for name in named)
    return (
        activation.dtype == np.uint8
        and zero.dtype == weights.dtype
        and overflows(signed=False, rows=weights)
    )
