"""Calibration of a spec: how far answers are apart between kernels, and thresholds above that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from tallystick.errors import FieldError, RunnerError
from tallystick.models.apart import LEVELS, PLAIN, SECOND, Kernel, run_apart
from tallystick.models.comparison import Comparison
from tallystick.models.distances import as_floats
from tallystick.models.graph import Graph
from tallystick.models.maps import MapsSpec
from tallystick.models.spec import AllClose, Label, OnnxSpec, Same, SpecError, Thresholds
from tallystick.models.spec import Comparison as Rule
from tallystick.models.tensors import STRING, decode
from tallystick.protocol.verdicts import Verdict

SAFETY = 4
"""The good threshold is so many times the largest distance that was measured."""
DOUBT = 8
"""The wrong threshold is so many times the good one."""
REFERENCE_SAMPLES = 16
"""Samples for onnx's own implementation, which is slow."""
REFERENCE_TIMEOUT = 120.0
"""Seconds."""
TOGETHER = (2, 8, 32)
CORETYPES = ("", "Haswell", "Nehalem")
"""Of OpenBLAS, in which numpy multiplies for the reference; onnxruntime has kernels of its own."""
_RTOL = Decimal("0.0001")
_LEAST = Decimal("0.1")
"""Least good threshold of allclose by _RTOL: about a hundred steps of float32."""
_STEP = 2.0**-23
_ANY = Thresholds(Decimal(0), Decimal(0))


def kernels(graph: Graph, pythons: Sequence[str] = ()) -> list[Kernel]:
    """Return the kernels to measure, those with many inferences together last.

    Args:
        graph: the model's.
        pythons: interpreters, or folders of environments, with other versions of onnxruntime.
    """
    found = [replace(PLAIN, level=level) for level in LEVELS[:-1]]
    found += [replace(PLAIN, arena=False), SECOND]
    found += [replace(PLAIN, threads=count) for count in (2, 4)]
    found += [Kernel("reference", coretype=coretype) for coretype in CORETYPES]
    for python in pythons:
        found += [replace(PLAIN, python=python), replace(SECOND, python=python)]
    return found + [replace(PLAIN, together=count) for count in TOGETHER if graph.batched]


@dataclass(frozen=True)
class Measured:
    """Answers of one kernel, beside those of a node."""

    kernel: str
    together: int
    """Inferences in one run; above 1 no node runs so, and no threshold is taken from it."""
    version: str = ""
    error: str = ""
    """The kernel could not be run, for this reason."""
    differ: int = 0
    """Answers with other bytes."""
    distances: tuple[tuple[float, ...], ...] = ()
    """Of each answer, by output, as the spec measures it."""
    reach: tuple[float, ...] = ()
    """Largest distance, by output, that numbers moved so far could give; of finite ones."""


class Calibration:
    """Measures a model, one kernel at a time.

    Args:
        file: the graph's.
        graph: as read, with the sizes of the spec to be.
        inputs: canonical samples.
        own: the node's answers to them.
        rules: of each output, whose thresholds don't matter.

    Raises:
        SpecError: a rule does not fit its output.
    """

    def __init__(
        self,
        file: Path,
        graph: Graph,
        inputs: Sequence[bytes],
        own: Sequence[bytes],
        rules: Sequence[Rule],
    ) -> None:
        self._file, self._graph, self._inputs, self._own = file, graph, inputs, own
        self._rules = tuple(rules)
        self._comparison = Comparison(graph, OnnxSpec(self._rules))

    def measure(self, kernel: Kernel) -> Measured:
        """Return the answers of a kernel beside a node's; one that can't be run says why."""
        is_slow = kernel.engine == "reference"
        inputs = self._inputs[:REFERENCE_SAMPLES] if is_slow else self._inputs
        limit = {"timeout": REFERENCE_TIMEOUT} if is_slow else {}
        try:
            answers = run_apart(self._file, self._graph, inputs, kernel, **limit)
        except RunnerError as error:
            return Measured(str(kernel), kernel.together, error=str(error))
        pairs = list(zip(answers.outputs, self._own, strict=False))
        return Measured(
            str(kernel),
            kernel.together,
            answers.version,
            differ=sum(answer != own for answer, own in pairs),
            distances=tuple(tuple(self._comparison.distances(*pair)) for pair in pairs),
            reach=tuple(
                max((self._reach(place, *pair) for pair in pairs), default=0.0)
                for place in range(len(self._rules))
            ),
        )

    def _reach(self, place: int, answer: bytes, own: bytes) -> float:
        """Return how far an output could be off where its numbers moved so; 0: not measured."""
        rule = self._rules[place]
        if answer == own or isinstance(rule, Same):
            return 0.0
        given, mine = decode(self._graph.outputs, answer), decode(self._graph.outputs, own)
        if isinstance(rule, AllClose):
            found = self._comparison.distances(answer, own)[place]
            return found if isfinite(found) else 0.0
        scores = rule.scores if isinstance(rule, Label) else place
        a, b = (_floats(self._graph, scores, one[scores]) for one in (given, mine))
        if a.shape != b.shape:
            return 0.0
        moved = np.abs(a - b)[np.isfinite(a) & np.isfinite(b)]
        # Two numbers that move towards each other.
        return 2 * float(moved.max(initial=0.0))

    def thresholds(self, measured: Sequence[Measured]) -> tuple[Rule, ...]:
        """Return the rules with thresholds above all that was measured as nodes run."""
        used = [one for one in measured if one.together == 1 and one.reach]
        return tuple(
            self._with(rule, place, max((one.reach[place] for one in used), default=0.0))
            for place, rule in enumerate(self._rules)
        )

    def _with(self, rule: Rule, place: int, reach: float) -> Rule:
        if isinstance(rule, Same):
            return rule
        good = round_up(Decimal(SAFETY * reach))
        if isinstance(rule, AllClose):
            good = max(good, _LEAST)
        else:
            scores = rule.scores if isinstance(rule, Label) else place
            typical = scale(self._graph, scores, self._own)
            good = max(good, round_up(Decimal(100 * _STEP * typical)))
        return replace(rule, thresholds=Thresholds(good, round_up(DOUBT * good)))

    def verdicts(self, spec: OnnxSpec, one: Measured) -> dict[str, int]:
        """Return how many of a kernel's answers a spec finds good, doubtful and wrong."""
        found = dict.fromkeys((verdict.value for verdict in Verdict), 0)
        for distances in one.distances:
            found[_verdict(spec, distances).value] += 1
        return found

    def told_apart(self, spec: OnnxSpec) -> tuple[int, int]:
        """Return how many samples' answers are wrong for the sample before, of how many."""
        compare = Comparison(self._graph, spec).judge
        pairs = list(zip(self._own[1:], self._own, strict=False))
        wrong = sum(compare(*pair).verdict is Verdict.WRONG for pair in pairs)
        return wrong, len(pairs)


