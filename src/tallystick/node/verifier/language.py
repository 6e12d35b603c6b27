"""Language models that a verifier judges by: answers measured, and batches by their rule."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tallystick.errors import FieldError, RunnerError, TallystickError
from tallystick.llm import verdicts as llm_verdicts
from tallystick.llm.engine.errors import EngineError, SelfTestError
from tallystick.llm.engine.gguf_file import read_gguf
from tallystick.llm.engine.release import Kernel
from tallystick.llm.judging import JudgedAnswer, SecondOpinion, judge
from tallystick.llm.language_model import LanguageModel
from tallystick.llm.margins import Measured
from tallystick.llm.measuring import Measurement
from tallystick.llm.measuring_process import MeasuringProcess
from tallystick.llm.noise import UNIT
from tallystick.llm.opening import kernel_of, open_model, read_spec
from tallystick.llm.second_runtime import second_runtime
from tallystick.llm.spec import ARITHMETIC, Spec
from tallystick.llm.verdicts import Mean, Thresholds
from tallystick.node.log import get_log
from tallystick.node.settings import ModelSource
from tallystick.node.verifier.models import BytesMissingError
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.batch import Batch
from tallystick.protocol.inference import Request
from tallystick.protocol.ledger import Model as RegisteredModel
from tallystick.protocol.record import InferenceRecord
from tallystick.protocol.verdicts import Judged, Verdict
from tallystick.storage.margins_file import MarginNote

_LOG = get_log("verifier")


@dataclass(frozen=True, slots=True)
class MeasuredAnswer(Judged):
    """An answer's verdict, with what it rests on."""

    measurement: Measurement | None = None
    """None: its form is wrong, so nothing was measured."""

    @property
    def measured(self) -> Measured:
        """Sum and largest of the margins; of no tokens where nothing was measured."""
        return Measured(0, 0, 0) if self.measurement is None else self.measurement.measured


class LanguageRerun:
    """A language model, ready to judge by.

    Args:
        model: under its registered spec.
        model_id: as registered, 32 bytes.
        second: asked before an answer is called wrong by its tokens.
        kernel: class of the model's kernels, or the arithmetic of integers.
    """

    def __init__(
        self, model: LanguageModel, model_id: bytes, second: SecondOpinion, kernel: str
    ) -> None:
        self._model, self._id = model, model_id
        self._second, self._kernel = second, kernel

    def judge(self, records: Sequence[InferenceRecord]) -> list[Judged]:
        """Return the verdict on each answer.

        Raises:
            BytesMissingError: the data lack what is needed to say.
            RunnerError: the model could not be run.
        """
        return [self._judge(place, one) for place, one in enumerate(records)]

    def judge_batch(self, judged: Sequence[Judged]) -> tuple[Verdict, str]:
        """Return the verdict on a batch by its drawn leaves, and a note where it is not one leaf's.

        Under an exact spec a batch is good where all of them are.
        """
        comparison = self._model.spec.comparison
        if not isinstance(comparison, Thresholds):
            good = all(one.verdict is Verdict.GOOD for one in judged)
            return (Verdict.GOOD if good else Verdict.DOUBTFUL), ""
        leaves = [
            llm_verdicts.Judged(one.verdict, one.measured)
            for one in judged
            if isinstance(one, MeasuredAnswer)
        ]
        verdict = llm_verdicts.judge_batch(leaves, comparison)
        pooled = Measured.pooled(one.measured for one in leaves)
        return verdict, f"M {pooled.mean:.4f} of {pooled.tokens} tokens together"

    def margin_notes(self, batch: Batch, judged: Mapping[int, Judged]) -> list[MarginNote]:
        """Return what is to be noted of answers; see `Rerun.margin_notes`."""
        return [
            MarginNote(
                batch_id=batch.id(),
                leaf_index=index,
                operator=batch.operator,
                model_id=batch.model_id,
                verdict=one.verdict,
                tokens=one.measured.tokens,
                mean=one.measured.mean,
                largest=one.measured.largest_logits,
                mismatches=0 if one.measurement is None else one.measurement.mismatches,
                kernel=self._kernel,
            )
            for index, one in judged.items()
            if isinstance(one, MeasuredAnswer)
        ]

    def evidence(self, registered: RegisteredModel, record: InferenceRecord) -> None:
        """Return None: no contract runs a language model."""
        return

    def _judge(self, place: int, record: InferenceRecord) -> Judged:
        if record.input is None:
            raise BytesMissingError(place, "the input's")
        if record.output is None:
            raise BytesMissingError(place, "the output's")
        assert record.nonce is not None and record.deadline is not None
        # Whose answer it is, and until when, has no part in its chance.
        request = Request(
            self._id,
            ZERO_ADDRESS,
            record.input_hash,
            record.requester,
            record.nonce,
            record.deadline,
        )
        try:
            found = judge(self._model, record.input, record.output, request, self._second)
        except EngineError as error:
            raise RunnerError(str(error)) from error
        return self._answer(found)

    def _answer(self, found: JudgedAnswer) -> MeasuredAnswer:
        way = float("inf")
        comparison = self._model.spec.comparison
        if found.verdict is Verdict.GOOD:
            way = 0.0
        elif isinstance(comparison, Thresholds) and found.measurement is not None:
            way = _way(found.measurement.measured, comparison)
        return MeasuredAnswer(found.verdict, way, found.reason, found.measurement)


