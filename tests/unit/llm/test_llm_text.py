"""Texts that grow, and outputs whose form is wrong."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.errors import AnswerError, FieldError
from tallystick.llm.ending import AnswerText, shown_text
from tallystick.llm.output import Finish, Output, hash_tokens
from tallystick.llm.structure import Asked, structural_fault
from tallystick.protocol.keccak import keccak256
from tests.unit.llm.independent.answers import replaced

PIECES = [b"", *(bytes([byte]) for byte in b"aab"), b"ab", b"\xf0\x9f", b"\x98\x80", b"ba\xc3", b""]
ENDS = {0}
tokens = st.lists(st.integers(0, len(PIECES) - 1), min_size=1, max_size=12)
stops = st.lists(
    st.binary(min_size=1, max_size=3) | st.sampled_from([b"ab", b"aba", b"\x98"]), max_size=4
)


def grown(ids: list[int], with_stops: list[bytes], limit: int) -> tuple[AnswerText, list[str]]:
    text = AnswerText(PIECES.__getitem__, ENDS, with_stops, limit)
    deltas = []
    for token in ids:
        text.add(token)
        deltas.append(text.delta())
        if text.finish is not None:
            break
    return text, deltas


@given(st.binary())
def test_shown_text__any_bytes__is_as_by_the_table_of_well_formed_utf_8(data: bytes) -> None:
    assert shown_text(data).encode() == replaced(data)


@given(tokens, stops)
def test_add__token_by_token__finds_the_stop_that_the_whole_text_holds(
    ids: list[int], with_stops: list[bytes]
) -> None:
    text, _ = grown([*ids, 0], with_stops, 99)

    data = b""
    expected = Finish.END
    for token in [*ids, 0]:
        data += PIECES[token]
        if token in ENDS or any(stop in data for stop in with_stops):
            expected = Finish.END if token in ENDS else Finish.STOP
            break
    assert text.finish is expected
    cut = min((data.find(stop) for stop in with_stops if stop in data), default=len(data))
    assert text.shown() == data[:cut]


@given(tokens, stops, st.integers(1, 12))
def test_delta__joined__is_the_text_and_nothing_is_taken_back(
    ids: list[int], with_stops: list[bytes], limit: int
) -> None:
    text, deltas = grown([*ids, 0], with_stops, limit)

    assert text.finish is not None
    assert "".join(deltas) == text.text()


def test_add__answer_that_is_over__is_refused() -> None:
    text, _ = grown([0], [], 9)

    with pytest.raises(ValueError, match="over"):
        text.add(1)


outputs = st.builds(
    Output,
    st.sampled_from(Finish),
    st.integers(0, 2**32 - 1),
    st.binary(min_size=32, max_size=32),
    st.lists(st.integers(0, 2**32 - 1), max_size=9).map(tuple),
    st.binary(min_size=32, max_size=32),
)


@given(outputs)
def test_decode__encoded__is_the_output(output: Output) -> None:
    data = output.encode()

    assert Output.decode(data) == output
    assert len(data) == 78 + 4 * len(output.tokens)


@given(outputs, st.data())
def test_decode__other_bytes__are_refused_or_another_output(
    output: Output, data: st.DataObject
) -> None:
    encoded = bytearray(output.encode())
    place = data.draw(st.integers(0, len(encoded) - 1))
    encoded[place] ^= data.draw(st.integers(1, 255))

    try:
        found = Output.decode(bytes(encoded))
    except AnswerError as error:
        assert "\n" not in str(error)
        return
    assert found != output
    assert found.encode() == bytes(encoded)


@pytest.mark.parametrize(
    "data", [b"", b"LLM1", bytes(78), b"LLM1\1\0" + bytes(71), b"LLM1\1\0" + bytes(73)]
)
def test_decode__no_output__is_refused(data: bytes) -> None:
    with pytest.raises(AnswerError):
        Output.decode(data)


def test_output__field_that_does_not_fit__is_refused() -> None:
    with pytest.raises(FieldError, match="^token is"):
        Output(Finish.END, 1, bytes(32), (2**32,), bytes(32))


PROMPT = [5, 6]
RIGHT = Output(Finish.STOP, 2, hash_tokens(PROMPT), (1, 3, 1, 3), keccak256(b"ab"))
ASKED = Asked(PROMPT, 4, [b"ab"], len(PIECES), ENDS, PIECES.__getitem__)


def test_structural_fault__right_form__is_none() -> None:
    right = replace(RIGHT, tokens=(1, 3), text_hash=keccak256(b""))

    assert structural_fault(right, ASKED) is None


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"prompt_tokens": 3}, "prompt of 3 tokens; needed: 2"),
        ({"prompt_hash": bytes(32)}, "another prompt"),
        ({"tokens": ()}, "0 tokens; needed: 1 to 4"),
        ({"tokens": (1,) * 5}, "5 tokens; needed: 1 to 4"),
        ({"tokens": (1, len(PIECES))}, "token 9 is none of 9"),
        ({"tokens": (1, 3, 1)}, "goes on behind token 2"),
        ({"tokens": (1, 0, 1)}, "goes on behind token 2"),
        ({"tokens": (1, 1)}, "does not end with its last token"),
        ({"tokens": (1, 3), "finish": Finish.LIMIT}, "finish is 1; needed: 2"),
        ({"tokens": (1, 1, 1, 1), "finish": Finish.STOP}, "finish is 2; needed: 1"),
        ({"tokens": (1, 3), "text_hash": keccak256(b"ab")}, "text is another one"),
    ],
)
def test_structural_fault__wrong_form__is_told(changes: dict, fault: str) -> None:
    assert fault in (structural_fault(replace(RIGHT, **changes), ASKED) or "")
