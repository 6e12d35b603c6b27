"""Reading an operator's answer: what is taken, and what is refused."""

import json

import pytest

from tallystick.client.llm.errors import ApiRefusedError, StoppedError
from tallystick.client.llm.reading import AnswerReader
from tallystick.errors import AnswerError

WORD = {"output": "0x00", "time": 5, "signature": "0x" + 130 * "1"}
USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}


def event(**fields) -> bytes:
    return b"data: " + json.dumps({"id": "a", "choices": [], **fields}).encode() + b"\n\n"


def delta(text: str, **fields) -> bytes:
    return event(choices=[{"delta": {"content": text}, "finish_reason": None}], **fields)


LAST = event(choices=[{"delta": {}, "finish_reason": "stop"}], tallystick=WORD)
DONE = b"data: [DONE]\n\n"


def test_feed__bytes_cut_anywhere__same_text() -> None:
    data = b": generating\n\n" + delta("Hé") + delta("llo\n\n") + LAST + event(usage=USAGE) + DONE
    for size in (1, 7, len(data)):
        reader = AnswerReader(stream=True, usage=True)
        parts = [
            part
            for start in range(0, len(data), size)
            for part in reader.feed(data[start : start + size])
        ]
        said = reader.answer()
        assert "".join(parts) == said.text == "Héllo\n\n"
        assert (said.finish, said.usage and said.usage.total_tokens) == ("stop", 3)


def test_feed__fields_that_nobody_checks__are_passed_over() -> None:
    tools = {"delta": {"content": "Hi", "tool_calls": [{"id": "rm"}]}, "finish_reason": None}
    reader = AnswerReader(stream=True, usage=False)
    assert reader.feed(event(choices=[tools], secret=1)) == ["Hi"]


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"data: {\n\n", "no JSON"),
        (b"event: x\n\n", "something else than data"),
        (event(choices=[{"delta": {}}] * 2), "choices"),
        (event(id=5), "id"),
        (delta("a") + delta("b", id="other"), "id: it changes"),
        (LAST + delta("more"), "behind the answer's end"),
        (event(tallystick={**WORD, "time": -1}), "tallystick.time"),
    ],
)
def test_feed__no_answer_of_the_api__refused_by_its_fault(data: bytes, named: str) -> None:
    reader = AnswerReader(stream=True, usage=False)
    with pytest.raises(AnswerError, match=named):
        reader.feed(data)


@pytest.mark.parametrize("data", [delta("a"), delta("a") + DONE, delta("a") + LAST])
def test_answer__stream_without_its_end__was_stopped(data: bytes) -> None:
    reader = AnswerReader(stream=True, usage=False)
    reader.feed(data)
    with pytest.raises(StoppedError):
        reader.answer()


def test_answer__usage_that_was_asked_for_and_is_missing__refused() -> None:
    reader = AnswerReader(stream=True, usage=True)
    reader.feed(delta("a") + LAST + DONE)
    with pytest.raises(AnswerError, match="usage"):
        reader.answer()


def test_refusal__from_bytes__one_line_and_its_kind() -> None:
    said = {"error": {"message": "a\nb", "type": "x", "param": "top_p", "code": None}}
    refused = ApiRefusedError.of(400, json.dumps(said).encode(), None)
    assert refused.error["message"] == "a b" and refused.of_body and not refused.busy
    said["error"]["code"] = "nonce_taken"
    taken = ApiRefusedError.of(400, json.dumps(said).encode(), None)
    assert taken.of_nonce and not taken.of_body
    for wrong in (b"", b"[]", b'{"error": "no"}', b'{"error": {}}'):
        none = ApiRefusedError.of(503, wrong, "soon")
        assert none.busy and none.retry_after is None and "no reason" in str(none)
