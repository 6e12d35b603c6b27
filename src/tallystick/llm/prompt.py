"""Prompts: the tokens that a body's messages or text become."""

from collections.abc import Callable, Sequence

from tallystick.errors import BodyRefusedError
from tallystick.llm.body import Fields
from tallystick.llm.messages import Message
from tallystick.llm.output import FIXED_BYTES
from tallystick.llm.spellings import Spellings
from tallystick.llm.vocabulary import GUARD, Vocabulary

Render = Callable[[Sequence[Message]], str]
"""A chat template with its vocabulary's bos and eos: `Renderer.render` or `Template.render`."""

_TOO_LONG = "context_length_exceeded"


class PromptBuilder:
    """Everything of a model that makes prompts."""

    def __init__(self, vocabulary: Vocabulary, render: Render, context: int) -> None:
        """Compile the vocabulary's spellings.

        Args:
            vocabulary: the model's.
            render: its chat template.
            context: C of the spec, in tokens.
        """
        self._vocabulary, self._render, self._context = vocabulary, render, context
        self._spellings = Spellings(vocabulary)

    def build(self, fields: Fields) -> tuple[int, ...]:
        """Return a body's prompt, one id or more and fewer than the context's.

        Raises:
            BodyRefusedError: a content holds U+E000, the template refuses the messages, or the
                prompt is empty or fills the context.
            RunnerError: the template takes too long.
        """
        ids: list[int] = []
        for part in self._parts(fields):
            ids += [part] if isinstance(part, int) else self._vocabulary.tokenize(part)
        bos = self._vocabulary.bos
        if self._vocabulary.add_bos and bos is not None and ids[:1] != [bos]:
            ids.insert(0, bos)
        if not 0 < len(ids) < self._context:
            name = "prompt" if fields.messages is None else "messages"
            reason = f"{len(ids)} tokens; needed: 1 to {self._context - 1}"
            raise BodyRefusedError(name, reason, code=_TOO_LONG)
        return tuple(ids)

    def _parts(self, fields: Fields) -> list[int | str]:
        """Return tokens, and texts that are not split any further."""
        if fields.messages is None:
            return [fields.prompt or ""]
        text = self._render([self._guarded(*one) for one in enumerate(fields.messages)])
        return self._spellings.split(text)

    def _guarded(self, place: int, message: Message) -> Message:
        if GUARD in message.content:
            raise BodyRefusedError(f"messages[{place}].content", "it holds U+E000")
        return Message(message.role, self._spellings.guard(message.content))


def answer_limit(fields: Fields, prompt: int, context: int, tokens: int) -> int:
    """Return the most tokens of an answer.

    Args:
        fields: of the body.
        prompt: tokens of the prompt.
        context: C of the spec.
        tokens: D of the spec.

    >>> answer_limit(Fields(prompt=""), prompt=90, context=100, tokens=256)
    10
    """
    return min(tokens if fields.max_tokens is None else fields.max_tokens, context - prompt)


def check_size(body: bytes, limit: int, most: int) -> None:
    """Refuse a body whose answer could be too large for the network.

    Args:
        body: as it came.
        limit: most tokens of the answer.
        most: maxBytes of the network's rules; 0: any size.

    Raises:
        BodyRefusedError: body and output can be more together, with status 413.
    """
    size = len(body) + FIXED_BYTES + 4 * limit
    if most and size > most:
        reason = f"body and answer can be {size} bytes; the network takes {most}"
        raise BodyRefusedError(None, reason, status=413)
