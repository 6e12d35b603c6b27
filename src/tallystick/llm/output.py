"""The output of an inference: the tokens of an answer, and hashes of its prompt and text.

    "LLM1" | u8 version 1 | u8 finish | u32 prompt's tokens | keccak256(prompt's tokens, u32 each)
    | u32 n | n * u32 tokens, the one that ends it too | keccak256(text)

Integers are big-endian, and nothing follows: 78 + 4 n bytes. traceRoot of its leaf is zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from struct import Struct

from tallystick.errors import AnswerError
from tallystick.protocol.abi_words import check_bytes, check_uint
from tallystick.protocol.keccak import keccak256

_MAGIC = b"LLM1"
_VERSION = 1
_HEAD = Struct(">4sBBI32sI")
FIXED_BYTES = _HEAD.size + 32
"""Bytes of an output without tokens."""


class Finish(IntEnum):
    """Reason why an answer ends."""

    END = 0
    """A token of the vocabulary that ends answers."""
    LIMIT = 1
    """As many tokens as were asked for, or fit."""
    STOP = 2
    """A text at which the requester wants it to stop."""


@dataclass(frozen=True, slots=True)
class Output:
    """An answer, as its inference's output has it.

    >>> prompt_hash = hash_tokens([1, 2, 3])
    >>> output = Output(Finish.LIMIT, 3, prompt_hash, (7, 8), keccak256(b"hi"))
    >>> keccak256(output.encode()).hex()[:16], Output.decode(output.encode()) == output
    ('6513c280f33550e3', True)
    """

    finish: Finish
    prompt_tokens: int
    prompt_hash: bytes
    """`hash_tokens` of the prompt; it finds where two disagree, and proves nothing."""
    tokens: tuple[int, ...]
    text_hash: bytes
    """keccak256 of the text in UTF-8."""

    def __post_init__(self) -> None:
        check_uint("prompt_tokens", self.prompt_tokens, 32)
        check_bytes("prompt_hash", self.prompt_hash, 32)
        for token in self.tokens:
            check_uint("token", token, 32)
        check_bytes("text_hash", self.text_hash, 32)

    def encode(self) -> bytes:
        """Return the output's bytes, 78 and 4 for each token."""
        head = _HEAD.pack(
            _MAGIC, _VERSION, self.finish, self.prompt_tokens, self.prompt_hash, len(self.tokens)
        )
        return head + _words(self.tokens) + self.text_hash

    @classmethod
    def decode(cls, data: bytes) -> "Output":
        """Return what an output's bytes say.

        Raises:
            AnswerError: they are no output of LLM-1, version 1.
        """
        if len(data) < FIXED_BYTES:
            raise AnswerError(f"an output of {len(data)} bytes; needed: at least {FIXED_BYTES}")
        magic, version, finish, prompt_tokens, prompt_hash, count = _HEAD.unpack_from(data)
        if magic != _MAGIC or version != _VERSION:
            raise AnswerError("the output does not begin as LLM-1's, version 1")
        if finish not in list(Finish):
            raise AnswerError(f"the output's finish is {finish}; needed: 0, 1 or 2")
        if len(data) != FIXED_BYTES + 4 * count:
            size = FIXED_BYTES + 4 * count
            raise AnswerError(f"an output of {len(data)} bytes for {count} tokens; needed: {size}")
        tokens = Struct(f">{count}I").unpack_from(data, _HEAD.size)
        return cls(Finish(finish), prompt_tokens, prompt_hash, tokens, data[-32:])


def hash_tokens(tokens: Sequence[int]) -> bytes:
    """Return keccak256 of tokens, 4 bytes each, big-endian."""
    return keccak256(_words(tokens))


def _words(tokens: Sequence[int]) -> bytes:
    return Struct(f">{len(tokens)}I").pack(*tokens)
