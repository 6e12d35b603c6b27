"""An ONNX model before it is registered: run once, compared by its spec, measured where it must."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tallystick.errors import ActionError, InputRefusedError, RunnerError

if TYPE_CHECKING:
    from tallystick.models.apart import Kernel
    from tallystick.models.graph import Graph
    from tallystick.models.runner import OnnxModel
    from tallystick.models.spec import OnnxSpec

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


def examine(
    content: Path,
    text: bytes | None,
    samples: Path | None = None,
    comparison_elsewhere: bool = False,
) -> OnnxFacts:
    """Load an ONNX model under its spec, run it, and compare two kernels' answers by it.

    Args:
        content: the model's file.
        text: the spec's, ONNX-1 or in words of its own, under which bytes decide; None: that of an
            integer graph.
        samples: real inputs, see read_samples; None: some are made up.
        comparison_elsewhere: the spec is in words of its own, and by them each verifier is set a
            comparison, or a runner: module:function. Then bytes of the graph decide nothing.

    Raises:
        ActionError: it compares bytes, and the graph is not integer; or its thresholds find answers
            of another kernel wrong. The measurement is in the message. Or an ONNX-1 spec, which has
            its comparison, is said to have it elsewhere.
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
    from tallystick.models.spec import OnnxSpec, is_onnx_spec
    from tallystick.protocol.spec_kinds import kind_of

    in_own_words = text is not None and not is_onnx_spec(text)
    if comparison_elsewhere and not in_own_words:
        raise ActionError(
            "its comparison is said to be elsewhere, and an ONNX-1 spec has it; needed: a spec in "
            "words of its own, or the comparison that the spec has"
        )
    spec = OnnxSpec() if text is None or in_own_words else OnnxSpec.parse(text)
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
    reason = not_integer(load(content)) if spec.exact and not comparison_elsewhere else None
    if reason is not None:
        elsewhere = ", or a comparison elsewhere, which verifiers are set" if in_own_words else ""
        raise ActionError(
            f"{content} has no tolerance, and is not integer ({reason}): of {len(inputs)} answers "
            f"to {whose} {_differing(content, model, inputs)}; needed: a spec with a tolerance "
            f"(tallystick model calibrate){elsewhere}"
        )
    if not spec.exact:
        _check_thresholds(content, model, comparison, inputs, whose)
    graph = model.graph
    size = len(given[0]) + len(output)
    text = text if in_own_words and text is not None else spec.text.encode()
    told = {
        "inputs": [str(one) for one in graph.inputs],
        "outputs": [str(one) for one in graph.outputs],
        "answers": kind_of(text).value,
        "comparison": _comparison_words(spec, comparison_elsewhere),
        "comparison_elsewhere": comparison_elsewhere,
        "bytes_of_an_inference": size if graph.size is not None else f"at least {size}",
    }
    return OnnxFacts(text, told, size, graph.size is not None)


def _comparison_words(spec: "OnnxSpec", elsewhere: bool) -> str | list[str]:
    if elsewhere:
        return "elsewhere: each verifier is to be set one (comparison or runner: module:function)"
    return [str(one) for one in spec.outputs] or "equal bytes"


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
