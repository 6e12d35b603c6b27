"""Hostile bodies: one line, soon, whatever they are."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.errors import BodyRefusedError
from tallystick.llm.body import _READERS, read_body
from tallystick.llm.neutral import NAMES
from tallystick.llm.strict_json import parse_object

HOSTILE = {
    "deep": b'{"metadata":' + b"[" * 10**6,
    "deep objects": b'{"a":' * 10**5,
    "a text that does not end": b'{"prompt":"' + b'\\"' * 500_000,
    "backslashes": b'{"prompt":"' + b"\\" * 1_000_001,
    "quotes": b'"' * 10**6,
    "a long number": b'{"seed":' + b"9" * 10**6 + b"}",
    "a long fraction": b'{"seed":0.' + b"9" * 10**6 + b"}",
    "many names": b'{"a":1,' * 10 + b",".join(b'"a":1' for _ in range(10**5)) + b"}",
    "names twice": b"{" + b",".join(b'"%d":1' % (n % 5000) for n in range(5001)) + b"}",
    "nulls": b"\0" * 10**5,
}

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=6,
)


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_read_body__hostile__is_refused_in_one_line_within_two_seconds(body: bytes) -> None:
    begun = time.process_time()

    with pytest.raises(BodyRefusedError) as caught:
        read_body(body)

    assert time.process_time() - begun < 2
    assert "\n" not in str(caught.value)


@given(st.text().filter(lambda name: name not in ("prompt", *_READERS, *NAMES)))
def test_read_body__unknown_name__is_told_in_one_short_line(name: str) -> None:
    with pytest.raises(BodyRefusedError) as caught:
        read_body(json.dumps({"prompt": "x", name * 50: 1}).encode())

    assert caught.value.param == name * 50
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 200


@given(st.binary() | st.text().map(str.encode))
def test_read_body__any_bytes__are_refused_at_most(body: bytes) -> None:
    with pytest.raises(BodyRefusedError):
        read_body(body)


@given(st.dictionaries(st.text(), values, max_size=4), st.booleans())
def test_parse_object__what_json_writes__is_what_it_reads(value: dict, ascii_only: bool) -> None:
    body = json.dumps(value, ensure_ascii=ascii_only).encode()

    assert json.loads(body) == value
    assert json.dumps(parse_object(body), default=lambda one: int(one.literal)) == json.dumps(value)


@given(
    st.sampled_from(
        ["messages", "prompt", "max_tokens", "temperature", "min_p", "stop", "stream_options", "n"]
    ),
    values,
)
def test_read_body__any_value_of_a_field__is_read_or_refused_by_a_part_of_it(
    name: str, value: object
) -> None:
    try:
        fields = read_body(json.dumps({name: value}).encode())
    except BodyRefusedError as error:
        assert (error.param or name).startswith((name, "messages"))
        assert error.status == 400
        return
    assert (fields.messages is None) != (fields.prompt is None)
