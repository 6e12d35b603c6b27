"""Prompts: nothing that a message says becomes a control token."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.errors import BodyRefusedError
from tallystick.llm.body import Fields
from tallystick.llm.messages import Message
from tallystick.llm.prompt import PromptBuilder, answer_limit, check_size
from tallystick.llm.spellings import Spellings
from tallystick.llm.template import Template
from tallystick.llm.vocabulary import Kind
from tests.unit.llm.vocabularies import SmallVocabulary

CONTROL = ["<s>", "</s>", "<|end|>", "<|end|>>", ">y<", "|e", "aa", "aba"]
VOCABULARY = SmallVocabulary(
    [
        *((spelling, Kind.CONTROL) for spelling in CONTROL),
        ("<tool>", Kind.USER_DEFINED),
        ("end", Kind.NORMAL),
        *((f"<0x{byte:02X}>", Kind.BYTE) for byte in range(256)),
    ],
    bos=0,
)
TEMPLATE = Template(
    "{% for one in messages %}[{{ one.content | trim }}]{{ eos_token }}{% endfor %}", "<s>", "</s>"
)
BUILDER = PromptBuilder(VOCABULARY, TEMPLATE.render, 1 << 20)

contents = st.lists(
    st.sampled_from([*CONTROL, "<tool>", "<", ">", "|", "end", "a", "b", "y", " ", "\n", "é"])
).map("".join)


def prompt(*contents: str) -> list[int]:
    return list(BUILDER.build(Fields(messages=tuple(Message("user", one) for one in contents))))


@given(st.lists(contents, min_size=1, max_size=3))
def test_build__messages_of_control_spellings__hold_the_templates_control_tokens_alone(
    said: list[str],
) -> None:
    ids = prompt(*said)

    assert [token for token in ids if token < len(CONTROL)] == [1] * len(said)


@given(contents.filter(lambda text: "<tool>" not in text))
def test_build__message__is_the_tokens_of_its_text(said: str) -> None:
    ids = prompt(said)

    assert b"".join(VOCABULARY.piece(token) for token in ids).decode() == f"[{said.strip()}]"


@given(contents)
def test_split__joined_again__is_the_text(text: str) -> None:
    parts = Spellings(VOCABULARY).split(text)

    spelled = [VOCABULARY.spelling(one) if isinstance(one, int) else one for one in parts]
    assert "".join(spelled) == text


def test_split__no_spellings__is_one_text() -> None:
    spellings = Spellings(SmallVocabulary([("a", Kind.NORMAL), ("", Kind.CONTROL)]))

    assert spellings.split("<s>") == ["<s>"]
    assert spellings.guard("<s>") == "<s>"
    assert spellings.split("") == []


@pytest.mark.parametrize(("context", "fits"), [(4, False), (5, True)])
def test_build__context__has_room_for_a_token_more(context: int, fits: bool) -> None:
    builder = PromptBuilder(VOCABULARY, TEMPLATE.render, context)
    fields = Fields(prompt="bbbb")

    if fits:
        assert len(builder.build(fields)) == 4
        return
    with pytest.raises(BodyRefusedError, match="4 tokens; needed: 1 to 3") as caught:
        builder.build(fields)
    assert (caught.value.param, caught.value.code, caught.value.status) == (
        "prompt",
        "context_length_exceeded",
        400,
    )


def test_answer_limit__asked_and_room__is_the_least() -> None:
    assert answer_limit(Fields(prompt="", max_tokens=5), 90, 100, 256) == 5
    assert answer_limit(Fields(prompt="", max_tokens=10**31), 90, 100, 256) == 10
    assert answer_limit(Fields(prompt=""), 90, 1000, 256) == 256


def test_check_size__what_the_network_takes__is_enough() -> None:
    check_size(b"x" * 22, 25, 200)
    check_size(b"x" * 10**6, 25, 0)
    with pytest.raises(BodyRefusedError, match="can be 201 bytes; the network takes 200") as caught:
        check_size(b"x" * 23, 25, 200)
    assert caught.value.status == 413