def check_language(source: ModelSource) -> None:
    """Refuse settings by which no answer could be judged, whatever the registered hashes are.

    Raises:
        RunnerError: the spec is missing or none, what is set for a second opinion is none, or the
            file is no GGUF file.
    """
    try:
        if source.spec is None:
            raise FieldError("spec", "missing", "the registered text, for an llm runner")
        spec = Spec.parse(source.spec.read_bytes().decode())
        kernel = Kernel(source.kernel) if source.kernel else kernel_of(spec)
        second_runtime(spec, kernel, source.second)
        if source.file is not None:
            read_gguf(source.file)
    except (TallystickError, OSError, UnicodeDecodeError) as error:
        raise RunnerError(
            f"runner llm cannot load {source.file or source.spec}: {error}"
        ) from error


def load_language(source: ModelSource, registered: RegisteredModel, file: Path) -> LanguageRerun:
    """Return a language model under its registered spec.

    Args:
        source: from the settings.
        registered: as the chain has it.
        file: GGUF, whose content hash was compared.

    Raises:
        SelfTestError: the engine is not the exact spec's.
        RunnerError: the spec's text is missing or another, or the model cannot be run.
    """
    try:
        if source.spec is None:
            raise FieldError("spec", "missing", "the registered text, for an llm runner")
        spec = read_spec(source.spec, registered.spec_hash)
        kernel = Kernel(source.kernel) if source.kernel else kernel_of(spec)
        second = _second(source, spec, kernel, file)
        model = open_model(file, spec, kernel=kernel, slots=source.slots, golden=source.golden)
    except SelfTestError:
        raise
    except (TallystickError, OSError) as error:
        raise RunnerError(f"runner llm cannot load {file}: {error}") from error
    runs = ARITHMETIC if spec.integer else kernel.value
    return LanguageRerun(model, registered.id, second, runs)


def _second(source: ModelSource, spec: Spec, kernel: Kernel, file: Path) -> SecondOpinion:
    runtime = second_runtime(spec, kernel, source.second)
    if runtime is None and not spec.integer:
        _LOG.warning(
            "no second kernels or build: no answer is called wrong by its tokens",
            model=source.id,
            kernel=kernel.value,
        )
    if runtime is None:
        return lambda prompt, tokens, sampling: None
    return MeasuringProcess(file, spec.context, runtime).measure


def _way(measured: Measured, thresholds: Thresholds) -> float:
    """Return how far an answer is from good, 0, to wrong, 1; only to be shown and ordered by."""
    way = _part(measured.largest / UNIT, thresholds.x1, thresholds.x2)
    if measured.tokens >= llm_verdicts.FEW_TOKENS:
        bounds = (_bound(one, measured.tokens) for one in (thresholds.m1, thresholds.m2))
        way = max(way, _part(1000 * measured.mean, *bounds))
    return max(0.0, way)


def _part(value: float, good: float, wrong: float) -> float:
    if wrong > good:
        return (value - good) / (wrong - good)
    return float("inf") if value > good else 0.0


def _bound(mean: Mean, tokens: int) -> float:
    return mean.a + mean.b / math.sqrt(tokens)
