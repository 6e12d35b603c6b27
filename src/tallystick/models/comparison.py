"""Comparison of a claimed answer with one's own by an ONNX-1 spec."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick.errors import InputRefusedError
from tallystick.models.distances import Distance, allclose, as_floats, label, top
from tallystick.models.graph import Graph
from tallystick.models.maps import MapsSpec
from tallystick.models.spec import AllClose, Label, OnnxSpec, Same, SpecError, TopK
from tallystick.models.spec import Comparison as OutputRule
from tallystick.models.tensors import STRING, TensorSpec, decode
from tallystick.protocol.verdicts import GOOD, Judged, Verdict, worst

Part = TensorSpec | MapsSpec
_FAR = float("inf")


class Comparison:
    """A spec's comparison for one graph.

    Args:
        graph: read with the spec's sizes.
        spec: the model's.

    Raises:
        SpecError: the spec is not one for this graph; the output is named.
    """

    def __init__(self, graph: Graph, spec: OnnxSpec) -> None:
        self._graph, self._spec = graph, spec
        if spec.exact:
            return
        if len(spec.outputs) != len(graph.outputs):
            raise SpecError(
                f"the spec has {len(spec.outputs)} outputs; needed: {len(graph.outputs)}, for "
                f"{'; '.join(map(str, graph.outputs))}"
            )
        for place, rule in enumerate(spec.outputs):
            reason = _unfit(rule, graph, place)
            if reason:
                raise SpecError(f"output {place}, {graph.outputs[place]}: {reason}")
        self._from_input = {
            size for one in graph.inputs for size in one.shape if isinstance(size, str)
        }

    def judge(self, claimed: bytes, own: bytes) -> Judged:
        """Return the verdict on a claimed output.

        Args:
            claimed: as committed.
            own: canonical, of the same input.

        Raises:
            InputRefusedError: the own output is not canonical.
        """
        if claimed == own:
            return GOOD
        if self._spec.exact:
            return Judged(Verdict.WRONG, _FAR, "other bytes")
        mine = decode(self._graph.outputs, own)
        try:
            given = decode(self._graph.outputs, claimed)
        except InputRefusedError as error:
            # No machine encodes an answer so.
            return Judged(Verdict.WRONG, _FAR, f"no output: {error}")
        return worst(self._parts(given, mine))

    def distances(self, claimed: bytes, own: bytes) -> list[float]:
        """Return how far each output is from one's own, as the spec measures it.

        Infinite where it has another shape or no canonical bytes, or could not be measured; of an
        output that is to be the same, 0 or infinite.
        """
        if claimed == own or not self._spec.outputs:
            return [0.0 if claimed == own else _FAR] * len(self._graph.outputs)
        try:
            given = decode(self._graph.outputs, claimed)
        except InputRefusedError:
            return [_FAR] * len(self._graph.outputs)
        mine = decode(self._graph.outputs, own)
        return [self._distance(place, given, mine) for place in range(len(mine))]

    def _distance(self, place: int, given: list[Any], mine: list[Any]) -> float:
        rule = self._spec.outputs[place]
        if self._shape(self._graph.outputs[place], given[place], mine[place]) is not None:
            return _FAR
        if isinstance(rule, Same):
            return 0.0 if _same(given[place], mine[place]) else _FAR
        found = self._measured(rule, place, given, mine)
        return found.value if found.measured else _FAR

    def _parts(self, given: list[Any], mine: list[Any]) -> Iterator[Judged]:
        for place, rule in enumerate(self._spec.outputs):
            part = self._graph.outputs[place]
            reason = f"output {place}, {part.name}: {rule.word}"
            another = self._shape(part, given[place], mine[place])
            if another is not None:
                yield another
            elif isinstance(rule, Same):
                if not _same(given[place], mine[place]):
                    yield Judged(Verdict.DOUBTFUL, _FAR, reason)
            else:
                found = self._measured(rule, place, given, mine)
                limits = rule.thresholds
                told = f"{reason} {found.value:.6g}"
                yield Judged.of(found.value, float(limits.good), float(limits.wrong), told)
                if not found.measured:
                    yield Judged(Verdict.DOUBTFUL, _FAR, f"{reason}: own numbers are not finite")

    def _shape(self, part: Part, given: Any, mine: Any) -> Judged | None:
        """Return the verdict on another shape; None: it is the same one."""
        if isinstance(part, MapsSpec):
            same = [list(one) for one in given] == [list(one) for one in mine]
            reason = f"{part.name}: other keys"
            return None if same else Judged(Verdict.WRONG, _FAR, reason)
        axes = [axis for axis in part.free if given.shape[axis] != mine.shape[axis]]
        if not axes:
            return None
        reason = f"{part.name}: the shape {given.shape}, own {mine.shape}"
        # A size that the input has is known; another one may hang on a sum near a threshold.
        known = any(part.shape[axis] in self._from_input for axis in axes)
        return Judged(Verdict.WRONG if known else Verdict.DOUBTFUL, _FAR, reason)

    def _measured(
        self, rule: AllClose | TopK | Label, place: int, given: list[Any], mine: list[Any]
    ) -> Distance:
        if isinstance(rule, Label):
            return self._labels(rule, given[place], mine[place], mine[rule.scores])
        part = self._graph.outputs[place]
        claimed, own = _numbers(part, given[place]), _numbers(part, mine[place])
        if isinstance(rule, TopK):
            return top(claimed, own, rule.k)
        return allclose(claimed, own, float(rule.rtol), float(rule.atol))

    def _labels(self, rule: Label, given: Any, mine: Any, scores: Any) -> Distance:
        part = self._graph.outputs[rule.scores]
        rows = given.ravel().tolist(), mine.ravel().tolist()
        if isinstance(part, MapsSpec):
            classes: tuple[Any, ...] = tuple(scores[0]) if scores else ()
        else:
            size = scores.shape[-1] if scores.ndim else 1
            classes = self._graph.classes or tuple(range(size))
        numbers = as_floats(_numbers(part, scores))
        if not classes or numbers.size != len(classes) * len(rows[1]):
            return Distance(0.0, rows[0] == rows[1])
        return label(*rows, numbers.reshape(-1, len(classes)), classes)


def _numbers(part: Part, value: Any) -> NDArray[Any]:
    if isinstance(part, TensorSpec):
        return np.asarray(value)
    return np.array([list(one.values()) for one in value], part.value)


def _same(given: Any, mine: Any) -> bool:
    if isinstance(given, list):
        return bool(given == mine)
    return bool(np.array_equal(given, mine, equal_nan=given.dtype.kind == "f"))


def _unfit(rule: OutputRule, graph: Graph, place: int) -> str | None:
    """Return why an output can't be compared by a rule; None: it can."""
    part = graph.outputs[place]
    if isinstance(rule, Same):
        return None
    if isinstance(rule, Label):
        return _unfit_label(rule, graph, part)
    if isinstance(part, TensorSpec) and part.dtype == STRING:
        return f"{rule.word} is for numbers; needed for texts: label, or same"
    if isinstance(part, MapsSpec) or not isinstance(rule, TopK):
        return None
    last = part.shape[-1] if part.shape else 1
    if isinstance(last, int) and last <= rule.k:
        return f"every answer has the greatest {rule.k} of {last}; needed: a longer axis"
    return None


def _unfit_label(rule: Label, graph: Graph, part: Part) -> str | None:
    if isinstance(part, MapsSpec) or part.dtype.kind not in "iuO":
        return "a label is a whole number or a text"
    scores = graph.outputs[rule.scores]
    if isinstance(scores, MapsSpec):
        return None
    if scores.dtype == STRING or not scores.shape:
        return f"output {rule.scores}, {scores}, has no scores"
    if part.dtype == STRING and not graph.classes:
        return "the graph names no classes whose scores these are; needed: same"
    last = scores.shape[-1]
    if graph.classes and isinstance(last, int) and last != len(graph.classes):
        return f"the graph names {len(graph.classes)} classes; output {rule.scores} has {last}"
    return None
