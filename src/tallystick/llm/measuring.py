"""Measuring answers: a claimed answer's tokens against the rule's, under one's own logits."""

from collections.abc import Sequence
from dataclasses import dataclass

from tallystick.llm.engine.protocol import Engine, Row
from tallystick.llm.margins import Measured, margin_of
from tallystick.llm.sampler import Sampling, candidates, fixed_logits


@dataclass(frozen=True, slots=True)
class Measurement:
    """Margins of an answer's tokens, in the order of the answer."""

    margins: tuple[int, ...]
    """In units of 1 / (1000 * 2^20) logits."""
    mismatches: int
    """Tokens that are not the rule's."""

    @property
    def measured(self) -> Measured:
        """Sum and largest of the margins."""
        return Measured.of(self.margins)

    @property
    def exact(self) -> bool:
        """True if every token is the rule's."""
        return not self.mismatches


class _Meter:
    """Compares tokens, one after another."""

    def __init__(self, tokens: Sequence[int], sampling: Sampling) -> None:
        self._tokens, self._sampling = tokens, sampling
        self._margins: list[int] = []
        self._mismatches = 0

    def take(self, logits: Row) -> None:
        step = len(self._margins)
        token = self._tokens[step]
        fixed = fixed_logits(logits)
        found = candidates(fixed, self._sampling, step)
        self._margins.append(margin_of(fixed, found, token, self._sampling, step))
        self._mismatches += found.token != token

    def decode(self, logits: Row) -> int | None:
        """Take logits, and return the claimed token to go on with."""
        self.take(logits)
        step = len(self._margins)
        return self._tokens[step - 1] if step < len(self._tokens) else None

    def measurement(self) -> Measurement:
        return Measurement(tuple(self._margins), self._mismatches)


def measure(
    engine: Engine, prompt: Sequence[int], tokens: Sequence[int], sampling: Sampling
) -> Measurement:
    """Measure an answer by one forward pass.

    Args:
        engine: runs the model.
        prompt: of the answer.
        tokens: that are claimed, of the vocabulary, at least one.
        sampling: of the answer.

    Raises:
        FieldError: a token is none of the vocabulary's, or there are more than fit the engine.
        EngineError: the engine failed.
    """
    meter = _Meter(tokens, sampling)
    ids = [*prompt, *tokens[:-1]]
    engine.prefill(ids, len(prompt) - 1, lambda _, row: meter.take(row)).wait()
    return meter.measurement()


def measure_decoding(
    engine: Engine, prompt: Sequence[int], tokens: Sequence[int], sampling: Sampling
) -> Measurement:
    """Measure an answer by decoding its tokens one by one; see `measure`."""
    meter = _Meter(tokens, sampling)
    engine.generate(prompt, meter.decode).wait()
    return meter.measurement()
