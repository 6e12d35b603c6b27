"""Vocabulary of a GGUF file: its metadata, and llama.cpp's tokenizer."""

from collections.abc import Mapping, Sequence
from typing import Any

from tallystick.errors import ModelRefusedError
from tallystick.llm.engine.errors import EngineError
from tallystick.llm.engine.library import Library
from tallystick.llm.vocabulary import Kind

_STRIPS = (1 << 7) | (1 << 8)
"""LLAMA_TOKEN_ATTR_LSTRIP and RSTRIP."""


class GgufVocabulary:
    """Tokens of a model; a `tallystick.llm.vocabulary.Vocabulary`. Of any thread's use.

    Kinds, spellings and ids of ends are the metadata's: what llama.cpp guesses from a token's name
    is left out.
    """

    def __init__(self, library: Library, vocab: Any, metadata: Mapping[str, Any]) -> None:
        """Read a loaded model's tokens.

        Raises:
            ModelRefusedError: its metadata has no tokens, or others than llama.cpp has.
        """
        self._library, self._vocab = library, vocab
        self.size: int = library.c.llama_vocab_n_tokens(vocab)
        self._spellings: list[str] = _list(metadata, "tokenizer.ggml.tokens", str)
        self._kinds = [Kind.NORMAL] * self.size
        if "tokenizer.ggml.token_type" in metadata:
            numbers = _list(metadata, "tokenizer.ggml.token_type", int)
            try:
                self._kinds = [Kind(number) for number in numbers]
            except ValueError as error:
                raise ModelRefusedError("tokenizer.ggml.token_type", str(error)) from None
        for name, found in (("tokens", self._spellings), ("token_type", self._kinds)):
            if len(found) != self.size:
                raise ModelRefusedError(
                    f"tokenizer.ggml.{name}", f"{len(found)} of them; llama.cpp has {self.size}"
                )
        self.bos = self._id(metadata, "bos")
        self.eos = self._id(metadata, "eos")
        self.eot = self._id(metadata, "eot")
        self.eom = self._id(metadata, "eom")
        self.add_bos: bool = library.c.llama_vocab_get_add_bos(vocab)
        self.chat_template: str | None = metadata.get("tokenizer.chat_template")
        """Text of the template, None where the file has none."""
        self._pieces: dict[int, bytes] = {}

    def kind(self, token: int) -> Kind:
        """Return a token's kind."""
        return self._kinds[token]

    def spelling(self, token: int) -> str:
        """Return a token's text as the metadata has it."""
        return self._spellings[token]

    def strips(self, token: int) -> bool:
        """Return whether the token takes spaces beside it away."""
        return bool(self._library.c.llama_vocab_get_attr(self._vocab, token) & _STRIPS)

    def piece(self, token: int) -> bytes:
        """Return the bytes that a token stands for: none for a control token.

        Raises:
            IndexError: no token has the id.
        """
        if not 0 <= token < self.size:
            raise IndexError(token)
        if token not in self._pieces:
            self._pieces[token] = self._filled(
                "char[]",
                lambda room, length: self._library.c.llama_token_to_piece(
                    self._vocab, token, room, length, 0, False
                ),
                64,
            )
        return self._pieces[token]

    def tokenize(self, text: str) -> Sequence[int]:
        """Return the tokens of a text, in which no spelling of a control token counts."""
        data = text.encode()
        found = self._filled(
            "int32_t[]",
            lambda room, length: self._library.c.llama_tokenize(
                self._vocab, data, len(data), room, length, False, False
            ),
            len(data) + 8,
        )
        return list(memoryview(found).cast("i"))

    def _filled(self, form: str, fill: Any, length: int) -> bytes:
        """Return what llama.cpp has written; a negative answer is the length that it needs."""
        ffi = self._library.ffi
        for _ in range(2):
            room = ffi.new(form, length)
            written = fill(room, length)
            if written >= 0:
                return bytes(ffi.buffer(room, written * ffi.sizeof(form.removesuffix("[]"))))
            length = -written
        raise EngineError("llama.cpp names a length and does not keep to it")

    @staticmethod
    def _id(metadata: Mapping[str, Any], name: str) -> int | None:
        key = f"tokenizer.ggml.{name}_token_id"
        found = metadata.get(key)
        if found is not None and (type(found) is not int or found < 0):
            raise ModelRefusedError(key, f"it is {found!r}")
        return found


def _list(metadata: Mapping[str, Any], key: str, kind: type) -> list[Any]:
    found = metadata.get(key)
    if not isinstance(found, list) or not all(type(one) is kind for one in found):
        raise ModelRefusedError(key, f"it is not a list of {kind.__name__}")
    return found
