"""Runs a model beside onnxruntime, tensor by tensor.

What onnxruntime makes of a sum differs between processors: of each sum both get the model's own
inputs, the difference is counted, and both go on with the model's sum. So all else is compared
exactly, behind sums too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
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
from tallystick.replay.runtime import run, run_named, session
from tallystick.replay.step import StepKind
from tallystick.replay.tensor import Tensor

_SEED = 8


@dataclass(slots=True)
class Differences:
    """Differences of a model from onnxruntime, which only sums and what follows from them have."""

    sums: int = 0
    """Elements of sums that were tried."""
    sums_different: int = 0
    """Of them those that differ, by one."""
    answers: int = 0
    """Elements of the answers to the real inputs, each run from end to end."""
    answers_different: int = 0


def check_against_onnxruntime(
    source: onnx.ModelProto,
    model: Model,
    tensors: Sequence[Tensor | None],
    samples: NDArray[Any],
    count: int,
) -> Differences:
    """Return how sums differ; of every other tensor each element is onnxruntime's.

    Args:
        source: the ONNX model.
        model: what was made of it.
        tensors: of the input and of each step's output; None where the ONNX model has no such.
        samples: real inputs as the graph takes them, (n, ...), n at least 1.
        count: random inputs to try besides, at least 1; the first two are all 0 and all 255.

    Raises:
        MismatchError: a tensor differs, or a sum by more than one.
        FieldError: no samples, or of another type or shape than the graph takes; no random inputs.
    """
    if not len(samples) or count < 1:
        raise FieldError("inputs to try", f"{len(samples)} and {count}", "1 or more of both")
    graph, engine = Graph.of(source), Engine(model)
    if samples.dtype != graph.dtype or samples.shape[1:] != graph.shape:
        shown = f"{samples.dtype} {samples.shape}"
        raise FieldError("samples", shown, f"{graph.dtype} {('n', *graph.shape)}")
    first, last = tensors[0], tensors[-1]
    assert first is not None
    floats = samples.dtype == np.float32
    if floats and leads_with_transpose(graph):
        real = encode(model, samples.transpose(0, 3, 1, 2))
    else:
        real = encode(model, samples) if floats else first.to_stored(samples)
    # A graph whose batches are of one may have that one in its shapes, too.
    batch = graph.batch or 256
    found = Differences()
    steps = _Steps.of(source, model, tensors)
    whole = session(_with_first(source, first))
    for start in range(0, len(samples), batch):
        answer, given = run(whole, graph.input, samples[start : start + batch])
        part = real[start : start + batch]
        _compare(first, given, part)
        # A recalled answer is that of another step, and compared there.
        if last is not None:
            found.answers += answer.size
            found.answers_different += _different_answers(model, last, answer, engine.run(part))
    if found.answers_different and not steps.sums:
        raise MismatchError("of the answers", found.answers_different, found.answers)
    for stored in (_random(model.steps[0].in_size, count), real):
        for start in range(0, len(stored), batch):
            steps.compare(engine.trace(stored[start : start + batch]), found)
    return found


@dataclass(frozen=True, slots=True)
class _Steps:
    """onnxruntime's steps, to run on the model's tensors."""

    session: Any
    first: Tensor
    exact: dict[int, Tensor]
    """Tensors that must be equal, by number."""
    sums: dict[int, Tensor]

    @classmethod
    def of(
        cls, source: onnx.ModelProto, model: Model, tensors: Sequence[Tensor | None]
    ) -> "_Steps":
        first = tensors[0]
        assert first is not None
        exact: dict[int, Tensor] = {}
        sums: dict[int, Tensor] = {}
        for number, (step, tensor) in enumerate(zip(model.steps, tensors[1:], strict=True), 1):
            if tensor is not None:
                (sums if step.kind == StepKind.SUM else exact)[number] = tensor
        inner = _inner(source, first, [*exact.values()], [*sums.values()])
        return cls(session(inner), first, exact, sums)

    def compare(self, traced: Sequence[NDArray[np.uint8]], found: Differences) -> None:
        """Count what sums differ; see check_against_onnxruntime for errors."""
        compared = self.exact | self.sums
        flat = {at: traced[at].reshape(len(traced[at]), -1) for at in (0, *compared)}
        given = {one.name: one.from_stored(flat[at]) for at, one in self.sums.items()}
        given[self.first.name] = self.first.from_stored(flat[0])
        answers = run_named(self.session, given)
        for (at, tensor), theirs in zip(compared.items(), answers, strict=True):
            if at in self.exact:
                _compare(tensor, theirs, flat[at])
                continue
            _check_form(tensor, theirs)
            apart = np.abs(tensor.to_stored(theirs).astype(np.int16) - flat[at])
            if (apart > 1).any():
                raise MismatchError(tensor.name, int((apart > 1).sum()), apart.size)
            found.sums += apart.size
            found.sums_different += int(apart.sum())


def _check_form(tensor: Tensor, theirs: NDArray[Any]) -> None:
    if theirs.shape[1:] != tensor.shape or theirs.dtype != tensor.dtype:
        raise MismatchError(tensor.name, theirs.size, theirs.size)


def _compare(tensor: Tensor, theirs: NDArray[Any], ours: NDArray[np.uint8]) -> None:
    _check_form(tensor, theirs)
    wrong = int((tensor.to_stored(theirs) != ours).sum())
    if wrong:
        raise MismatchError(tensor.name, wrong, theirs.size)


def _different_answers(
    model: Model, last: Tensor, theirs: NDArray[Any], ours: NDArray[np.uint8]
) -> int:
    if not model.output.scale:
        _check_form(last, theirs)
        return int((last.to_stored(theirs) != ours).sum())
    return int((theirs.reshape(len(ours), -1) != decode(model, ours)[:, last.order]).sum())


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


def _inner(
    source: onnx.ModelProto, first: Tensor, exact: Sequence[Tensor], sums: Sequence[Tensor]
) -> onnx.ModelProto:
    """Return the ONNX model from its first quantized tensor on, with each step's output.

    Sums are inputs too: what onnxruntime makes of one has another name, and nothing reads it.
    """
    model = onnx.ModelProto()
    model.CopyFrom(source)
    graph = model.graph
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
    renamed = {tensor.name: replace(tensor, name=f"{tensor.name}/sum") for tensor in sums}
    for node in graph.node:
        for place, name in enumerate(node.output):
            if name in renamed:
                node.output[place] = renamed[name].name
    graph.input.extend([*inputs, *(_value(one, [None, *one.shape]) for one in (first, *sums))])
    graph.output.extend(_value(tensor, None) for tensor in (*exact, *renamed.values()))
    return model


def _value(tensor: Tensor, shape: list[int | None] | None) -> onnx.ValueInfoProto:
    kind = TensorProto.INT8 if tensor.signed else TensorProto.UINT8
    return helper.make_tensor_value_info(tensor.name, kind, shape)