def usual_rules(graph: Graph, own: Sequence[bytes], named: Mapping[int, str]) -> tuple[Rule, ...]:
    """Return a rule of each output: as named, or what is usual for its type.

    Floats are allclose; a label beside scores is a label; what else is whole or text is the same.

    Args:
        graph: the model's.
        own: answers to samples, from which the size of numbers is taken.
        named: by the output's place: argmax, topk K, label OUTPUT, same, allclose, or allclose
            RTOL ATOL.

    Raises:
        FieldError: a rule is none of these, or of an output that is not there.
    """
    if unknown := set(named) - set(range(len(graph.outputs))):
        raise FieldError("output", min(unknown), f"below {len(graph.outputs)}")
    return tuple(
        _named(graph, own, place, named[place]) if place in named else _usual(graph, own, place)
        for place in range(len(graph.outputs))
    )


def _named(graph: Graph, own: Sequence[bytes], place: int, words: str) -> Rule:
    try:
        kind, *arguments = words.split()
        if kind == "allclose" and not arguments:
            return _close(graph, own, place)
        # By the spec's own grammar, with thresholds that are replaced.
        ends = "" if kind == "same" else " 0 0"
        head = "".join(f"output {before} same\n" for before in range(place))
        tail = "".join(f"output {after} same\n" for after in range(place + 1, len(graph.outputs)))
        lines = f"{head}output {place} {' '.join([kind, *arguments])}{ends}\n{tail}"
        text = f"tallystick ONNX-1\ncomparison tolerance\n{lines}"
        return OnnxSpec.parse(text.encode()).outputs[place]
    except (ValueError, SpecError) as error:
        needed = "argmax, topk K, label OUTPUT, same, allclose, or allclose RTOL ATOL"
        raise FieldError(f"output {place}", f"{words!r} ({error})", needed) from error


def _usual(graph: Graph, own: Sequence[bytes], place: int) -> Rule:
    part = graph.outputs[place]
    if isinstance(part, MapsSpec) or part.dtype.kind == "f":
        return _close(graph, own, place)
    for scores, other in enumerate(graph.outputs):
        is_scores = isinstance(other, MapsSpec) or (
            other.dtype.kind == "f" and len(other.shape) == len(part.shape) + 1
        )
        if scores != place and is_scores:
            rule = Label(_ANY, scores)
            rules = [Same() if at != place else rule for at in range(len(graph.outputs))]
            try:
                Comparison(graph, OnnxSpec(tuple(rules)))
            except SpecError:
                continue
            return rule
    return Same()


def _close(graph: Graph, own: Sequence[bytes], place: int) -> AllClose:
    part = graph.outputs[place]
    if not isinstance(part, MapsSpec) and part.dtype == STRING:
        raise FieldError(f"output {place}", "allclose of texts", "label, or same")
    typical = scale(graph, place, own)
    atol = Decimal(10) ** (Decimal(typical or 1.0).adjusted() + _RTOL.adjusted())
    return AllClose(_ANY, _RTOL, round_up(atol))


def scale(graph: Graph, place: int, own: Sequence[bytes]) -> float:
    """Return the root mean square of an output's finite numbers."""
    values = [_floats(graph, place, decode(graph.outputs, one)[place]).ravel() for one in own]
    numbers = np.concatenate([*values, np.zeros(0)])
    finite = numbers[np.isfinite(numbers)]
    return float(np.sqrt(np.mean(finite**2))) if finite.size else 0.0


def round_up(number: Decimal) -> Decimal:
    """Return the next number with one digit that is not zero.

    >>> round_up(Decimal("0.00123"))
    Decimal('0.002')
    """
    if not number:
        return Decimal(0)
    step = Decimal(10) ** max(number.adjusted(), -20)
    return (number / step).to_integral_value(ROUND_CEILING) * step


def _floats(graph: Graph, place: int, value: Any) -> Any:
    if isinstance(graph.outputs[place], MapsSpec):
        return np.array([list(one.values()) for one in value], np.float64)
    return as_floats(value)


def _verdict(spec: OnnxSpec, distances: Sequence[float]) -> Verdict:
    found = Verdict.GOOD
    for rule, distance in zip(spec.outputs, distances, strict=True):
        good = 0.0 if isinstance(rule, Same) else float(rule.thresholds.good)
        wrong = float("inf") if isinstance(rule, Same) else float(rule.thresholds.wrong)
        if isfinite(distance) and distance > wrong:
            return Verdict.WRONG
        if distance > good:
            found = Verdict.DOUBTFUL
    return found
