"""Vocabularies: which tokens end an answer, and with which none can be judged."""

from dataclasses import replace

import pytest

from tallystick.errors import ModelRefusedError
from tallystick.llm.vocabulary import Kind, check_vocabulary, end_ids, token_bytes
from tests.unit.llm.vocabularies import SmallVocabulary

PLAIN = SmallVocabulary(
    [
        ("<unk>", Kind.UNKNOWN),
        ("<s>", Kind.CONTROL),
        ("</s>", Kind.CONTROL),
        ("<|im_end|>", Kind.NORMAL),
        ("<|eot_id|>", Kind.USER_DEFINED),
        ("<|end|>", Kind.CONTROL),
        ("<reponame>", Kind.CONTROL),
        ("a", Kind.NORMAL),
        ("b", Kind.USER_DEFINED),
        ("<stop>", Kind.NORMAL),
    ],
    bos=1,
)


def test_end_ids__control_spellings_and_metadata__are_all() -> None:
    assert end_ids(PLAIN) == {2, 5}
    assert end_ids(replace(PLAIN, eos=9, eot=0, eom=2)) == {0, 2, 5, 9}


def test_token_bytes__control__are_none() -> None:
    assert [token_bytes(PLAIN, token) for token in (2, 4, 7)] == [b"", b"<|eot_id|>", b"a"]


def test_check_vocabulary__plain__is_taken() -> None:
    check_vocabulary(PLAIN)


def with_token(spelling: str, kind: Kind) -> SmallVocabulary:
    return replace(PLAIN, tokens=[*PLAIN.tokens, (spelling, kind)])


@pytest.mark.parametrize(
    ("vocabulary", "reason"),
    [
        (replace(PLAIN, tokens=[], bos=None), "^tokens: there are none"),
        (replace(PLAIN, bos=None, add_bos=True), "^bos_token_id: there is none"),
        (replace(PLAIN, eot=10), "^eot_token_id: it is 10 of 10"),
        (replace(PLAIN, stripping=frozenset({7})), "^token 7: it strips"),
        (with_token("c", Kind.CONTROL), "^token 10: a control token spelled by one"),
        (with_token("<\ue000>", Kind.USER_DEFINED), "^token 10: its spelling holds U"),
    ],
)
def test_check_vocabulary__nothing_to_be_judged_with__is_refused(
    vocabulary: SmallVocabulary, reason: str
) -> None:
    with pytest.raises(ModelRefusedError, match=reason):
        check_vocabulary(vocabulary)
