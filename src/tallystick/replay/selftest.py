"""Runs a model beside onnxruntime, tensor by tensor."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from tallystick.errors import FieldError
from tallystick.replay.client import decode, encode
from tallystick.replay.engine import Engine
from tallystick.replay.errors import MismatchError
from tallystick.replay.graph import Graph, leads_with_transpose
from tallystick.replay.model import Model
from tallystick.replay.runtime import run, session
from tallystick.replay.tensor import Tensor

_SEED = 8


def check_against_onnxruntime(
    source: onnx.ModelProto,
    model: Model,
    tensors: Sequence[Tensor],
    samples: NDArray[Any],
    count: int,
) -> None:
    """Raise MismatchError unless every tensor is onnxruntime's, element by element.

    Args:
        source: the ONNX model.
        model: what was made of it.
        tensors: of the input and of each step's output.
        samples: real inputs as the graph takes them, (n, ...), n at least 1.
        count: random inputs to try besides, at least 1; the first two are all 0 and all 255.

    Raises:
        FieldError: no samples, or of another type or shape than the graph takes; no random inputs.
    """
    if not len(samples) or count < 1:
        raise FieldError("inputs to try", f"{len(samples)} and {count}", "1 or more of both")
    graph, engine = Graph.of(source), Engine(model)
    if samples.dtype != graph.dtype or samples.shape[1:] != graph.shape:
        shown = f"{samples.dtype} {samples.shape}"
        raise FieldError("samples", shown, f"{graph.dtype} {('n', *graph.shape)}")
    floats = samples.dtype == np.float32
    if floats and leads_with_transpose(graph):
        real = encode(model, samples.transpose(0, 3, 1, 2))
    else:
        real = encode(model, samples) if floats else tensors[0].to_stored(samples)
    # A graph whose batches are of one may have that one in its shapes, too.
    batch = graph.batch or 256
    whole, inner = session(_with_first(source, tensors[0])), session(_inner(source, tensors))
    for start in range(0, len(samples), batch):
        answer, first = run(whole, graph.input, samples[start : start + batch])
        part = real[start : start + batch]
        _compare(tensors[0], first, part)
        _compare_answer(model, tensors[-1], answer, engine.run(part))
    for stored in (_random(model.steps[0].in_size, count), real):
        for start in range(0, len(stored), batch):
            part = stored[start : start + batch]
            expected = run(inner, tensors[0].name, tensors[0].from_stored(part))
            found = engine.trace(part)[1:]
            for tensor, theirs, ours in zip(tensors[1:], expected, found, strict=True):
                _compare(tensor, theirs, ours)


def _compare(tensor: Tensor, theirs: NDArray[Any], ours: NDArray[np.uint8]) -> None:
    if theirs.shape[1:] != tensor.shape or theirs.dtype != tensor.dtype:
        raise MismatchError(tensor.name, theirs.size, theirs.size)
    wrong = int((tensor.to_stored(theirs) != ours.reshape(len(ours), -1)).sum())
    if wrong:
        raise MismatchError(tensor.name, wrong, theirs.size)


def _compare_answer(
    model: Model, last: Tensor, theirs: NDArray[Any], ours: NDArray[np.uint8]
) -> None:
    if not model.output.scale:
        return _compare(last, theirs, ours)
    wrong = int((theirs.reshape(len(ours), -1) != decode(model, ours)[:, last.order]).sum())
    if wrong:
        raise MismatchError("of the answers", wrong, theirs.size)


def _random(size: int, count: int) -> NDArray[np.uint8]:
    stored = np.random.default_rng(_SEED).integers(0, 256, (count, size), np.uint8)
    for place, value in enumerate((0, 255)[:count]):
        stored[place] = value
    return stored


def _with_first(source: onnx.ModelProto, first: Tensor) -> onnx.ModelProto:
    """Return the ONNX model with its first quantized tensor as an output besides."""
    model = onnx.ModelProto()
    model.CopyFrom(source)
    if first.name == Graph.of(source).input:
        copy = helper.make_node("Identity", [first.name], [f"{first.name}/copy"])
        model.graph.node.append(copy)
        model.graph.output.append(_value(replace(first, name=copy.output[0]), None))
    else:
        model.graph.output.append(_value(first, None))
    return model


def _inner(source: onnx.ModelProto, tensors: Sequence[Tensor]) -> onnx.ModelProto:
    """Return the ONNX model from its first quantized tensor on, with each step's output."""
    model = onnx.ModelProto()
    model.CopyFrom(source)
    graph, (first, *others) = model.graph, tensors
    ops = [node.op_type for node in graph.node]
    floats = Graph.of(source).dtype == np.float32
    begin = ops.index("QuantizeLinear") + 1 if floats else 0
    answers = {one.name for one in source.graph.output}
    kept = [
        node
        for place, node in enumerate(source.graph.node)
        if node.op_type == "Constant"
        or (
            place >= begin
            and not (node.op_type == "DequantizeLinear" and node.output[0] in answers)
        )
    ]
    constants = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in source.graph.input if value.name in constants]
    for part in (graph.node, graph.input, graph.output, graph.value_info):
        del part[:]
    graph.node.extend(kept)
    graph.input.extend([*inputs, _value(first, [None, *first.shape])])
    graph.output.extend(_value(tensor, None) for tensor in others)
    return model


def _value(tensor: Tensor, shape: list[int | None] | None) -> onnx.ValueInfoProto:
    kind = TensorProto.INT8 if tensor.signed else TensorProto.UINT8
    return helper.make_tensor_value_info(tensor.name, kind, shape)
