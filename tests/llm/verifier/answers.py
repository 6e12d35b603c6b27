"""Answers of honest operators and of cheats, each of a fixed request, always the same."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

from tallystick.llm.engine.protocol import Row
from tallystick.llm.generation import Generation
from tallystick.llm.language_model import LanguageModel
from tallystick.llm.output import Output, hash_tokens
from tallystick.llm.question import Question
from tallystick.llm.sampler import Sampling, candidates, fixed_logits
from tallystick.protocol.inference import Request
from tallystick.protocol.keccak import keccak256

TOKENS = 40
_PLACE = 9
"""Token that an editor changes."""
_SYSTEM = (
    "You are a guide in a small town by the sea. You know its harbour, its market and its walks, "
    "and you answer visitors in two or three sentences, without lists."
)
_TOPICS = (
    "the harbour",
    "old trees",
    "rain",
    "the market",
    "a walk at night",
    "fish",
    "bread",
    "gulls",
)


class Answer(NamedTuple):
    """An inference of a model."""

    body: bytes
    request: Request
    output: bytes


Answering = Callable[[bytes, Request], bytes]
"""Gives the output to a body and the request it came with."""


def body(number: int, **fields: object) -> bytes:
    """A chat at temperature 0.8."""
    asked = {
        "messages": [
            {"role": "system", "content": _SYSTEM},
            {"role": "user", "content": f"Tell me about {_TOPICS[number % len(_TOPICS)]}."},
        ],
        "temperature": 0.8,
        "max_tokens": TOKENS,
    }
    return json.dumps(asked | fields).encode()


def honest(model: LanguageModel) -> Answering:
    """As the rule has it, by a model: a cheap one's answers look like this, too."""

    def answer(data: bytes, request: Request) -> bytes:
        question = model.put(data)
        return _output(model, question, question, question.sampling(request))

    return answer


def shorter_prompt(model: LanguageModel) -> Answering:
    """Only the last three quarters of the prompt are read."""

    def answer(data: bytes, request: Request) -> bytes:
        question = model.put(data)
        prompt = question.asked.prompt
        cut = replace(question, asked=replace(question.asked, prompt=prompt[len(prompt) // 4 :]))
        return _output(model, cut, question, question.sampling(request))

    return answer


def hotter(model: LanguageModel) -> Answering:
    """At temperature 1 in place of 0.8."""

    def answer(data: bytes, request: Request) -> bytes:
        question = model.put(data)
        return _output(
            model, question, question, replace(question.sampling(request), temperature=1000)
        )

    return answer


def another_seed(model: LanguageModel) -> Answering:
    """The best of another draw, as if it were this request's."""

    def answer(data: bytes, request: Request) -> bytes:
        question = model.put(data)
        other = question.sampling(replace(request, nonce=request.nonce + 1))
        return _output(model, question, question, other)

    return answer


def edited(model: LanguageModel) -> Answering:
    """One token is put to its runner-up, and the others stay."""

    def answer(data: bytes, request: Request) -> bytes:
        question = model.put(data)
        sampling = question.sampling(request)
        right = Output.decode(_output(model, question, question, sampling))
        editor = _Editor(right, sampling)
        model.engine.generate(question.asked.prompt, editor.choose).wait()
        text = question.answer()
        for token in editor.tokens:
            text.add(token)
        return replace(
            right, tokens=tuple(editor.tokens), text_hash=keccak256(text.text().encode())
        ).encode()

    return answer


@dataclass
class _Editor:
    right: Output
    sampling: Sampling

    def __post_init__(self) -> None:
        self.tokens: list[int] = []

    def choose(self, logits: Row) -> int | None:
        step = len(self.tokens)
        token = self.right.tokens[step]
        if step == _PLACE:
            fixed = fixed_logits(logits).copy()
            fixed[token] = fixed.min()
            token = candidates(fixed, self.sampling, step).token
        self.tokens.append(token)
        return token if len(self.tokens) < len(self.right.tokens) else None


def _output(model: LanguageModel, read: Question, asked: Question, sampling: Sampling) -> bytes:
    found = Generation(model.engine, read, sampling, lambda part: None).wait()
    prompt = asked.asked.prompt
    return replace(found, prompt_tokens=len(prompt), prompt_hash=hash_tokens(prompt)).encode()


def answers(answering: Answering, count: int, first: int = 0, **fields: object) -> list[Answer]:
    """Answers to the same requests, whoever gives them."""
    found = []
    for number in range(first, first + count):
        data = body(number, **fields)
        request = Request(b"\1" * 32, b"\2" * 20, keccak256(data), b"\3" * 20, 70 + number, 2**40)
        found.append(Answer(data, request, answering(data, request)))
    return found
