"""Vocabularies, as far as LLM-1 needs them: whatever runs a model supplies one."""

from collections.abc import Sequence
from enum import IntEnum
from typing import Protocol

from tallystick.errors import ModelRefusedError

GUARD = "\ue000"
"""Character that breaks spellings of control tokens in contents; a private one of Unicode."""

_END_SPELLINGS = frozenset(
    {"<|im_end|>", "<|eot_id|>", "<|endoftext|>", "<end_of_turn>", "</s>", "<|end|>"}
)


class Kind(IntEnum):
    """Kind of a token, as GGUF's tokenizer.ggml.token_type numbers it."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5
    BYTE = 6


class Vocabulary(Protocol):
    """The tokens of a model, by ids from 0, and its tokenizer. Nothing of it changes.

    Source: a GGUF's metadata, tokenizer.ggml.*, and llama.cpp's tokenizer.
    """

    @property
    def size(self) -> int:
        """Tokens that there are."""

    @property
    def bos(self) -> int | None:
        """Id of the token that begins a text, bos_token_id."""

    @property
    def add_bos(self) -> bool:
        """True if each prompt begins with it, add_bos_token."""

    @property
    def eos(self) -> int | None:
        """Id of the token that ends a text, eos_token_id."""

    @property
    def eot(self) -> int | None:
        """Id of the token that ends a turn, eot_token_id."""

    @property
    def eom(self) -> int | None:
        """Id of the token that ends a message, eom_token_id."""

    def kind(self, token: int) -> Kind:
        """Return a token's kind."""

    def spelling(self, token: int) -> str:
        """Return a token's text as the metadata has it."""

    def strips(self, token: int) -> bool:
        """Return whether the token takes spaces beside it away (lstrip, rstrip)."""

    def piece(self, token: int) -> bytes:
        """Return the bytes that a token stands for: llama_token_to_piece, lstrip 0, special off."""

    def tokenize(self, text: str) -> Sequence[int]:
        """Return the tokens of a text: llama_tokenize, add_special and parse_special off."""


def token_bytes(vocabulary: Vocabulary, token: int) -> bytes:
    """Return the bytes that a token adds to an answer: none for a control token."""
    return b"" if vocabulary.kind(token) is Kind.CONTROL else vocabulary.piece(token)


def end_ids(vocabulary: Vocabulary) -> frozenset[int]:
    """Return the tokens that end an answer: E.

    These are the metadata's eos, eot and eom, and control tokens of six spellings; a runtime's own
    guess counts for nothing.
    """
    named = {vocabulary.eos, vocabulary.eot, vocabulary.eom} - {None}
    spelled = {
        token
        for token in range(vocabulary.size)
        if vocabulary.kind(token) is Kind.CONTROL and vocabulary.spelling(token) in _END_SPELLINGS
    }
    return frozenset(token for token in named | spelled if token is not None)


def check_vocabulary(vocabulary: Vocabulary) -> None:
    """Refuse a vocabulary with which LLM-1 can't tell prompts apart from their messages.

    Raises:
        ModelRefusedError: no tokens; a token strips spaces; a control token of one character, which
            nothing can break, or one that holds U+E000; an id of the metadata that no token has; a
            BOS is to be added, and there is none.
    """
    if vocabulary.size < 1:
        raise ModelRefusedError("tokens", "there are none")
    for name in ("bos", "eos", "eot", "eom"):
        token = getattr(vocabulary, name)
        if token is not None and not 0 <= token < vocabulary.size:
            raise ModelRefusedError(
                f"{name}_token_id", f"it is {token} of {vocabulary.size} tokens"
            )
    if vocabulary.add_bos and vocabulary.bos is None:
        raise ModelRefusedError("bos_token_id", "there is none to be added")
    for token in range(vocabulary.size):
        if vocabulary.strips(token):
            raise ModelRefusedError(f"token {token}", "it strips the spaces beside it")
        if vocabulary.kind(token) not in (Kind.CONTROL, Kind.USER_DEFINED):
            continue
        spelling = vocabulary.spelling(token)
        if GUARD in spelling:
            raise ModelRefusedError(f"token {token}", "its spelling holds U+E000")
        if len(spelling) == 1 and vocabulary.kind(token) is Kind.CONTROL:
            raise ModelRefusedError(f"token {token}", "a control token spelled by one character")
