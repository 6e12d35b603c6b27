"""Whole answers without a runtime: a table of logits is the model, other tables are cheats."""

from dataclasses import replace

import numpy as np
import pytest

from tallystick.errors import BodyRefusedError
from tallystick.llm.margins import Measured, margin
from tallystick.llm.output import Output, hash_tokens
from tallystick.llm.question import Question, Questions
from tallystick.llm.sampler import choose
from tallystick.llm.spec import Spec
from tallystick.llm.structure import structural_fault
from tallystick.llm.template import Template
from tallystick.llm.verdicts import DRAFT, Judged, judge_answer, judge_batch
from tallystick.llm.vocabulary import Kind
from tallystick.protocol.inference import Request
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.verdicts import Verdict
from tests.unit.llm.vocabularies import SmallVocabulary

VOCABULARY = SmallVocabulary(
    [
        ("<s>", Kind.CONTROL),
        ("</s>", Kind.CONTROL),
        *((f"<0x{byte:02X}>", Kind.BYTE) for byte in range(256)),
    ],
    bos=0,
    add_bos=True,
    eos=1,
)
TEMPLATE = Template("{% for one in messages %}{{ one.content }}\n{% endfor %}", "<s>", "</s>")
SPEC = Spec(context=256, tokens=64, comparison=DRAFT)
QUESTIONS = Questions(SPEC, VOCABULARY, TEMPLATE.render)
RNG = np.random.default_rng(17)
MODEL = RNG.normal(0, 3, (VOCABULARY.size, VOCABULARY.size))
OTHER_KERNEL = MODEL + RNG.normal(0, 0.01, MODEL.shape)
CHEAP_MODEL = MODEL + RNG.normal(0, 0.7, MODEL.shape)


def asked(number: int) -> tuple[bytes, Question, Request]:
    body = b'{"messages":[{"role":"user","content":"%d"}],"temperature":0.8}' % number
    question = QUESTIONS.put(body)
    return body, question, Request(b"m" * 32, b"o" * 20, keccak256(body), b"r" * 20, number, 99)


def answered(number: int, table: np.ndarray, temperature: int | None = None) -> Output:
    _, question, request = asked(number)
    sampling = question.sampling(request)
    if temperature is not None:
        sampling = replace(sampling, temperature=temperature)
    answer, tokens = question.answer(), []
    while answer.finish is None:
        before = tokens[-1] if tokens else question.asked.prompt[-1]
        tokens.append(choose(table[before], sampling, len(tokens)))
        answer.add(tokens[-1])
    prompt = question.asked.prompt
    text_hash = keccak256(answer.text().encode())
    return Output(answer.finish, len(prompt), hash_tokens(prompt), tuple(tokens), text_hash)


def judged(number: int, output: Output, table: np.ndarray) -> Judged:
    _, question, request = asked(number)
    if structural_fault(output, question.asked):
        return Judged(Verdict.WRONG, Measured.of([]))
    sampling = question.sampling(request)
    before = [question.asked.prompt[-1], *output.tokens]
    measured = Measured.of(
        margin(table[before[step]], token, sampling, step)
        for step, token in enumerate(output.tokens)
    )
    return Judged(judge_answer(measured, DRAFT), measured)


def test_answer__judged_by_the_same_logits__has_no_margin() -> None:
    for number in range(5):
        found = judged(number, answered(number, MODEL), MODEL)
        assert (found.verdict, found.measured.largest) == (Verdict.GOOD, 0)


def test_answers__judged_by_another_kernel__are_good_alone_and_pooled() -> None:
    drawn = [judged(number, answered(number, MODEL), OTHER_KERNEL) for number in range(16)]

    assert {one.verdict for one in drawn} == {Verdict.GOOD}
    assert judge_batch(drawn, DRAFT) is Verdict.GOOD


@pytest.mark.parametrize("cheat", ["a cheap model", "another temperature", "another seed"])
def test_answers__of_a_cheat__are_not_good(cheat: str) -> None:
    outputs = [
        {
            "a cheap model": lambda number: answered(number, CHEAP_MODEL),
            "another temperature": lambda number: answered(number, MODEL, temperature=1200),
            "another seed": lambda number: answered(number + 100, MODEL),
        }[cheat](number)
        for number in range(8)
    ]

    drawn = [judged(number, output, OTHER_KERNEL) for number, output in enumerate(outputs)]

    assert judge_batch(drawn, DRAFT) is not Verdict.GOOD


def test_put__body_whose_answer_could_be_too_large__is_refused() -> None:
    body, question, _ = asked(3)

    fits = QUESTIONS.put(body, len(body) + 78 + 4 * question.asked.limit)

    assert fits.asked.limit == question.asked.limit == 64
    with pytest.raises(BodyRefusedError, match="the network takes") as caught:
        QUESTIONS.put(body, len(body) + 77 + 4 * question.asked.limit)
    assert caught.value.status == 413
