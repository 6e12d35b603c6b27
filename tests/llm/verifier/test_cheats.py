"""Cheats' answers under both kinds of spec, beside honest ones to the same requests."""

from collections import Counter
from collections.abc import Callable, Sequence

import pytest

from tallystick.llm.judging import JudgedAnswer, SecondOpinion, judge
from tallystick.llm.language_model import LanguageModel
from tallystick.llm.margins import Measured
from tallystick.llm.measuring_process import MeasuringProcess
from tallystick.llm.output import Output
from tallystick.llm.verdicts import DRAFT, Judged, judge_answer, judge_batch
from tallystick.protocol.verdicts import Verdict
from tests.llm.verifier.answers import Answer, answers, edited, honest, hotter, shorter_prompt

MANY = 6
CHEATS: dict[str, Callable[[LanguageModel], Callable[..., bytes]]] = {
    "another prompt": shorter_prompt,
    "another temperature": hotter,
    "an edited token": edited,
}


def judged(
    model: LanguageModel, given: Sequence[Answer], second: SecondOpinion
) -> list[JudgedAnswer]:
    return [judge(model, one.body, one.output, one.request, second) for one in given]


def tell(who: str, found: Sequence[JudgedAnswer]) -> Counter[Verdict]:
    """Print a line of counts; returns the verdicts'."""
    counts = Counter(one.verdict for one in found)
    measured = [one.measurement for one in found if one.measurement is not None]
    pooled = Measured.pooled(one.measured for one in measured)
    wrong = sum(one.mismatches for one in measured)
    told = ", ".join(f"{counts[one]} {one.value}" for one in Verdict)
    print(
        f"{who}: {len(found)} answers, {told}; {wrong} of {pooled.tokens} tokens not the rule's, "
        f"M {pooled.mean:.4f}, X {pooled.largest_logits:.3f}"
    )
    return counts


def verdict_of_batch(found: Sequence[JudgedAnswer]) -> Verdict:
    none = Measured(0, 0, 0)
    drawn = [
        Judged(one.verdict, none if one.measurement is None else one.measurement.measured)
        for one in found
    ]
    return judge_batch(drawn, DRAFT)


@pytest.fixture(scope="module")
def honest_answers(model: LanguageModel) -> list[Answer]:
    return answers(honest(model), MANY)


@pytest.fixture(scope="module")
def cheap_answers(cheap_model: LanguageModel) -> list[Answer]:
    return answers(honest(cheap_model), MANY)


def test_judge__honest_answers__good_in_both(
    model: LanguageModel,
    exact_model: LanguageModel,
    honest_answers: list[Answer],
    other_kernels: MeasuringProcess,
    other_build: MeasuringProcess,
) -> None:
    exactly = judged(exact_model, honest_answers, other_build.measure)
    assert tell("honest, exact", exactly) == {Verdict.GOOD: MANY}
    within = judged(model, honest_answers, other_kernels.measure)
    assert tell("honest, tolerance", within) == {Verdict.GOOD: MANY}
    # As on a verifier's machine that has other kernels than the operator's.
    elsewhere = []
    for one in honest_answers:
        question, tokens = model.put(one.body), Output.decode(one.output).tokens
        asked = question.asked.prompt, tokens, question.sampling(one.request)
        elsewhere.append(other_kernels.measure(*asked).measured)
    print("honest, other kernels:", [f"{one.mean:.4f}" for one in elsewhere])
    found = [Judged(judge_answer(one, DRAFT), one) for one in elsewhere]
    assert judge_batch(found, DRAFT) is Verdict.GOOD


def test_judge__cheaper_model__wrong_in_both(
    model: LanguageModel,
    exact_model: LanguageModel,
    cheap_answers: list[Answer],
    other_kernels: MeasuringProcess,
    other_build: MeasuringProcess,
) -> None:
    exactly = judged(exact_model, cheap_answers, other_build.measure)
    assert tell("Q4_0, exact", exactly) == {Verdict.WRONG: MANY}
    within = judged(model, cheap_answers, other_kernels.measure)
    counts = tell("Q4_0, tolerance", within)
    assert counts[Verdict.WRONG] and not counts[Verdict.GOOD]
    assert verdict_of_batch(within) is Verdict.WRONG


@pytest.mark.parametrize("cheat", CHEATS)
def test_judge__cheat__wrong_exactly_and_its_batch_never_good(
    model: LanguageModel,
    exact_model: LanguageModel,
    other_kernels: MeasuringProcess,
    other_build: MeasuringProcess,
    cheat: str,
) -> None:
    given = answers(CHEATS[cheat](model), MANY)
    exactly = judged(exact_model, given, other_build.measure)
    assert tell(f"{cheat}, exact", exactly) == {Verdict.WRONG: MANY}
    within = judged(model, given, other_kernels.measure)
    tell(f"{cheat}, tolerance", within)
    assert verdict_of_batch(within) is not Verdict.GOOD
