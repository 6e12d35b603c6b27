"""An ONNX model before it is registered: run once, compared by its spec, measured where it must."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tallystick.errors import ActionError, InputRefusedError, RunnerError

if TYPE_CHECKING:
    from tallystick.models.apart import Kernel
    from tallystick.models.graph import Graph
    from tallystick.models.runner import OnnxModel

MADE_UP = 16
"""Inputs that are made up where there are no samples."""


@dataclass(frozen=True)
class OnnxFacts:
    """Facts of a model that can be served and judged."""

    spec: bytes
    """Its text."""
    told: dict[str, Any]
    """For people."""
    bytes_of_one: int
    """Of input and output; where sizes are free, of the smallest that was run."""
    is_fixed: bool
    """Every inference has as many."""


def examine(content: Path, text: bytes | None, samples: Path | None = None) -> OnnxFacts:
    """Load an ONNX model under an ONNX-1 spec, run it, and compare two kernels' answers by it.

    Args:
        content: the model's file.
        text: the spec's; None: that of an integer graph.
        samples: real inputs, see read_samples; None: some are made up.

    Raises:
        ActionError: it compares bytes, and the graph is not integer; or its thresholds find answers
            of another kernel wrong. The measurement is in the message.
        SpecError: the spec is none, or of another graph.
        ModelRefusedError: it can't be served or judged, by its node or tensor.
        RunnerError: it can't be run.
        FieldError: the samples are not what it takes.
        OSError: a file cannot be read.
    """
    from tallystick.models.comparison import Comparison
    from tallystick.models.graph import load
    from tallystick.models.integer import not_integer
    from tallystick.models.runner import OnnxModel
    from tallystick.models.samples import random_inputs, read_samples
    from tallystick.models.spec import OnnxSpec
    from tallystick.protocol.spec_kinds import kind_of

    spec = OnnxSpec() if text is None else OnnxSpec.parse(text)
    model = OnnxModel(content, spec.sizes)
    comparison = Comparison(model.graph, spec)
    given = read_samples(samples, model.graph) if samples else [model.graph.zeros()]
    try:
        (output,) = model.infer(given[:1])
    except (RunnerError, InputRefusedError) as error:
        hint = "" if samples else "; needed for other inputs than zeros: samples"
        raise RunnerError(f"{content} does not run: {error}{hint}") from error
    inputs = given[:MADE_UP] if samples else random_inputs(model.graph, MADE_UP)
    whose = "samples" if samples else "made-up inputs"
    if spec.exact and (reason := not_integer(load(content))):
        raise ActionError(
            f"{content} has no tolerance, and is not integer ({reason}): of {len(inputs)} answers "
            f"to {whose} {_differing(content, model, inputs)}; needed: a spec with a tolerance "
            "(tallystick model calibrate)"
        )
    if not spec.exact:
        _check_thresholds(content, model, comparison, inputs, whose)
    graph = model.graph
    size = len(given[0]) + len(output)
    told = {
        "inputs": [str(one) for one in graph.inputs],
        "outputs": [str(one) for one in graph.outputs],
        "answers": kind_of(spec.text.encode()).value,
        "comparison": [str(one) for one in spec.outputs] or "equal bytes",
        "bytes_of_an_inference": size if graph.size is not None else f"at least {size}",
    }
    return OnnxFacts(spec.text.encode(), told, size, graph.size is not None)


def _differing(content: Path, model: "OnnxModel", inputs: list[bytes]) -> str:
    from tallystick.models.apart import SECOND, Kernel

    found = []
    for kernel in (SECOND, Kernel("reference")):
        others = _others(content, model.graph, inputs, kernel)
        if isinstance(others, str):
            found.append(f"({others})")
            continue
        own = model.infer(inputs)
        differ = sum(one != other for one, other in zip(own, others, strict=True))
        bytes_ = sum(
            a != b
            for one, other in zip(own, others, strict=True)
            for a, b in zip(one, other, strict=False)
        )
        of = sum(map(len, own))
        found.append(f"{differ} have other bytes ({bytes_} of {of}) under {kernel}")
    return ", ".join(found)


def _others(
    content: Path, graph: "Graph", inputs: list[bytes], kernel: "Kernel"
) -> list[bytes] | str:
    from tallystick.models.apart import run_apart

    try:
        return run_apart(content, graph, inputs, kernel, timeout=60.0).outputs
    except RunnerError as error:
        return f"not measured under {error}"


def _check_thresholds(
    content: Path, model: "OnnxModel", comparison: Any, inputs: list[bytes], whose: str
) -> None:
    """Refuse thresholds by which another kernel's answers are wrong."""
    from tallystick.models.apart import SECOND
    from tallystick.protocol.verdicts import Verdict

    try:
        own = model.infer(inputs)
    except RunnerError as error:
        if whose == "samples":
            raise
        raise RunnerError(f"{content}: {error}; needed for other inputs: samples") from error
    others = _others(content, model.graph, inputs, SECOND)
    if isinstance(others, str):
        raise RunnerError(f"{content}: {others}")
    judged = [comparison.judge(*pair) for pair in zip(others, own, strict=True)]
    wrong = [one for one in judged if one.verdict is Verdict.WRONG]
    if wrong:
        raise ActionError(
            f"{content}: by its spec {len(wrong)} of {len(judged)} answers to {whose} are wrong "
            f"under {SECOND} ({wrong[0].reason}): honest operators would be convicted; needed: "
            "wider thresholds (tallystick model calibrate)"
        )
