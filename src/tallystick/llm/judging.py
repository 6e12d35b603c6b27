"""Judging answers: an inference's input and output against its model, as a verifier does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tallystick.errors import AnswerError, BodyRefusedError
from tallystick.llm.language_model import LanguageModel
from tallystick.llm.measuring import Measurement, measure, measure_decoding
from tallystick.llm.output import Output
from tallystick.llm.sampler import Sampling
from tallystick.llm.structure import structural_fault
from tallystick.llm.verdicts import Thresholds, judge_answer, judge_exact, judge_twice
from tallystick.protocol.inference import Request
from tallystick.protocol.verdicts import Verdict

SecondOpinion = Callable[[Sequence[int], Sequence[int], Sampling], Measurement | None]
"""Measure an answer's tokens after a prompt by another class of kernels, or for an exact spec by
another build; None: there is none here, and nobody is called wrong."""


@dataclass(frozen=True, slots=True)
class JudgedAnswer:
    """A verifier's finding of one answer."""

    verdict: Verdict
    reason: str
    """One line; empty where the answer is good."""
    measurement: Measurement | None
    """None: its form is wrong, so nothing was measured."""


def judge(
    model: LanguageModel,
    body: bytes,
    output: bytes,
    request: Request,
    second: SecondOpinion,
) -> JudgedAnswer:
    """Judge an inference's answer.

    Args:
        model: under the spec that the model was registered with.
        body: the leaf's input.
        output: the leaf's output.
        request: of the leaf; of an unsolicited one with the requester zero.
        second: asked before an answer is called wrong by its tokens.

    Raises:
        EngineError: the engine failed.
        RunnerError: the chat template takes too long.
    """
    try:
        question = model.put(body)
        claimed = Output.decode(output)
    except BodyRefusedError as error:
        return JudgedAnswer(Verdict.WRONG, f"the body is not allowed: {error}", None)
    except AnswerError as error:
        return JudgedAnswer(Verdict.WRONG, str(error), None)
    fault = structural_fault(claimed, question.asked)
    if fault is not None:
        return JudgedAnswer(Verdict.WRONG, fault, None)
    sampling = question.sampling(request)
    answer = question.asked.prompt, claimed.tokens, sampling
    found = measure(model.engine, *answer)
    if isinstance(model.spec.comparison, Thresholds):
        return _within(model.spec.comparison, found, lambda: second(*answer))
    if model.spec.integer:
        return _by_integers(found, lambda: measure_decoding(model.engine, *answer))
    return _exactly(found, lambda: measure_decoding(model.engine, *answer), lambda: second(*answer))


def _within(
    thresholds: Thresholds, found: Measurement, second: Callable[[], Measurement | None]
) -> JudgedAnswer:
    verdict, told = judge_answer(found.measured, thresholds), _told(found)
    if verdict is Verdict.WRONG:
        other = second()
        if other is None:
            return JudgedAnswer(Verdict.DOUBTFUL, f"{told}; no second kernels are here", found)
        verdict = judge_twice(found.margins, other.margins, thresholds)
        told += f"; by second kernels {_told(other)}"
    return JudgedAnswer(verdict, "" if verdict is Verdict.GOOD else told, found)


def _exactly(
    found: Measurement,
    decode: Callable[[], Measurement],
    second: Callable[[], Measurement | None],
) -> JudgedAnswer:
    if found.exact:
        return JudgedAnswer(Verdict.GOOD, "", found)
    decoded, other = decode(), second()
    verdict = judge_exact(False, decoded.exact, None if other is None else other.exact)
    told = f"{found.mismatches} of {len(found.margins)} tokens are not the rule's"
    if decoded.exact:
        told += "; by decoding they are: prefill and decoding differ here, please report it"
    elif other is None:
        told += "; no second build is here"
    elif other.exact:
        told += "; by a second build they are"
    return JudgedAnswer(verdict, told, found)


def _by_integers(found: Measurement, decode: Callable[[], Measurement]) -> JudgedAnswer:
    """Return the verdict where all machines agree: what one finds wrong, all do."""
    if found.exact:
        return JudgedAnswer(Verdict.GOOD, "", found)
    told = f"{found.mismatches} of {len(found.margins)} tokens are not the rule's"
    if decode().exact:
        told += "; by decoding they are: prefill and decoding differ here, please report it"
        return JudgedAnswer(Verdict.DOUBTFUL, told, found)
    return JudgedAnswer(Verdict.WRONG, told, found)


def _told(found: Measurement) -> str:
    measured = found.measured
    return (
        f"M {measured.mean:.4f}, X {measured.largest_logits:.3f}, "
        f"{found.mismatches} of {measured.tokens} tokens not the rule's"
    )
