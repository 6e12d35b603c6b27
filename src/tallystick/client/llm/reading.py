"""Answers as operators send them, read with care: whole, or as server-sent events."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json

from tallystick.client.llm.errors import StoppedError
from tallystick.errors import AnswerError
from tallystick.protocol.validation import first_fault

MOST_BYTES = 64 << 20
"""Bytes of a response that are read at most."""

_Hex = Annotated[str, Field(pattern="^0x([0-9a-fA-F]{2})*$")]
_Signature = Annotated[str, Field(pattern="^0x[0-9a-fA-F]{130}$")]
_Count = Annotated[int, Field(ge=0, lt=1 << 64)]


class _Part(BaseModel):
    """Further fields are passed over: nothing of them reaches whoever asked."""

    model_config = ConfigDict(extra="ignore", strict=True)


class WordSaid(_Part):
    """The operator's word on an answer."""

    output: _Hex
    time: _Count
    signature: _Signature


class UsageSaid(_Part):
    """Numbers of tokens."""

    prompt_tokens: _Count
    completion_tokens: _Count
    total_tokens: _Count


class _Content(_Part):
    content: str | None = None


class _Choice(_Part):
    message: _Content | None = None
    delta: _Content | None = None
    text: str | None = None
    finish_reason: str | None = None

    @property
    def said(self) -> str:
        holder = self.message or self.delta
        return (holder.content if holder else self.text) or ""


class _Body(_Part):
    id: str
    choices: Annotated[list[_Choice], Field(max_length=1)]
    usage: UsageSaid | None = None
    tallystick: WordSaid | None = None


@dataclass(frozen=True, slots=True)
class ReadAnswer:
    """A complete answer as it was said; nothing of it is checked."""

    id: str
    text: str
    finish: str
    usage: UsageSaid | None
    """None: it was not asked for."""
    word: WordSaid


class AnswerReader:
    """Takes the bytes of a response as they come.

    Args:
        stream: it is server-sent events.
        usage: it says numbers of tokens.

    >>> reader = AnswerReader(stream=True, usage=False)
    >>> reader.feed(b': generating\\n\\ndata: {"id": "a", "choices": [{"text": "Hi"}]}\\n\\n')
    ['', 'Hi']
    """

    def __init__(self, stream: bool, usage: bool) -> None:
        self._stream, self._needs_usage = stream, usage or not stream
        self._size, self._rest = 0, b""
        self._texts: list[str] = []
        self._id, self._finish = "", ""
        self._usage: UsageSaid | None = None
        self._word: WordSaid | None = None
        self._done = False

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(self._texts)

    def feed(self, data: bytes) -> list[str]:
        """Take bytes, and return the text in them; an empty one for an event that has none.

        Raises:
            AnswerError: it is no answer of the API.
            StoppedError: the operator says that there will be no answer.
        """
        self._size += len(data)
        if self._size > MOST_BYTES:
            raise AnswerError(f"the answer exceeds {MOST_BYTES} bytes")
        self._rest += data
        if not self._stream:
            return []
        *events, self._rest = self._rest.split(b"\n\n")
        return [part for event in events for part in self._event(event)]

    def answer(self) -> ReadAnswer:
        """Return the answer at the response's end.

        Raises:
            AnswerError: it is no answer of the API.
            StoppedError: it is not complete.
        """
        if not self._stream:
            self._take(self._rest)
            self._done = True
        if not self._done:
            raise StoppedError("the stream ends without [DONE]")
        if not self._finish or self._word is None:
            raise StoppedError("no word on the answer was given")
        if self._needs_usage and self._usage is None:
            raise AnswerError("usage: none was given")
        return ReadAnswer(self._id, self.text, self._finish, self._usage, self._word)

    def _event(self, event: bytes) -> list[str]:
        if event.startswith(b":"):
            return [""]
        if not event.startswith(b"data: "):
            raise AnswerError("the stream holds something else than data")
        data = event.removeprefix(b"data: ")
        if data == b"[DONE]":
            self._done = True
            return []
        return self._take(data) or [""]

    def _take(self, data: bytes) -> list[str]:
        try:
            found = from_json(data)
        except ValueError as error:
            raise AnswerError(f"the answer is no JSON: {error}") from error
        if isinstance(found, dict) and "error" in found:
            raise StoppedError(_reason(found["error"]))
        try:
            body = _Body.model_validate(found)
        except ValidationError as error:
            where, reason = first_fault(error, "body")
            raise AnswerError(f"the answer is malformed: {where}: {reason}") from error
        return self._add(body)

    def _add(self, body: _Body) -> list[str]:
        if self._id not in ("", body.id):
            raise AnswerError("id: it changes midway")
        self._id = body.id
        self._usage = body.usage or self._usage
        self._word = body.tallystick or self._word
        parts = []
        for choice in body.choices:
            if choice.said:
                if self._finish:
                    raise AnswerError("text: it goes on behind the answer's end")
                self._texts.append(choice.said)
                parts.append(choice.said)
            self._finish = choice.finish_reason or self._finish
        return parts


def _reason(error: Any) -> str:
    message = error.get("message") if isinstance(error, dict) else error
    return " ".join(str(message).split())[:500]
