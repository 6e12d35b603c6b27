"""Execution of a kept answer by one's own model file, as a verifier does it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tallystick.client.llm.kept import KeptAnswer
from tallystick.errors import FieldError
from tallystick.llm.engine.errors import EngineError
from tallystick.llm.judging import SecondOpinion, judge
from tallystick.llm.measuring import Measurement
from tallystick.llm.measuring_process import MeasuringProcess
from tallystick.llm.opening import kernel_of, open_model
from tallystick.llm.sampler import Sampling
from tallystick.llm.second_runtime import second_runtime
from tallystick.llm.spec import Spec


def execute(kept: KeptAnswer, model: Path, spec: Path) -> dict[str, Any]:
    """Return the verdict on an answer, and what it rests on.

    Args:
        kept: checked.
        model: GGUF.
        spec: text that the model was registered with.

    Raises:
        FieldError: the text is no spec.
        TallystickError: the model cannot be run; see `open_model`.
    """
    try:
        rules = Spec.parse(spec.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, FieldError) as error:
        raise FieldError("spec", str(spec), f"the registered text: {error}") from error
    with open_model(model, rules, slots=1) as opened, _second(model, rules) as second:
        output = kept.answer.output.encode()
        judged = judge(opened, kept.body, output, kept.request, second)
    found = judged.measurement
    return {
        "spec_hash": rules.spec_hash(),
        "verdict": judged.verdict.value,
        "M": None if found is None else found.measured.mean,
        "X": None if found is None else found.measured.largest_logits,
        "mismatches": None if found is None else found.mismatches,
        "reason": judged.reason,
    }


@contextmanager
def _second(model: Path, spec: Spec) -> Iterator[SecondOpinion]:
    """Yield a second opinion, by what is here; none where that breaks down."""
    runtime = second_runtime(spec, kernel_of(spec), setting="")
    if runtime is None:
        yield lambda prompt, tokens, sampling: None
        return
    with MeasuringProcess(model, spec.context, runtime) as process:

        def measure(
            prompt: Sequence[int], tokens: Sequence[int], sampling: Sampling
        ) -> Measurement | None:
            try:
                return process.measure(prompt, tokens, sampling)
            except EngineError:
                return None

        yield measure
