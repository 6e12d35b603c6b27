"""Execution of a kept answer by one's own model file, as a verifier does it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tallystick.client.llm.kept import KeptAnswer
from tallystick.errors import FieldError
from tallystick.llm.engine.errors import EngineError
from tallystick.llm.engine.release import SECOND, Kernel
from tallystick.llm.judging import judge
from tallystick.llm.measuring import Measurement
from tallystick.llm.measuring_process import MeasuringProcess, Runtime
from tallystick.llm.opening import kernel_of, open_model
from tallystick.llm.sampler import Sampling
from tallystick.llm.spec import Profile, Spec


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


Second = Callable[[Sequence[int], Sequence[int], Sampling], Measurement | None]


@contextmanager
def _second(model: Path, spec: Spec) -> Iterator[Second]:
    """Yield a second opinion: by another build for an exact spec, else by other kernels."""
    kernel = kernel_of(spec)
    if isinstance(spec.comparison, Profile):
        runtime = Runtime(kernel, SECOND, _folder_of_second())
    else:
        runtime = Runtime(Kernel.AVX512 if kernel is Kernel.AVX2 else Kernel.AVX2)
    with MeasuringProcess(model, spec.context, runtime) as process:

        def measure(
            prompt: Sequence[int], tokens: Sequence[int], sampling: Sampling
        ) -> Measurement | None:
            try:
                return process.measure(prompt, tokens, sampling)
            except EngineError:
                return None

        yield measure


def _folder_of_second() -> Path | None:
    """Return where the package of the second build is; None: it is not installed."""
    from importlib.util import find_spec

    found = find_spec("xllamacpp")
    places = found.submodule_search_locations if found else None
    return Path(places[0]) if places else None
