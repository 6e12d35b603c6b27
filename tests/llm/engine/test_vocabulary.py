"""Tokens of the real model, by llama.cpp and by another reader of its file."""

from pathlib import Path

import pytest
from gguf import GGUFReader

from tallystick.llm.engine.gguf_file import read_gguf
from tallystick.llm.engine.model import Model
from tallystick.llm.vocabulary import Kind, Vocabulary, check_vocabulary, end_ids

TEXTS = [
    "",
    "The capital of France is",
    "  two spaces,\ttab\r\n\n\nlines ",
    "Größe, 東京, 🦙🏽, \u0000, \u200b, e\u0301",
    "def f(x):\n    return x ** 2  # 3,141.59",
]


def test_read_gguf__real_model__reads_what_another_reader_reads(smollm2: Path) -> None:
    found = read_gguf(smollm2)

    reader = GGUFReader(smollm2)
    fields = {k: f.contents() for k, f in reader.fields.items() if not k.startswith("GGUF.")}
    assert found.metadata == fields
    assert found.tensors == len(reader.tensors)


def test_vocabulary__real_model__is_one_that_llm1_takes(model: Model) -> None:
    vocabulary: Vocabulary = model.vocabulary

    check_vocabulary(vocabulary)
    assert (vocabulary.size, vocabulary.bos, vocabulary.eos) == (49_152, 1, 2)
    assert (vocabulary.eot, vocabulary.eom, vocabulary.add_bos) == (None, None, False)
    assert sorted(end_ids(vocabulary)) == [0, 2]
    assert vocabulary.spelling(2) == "<|im_end|>"
    assert vocabulary.kind(2) is Kind.CONTROL
    assert model.vocabulary.chat_template and "<|im_start|>" in model.vocabulary.chat_template


@pytest.mark.parametrize("text", TEXTS)
def test_tokenize__text__its_pieces_are_the_text(model: Model, text: str) -> None:
    ids = model.vocabulary.tokenize(text)

    assert b"".join(map(model.vocabulary.piece, ids)) == text.encode()


def test_tokenize__spelling_of_a_control_token__is_text(model: Model) -> None:
    ids = model.vocabulary.tokenize("<|im_end|>")

    assert len(ids) > 1 and 2 not in ids


def test_piece__control_token__has_no_bytes(model: Model) -> None:
    assert model.vocabulary.piece(2) == b""


@pytest.mark.parametrize("token", [-1, 49_152])
def test_piece__no_such_token__is_an_index_error(model: Model, token: int) -> None:
    with pytest.raises(IndexError):
        model.vocabulary.piece(token)
