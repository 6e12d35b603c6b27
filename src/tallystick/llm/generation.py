"""Answers that are being generated, and the part of their text that can be shown already."""

from collections.abc import Callable
from typing import Any

from tallystick.llm.engine.protocol import Engine, Row
from tallystick.llm.output import Output, hash_tokens
from tallystick.llm.question import Question
from tallystick.llm.sampler import Sampling, candidates, fixed_logits
from tallystick.protocol.keccak import keccak256

Show = Callable[[str], None]
"""Take the next part of an answer's text, from the engine's thread; must not wait."""


class Generation:
    """An answer that an engine generates by LLM-1's rule, token by token.

    Args:
        engine: runs the model.
        question: the body that was put.
        sampling: chance of the answer.
        show: takes the text as it grows; joined, its parts are the answer's text.
    """

    def __init__(self, engine: Engine, question: Question, sampling: Sampling, show: Show) -> None:
        self._prompt, self._sampling, self._show = question.asked.prompt, sampling, show
        self._text = question.answer()
        self._tokens: list[int] = []
        self._task = engine.generate(self._prompt, self._choose)

    @property
    def tokens(self) -> int:
        """Tokens that the answer has so far."""
        return len(self._tokens)

    def cancel(self) -> None:
        """Give the answer up; there is no output."""
        self._task.cancel()

    def wait(self, timeout: float | None = None) -> Output:
        """Return the answer's output once it is complete.

        Raises:
            concurrent.futures.CancelledError: it was given up.
            TimeoutError: `timeout` seconds have passed; it goes on.
            EngineError: the engine failed.
        """
        self._task.wait(timeout)
        return self.output()

    def call_when_done(self, callback: Callable[[], Any]) -> None:
        """Call back, from the engine's thread, once the answer is complete or never will be."""
        self._task.call_when_done(callback)

    def output(self) -> Output:
        """Return the output of the complete answer.

        Raises:
            ValueError: it is not complete.
        """
        if self._text.finish is None:
            raise ValueError("the answer is not complete")
        prompt = self._prompt
        return Output(
            self._text.finish,
            len(prompt),
            hash_tokens(prompt),
            tuple(self._tokens),
            keccak256(self._text.text().encode()),
        )

    def text(self) -> str:
        """Return the text so far that nothing can take back; the whole of it at the end."""
        return self._text.text()

    def _choose(self, logits: Row) -> int | None:
        token = candidates(fixed_logits(logits), self._sampling, len(self._tokens)).token
        self._tokens.append(token)
        finish = self._text.add(token)
        if part := self._text.delta():
            self._show(part)
        return token if finish is None else None
