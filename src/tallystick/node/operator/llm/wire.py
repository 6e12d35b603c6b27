"""Answers as the OpenAI API has them, whole and in chunks."""

from typing import Any

from tallystick.llm.output import Finish
from tallystick.node.operator.llm.running import Running, SignedAnswer
from tallystick.protocol.hexes import to_hex

_FINISH = {Finish.END: "stop", Finish.STOP: "stop", Finish.LIMIT: "length"}


class Wire:
    """The form of one request's answer.

    Args:
        running: the answer.
        spec_hash: of the model, 32 bytes.
    """

    def __init__(self, running: Running, spec_hash: bytes) -> None:
        fields = running.fields
        self._chat = fields.messages is not None
        prefix = "chatcmpl-" if self._chat else "cmpl-"
        self._head = {
            "id": prefix + running.accepted.request.hex(),
            "created": running.created,
            "model": fields.model or to_hex(running.model_id),
            "system_fingerprint": spec_hash.hex()[:8],
        }
        self._include_usage = fields.include_usage

    def whole(self, answer: SignedAnswer) -> dict[str, Any]:
        """Return the body of a response that is no stream."""
        finish = _FINISH[answer.output.finish]
        choice: dict[str, Any] = {"index": 0, "logprobs": None, "finish_reason": finish}
        if self._chat:
            choice["message"] = {"role": "assistant", "content": answer.text, "refusal": None}
        else:
            choice["text"] = answer.text
        return {
            **self._head,
            "object": "chat.completion" if self._chat else "text_completion",
            "choices": [choice],
            "usage": _usage(answer),
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
        chunk = self._chunk({} if self._chat else "", _FINISH[answer.output.finish])
        chunks = [{**chunk, "tallystick": _word(answer)}]
        if self._include_usage:
            chunks.append({**self._chunk(None), "choices": [], "usage": _usage(answer)})
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


def _usage(answer: SignedAnswer) -> dict[str, int]:
    prompt, tokens = answer.output.prompt_tokens, len(answer.output.tokens)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": tokens,
        "total_tokens": prompt + tokens,
    }


def _word(answer: SignedAnswer) -> dict[str, Any]:
    return {
        "output": to_hex(answer.output.encode()),
        "time": answer.time,
        "signature": to_hex(answer.signature),
    }
