"""Answers as the OpenAI API has them, whole and in chunks."""

from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json

from tallystick.llm.body import Fields
from tallystick.llm.output import Finish, Output
from tallystick.protocol.hexes import to_hex

DONE = b"data: [DONE]\n\n"
"""Last event of a stream that came to its end."""
_ERRORS = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}
FINISHES = {Finish.END: "stop", Finish.STOP: "stop", Finish.LIMIT: "length"}
"""The API's finish_reason by that of an output."""


@dataclass(frozen=True, slots=True)
class SignedAnswer:
    """A complete answer under the operator's word."""

    output: Output
    text: str
    time: int
    """Of the acknowledgement, Unix seconds."""
    signature: bytes
    """65 bytes, of the Acknowledgement of this one request."""


class Wire:
    """The form of one request's answer.

    Args:
        fields: of the body.
        request: hashStruct of the Request, 32 bytes.
        model_id: 32 bytes.
        created: Unix seconds.
        spec_hash: of the model, 32 bytes; None: it is not known.
    """

    def __init__(
        self,
        fields: Fields,
        request: bytes,
        model_id: bytes,
        created: int,
        spec_hash: bytes | None = None,
    ) -> None:
        self._chat = fields.messages is not None
        self.id = answer_id(request, self._chat)
        self._head = {
            "id": self.id,
            "created": created,
            "model": fields.model or to_hex(model_id),
            "system_fingerprint": None if spec_hash is None else spec_hash.hex()[:8],
        }
        self._include_usage = fields.include_usage

    def whole(self, answer: SignedAnswer) -> dict[str, Any]:
        """Return the body of a response that is no stream."""
        finish = FINISHES[answer.output.finish]
        choice: dict[str, Any] = {"index": 0, "logprobs": None, "finish_reason": finish}
        if self._chat:
            choice["message"] = {"role": "assistant", "content": answer.text, "refusal": None}
        else:
            choice["text"] = answer.text
        return {
            **self._head,
            "object": "chat.completion" if self._chat else "text_completion",
            "choices": [choice],
            "usage": usage_of(answer.output),
            "tallystick": _word(answer),
        }

    def first(self) -> list[dict[str, Any]]:
        """Return the chunks before any text."""
        return [self._chunk({"role": "assistant", "content": ""})] if self._chat else []

    def part(self, text: str) -> dict[str, Any]:
        """Return the chunk of a part of the text."""
        return self._chunk({"content": text} if self._chat else text)

    def last(self, answer: SignedAnswer) -> list[dict[str, Any]]:
        """Return the chunks behind the text; the first carries the operator's word."""
        chunk = self._chunk({} if self._chat else "", FINISHES[answer.output.finish])
        chunks = [{**chunk, "tallystick": _word(answer)}]
        if self._include_usage:
            chunks.append({**self._chunk(None), "choices": [], "usage": usage_of(answer.output)})
        return chunks

    def _chunk(self, content: Any, finish: str | None = None) -> dict[str, Any]:
        choice = {
            "index": 0,
            "delta" if self._chat else "text": content,
            "logprobs": None,
            "finish_reason": finish,
        }
        kind = "chat.completion.chunk" if self._chat else "text_completion"
        usage: dict[str, Any] = {"usage": None} if self._include_usage else {}
        return {**self._head, "object": kind, "choices": [choice], **usage}


def answer_id(request: bytes, chat: bool) -> str:
    """Return the id of a request's answer.

    Args:
        request: hashStruct of the Request, 32 bytes.
        chat: it is an answer to messages.
    """
    return ("chatcmpl-" if chat else "cmpl-") + request.hex()


def usage_of(output: Output) -> dict[str, int]:
    """Return an output's numbers of tokens, as the API has them."""
    prompt, tokens = output.prompt_tokens, len(output.tokens)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": tokens,
        "total_tokens": prompt + tokens,
    }


def error_body(
    status: int, message: str, param: str | None = None, code: str | None = None
) -> dict[str, Any]:
    """Return the body of a refusal.

    Args:
        status: of HTTP.
        message: one line.
        param: the parameter that is wrong, or None.
        code: word for the cause, or None.
    """
    kind = _ERRORS.get(status) or ("invalid_request_error" if status < 500 else "server_error")
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def event(chunk: Any) -> bytes:
    """Return a chunk of a stream as a server-sent event."""
    return b"data: " + to_json(chunk) + b"\n\n"


def _word(answer: SignedAnswer) -> dict[str, Any]:
    return {
        "output": to_hex(answer.output.encode()),
        "time": answer.time,
        "signature": to_hex(answer.signature),
    }
