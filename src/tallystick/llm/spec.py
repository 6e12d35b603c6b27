"""Specs of LLM-1, as the text whose keccak256 is a model's specHash."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tallystick.errors import FieldError
from tallystick.llm.verdicts import Mean, Thresholds
from tallystick.protocol.abi_words import check_bytes
from tallystick.protocol.keccak import keccak256

RUNTIME = ("libllama", "libggml", "ggml-base", "CPU kernel")
"""Libraries of an exact spec's runtime, in the order of their hashes."""
ARITHMETIC = "LLM-I8"
"""The arithmetic of integer specs; docs/llm-integer.md."""
_MOST = (1 << 32) - 1
_NUMBER = re.compile(r"0|[1-9][0-9]{0,9}")
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Profile:
    """The runtime of an exact spec."""

    runtime: tuple[bytes, ...]
    """SHA-256 of each library, as RUNTIME names them."""
    golden: bytes
    """keccak256 of the self-test's logits."""

    def __post_init__(self) -> None:
        if len(self.runtime) != len(RUNTIME):
            raise FieldError("runtime", f"{len(self.runtime)} hashes", f"{len(RUNTIME)} of them")
        for one in (*self.runtime, self.golden):
            check_bytes("hash", one, 32)


@dataclass(frozen=True, slots=True)
class Integers:
    """Comparison of an integer spec: ids are equal, on whatever machine."""


@dataclass(frozen=True, slots=True)
class Spec:
    """A way to compare answers: by integers or a profile, exactly, or by thresholds.

    It holds nothing of one model.

    >>> from tallystick.llm.verdicts import DRAFT
    >>> spec = Spec(context=2048, tokens=512, comparison=DRAFT)
    >>> print(spec.text(), end="")
    tallystick LLM-1
    kind tolerance
    renderer hf-jinja-1
    context 2048
    tokens 512
    m1 5 250
    m2 40 400
    x1 1500
    x2 3000
    >>> Spec.parse(spec.text()) == spec
    True
    """

    context: int
    """C: most tokens of prompt and answer."""
    tokens: int
    """D: most tokens of an answer where the body names no number."""
    comparison: Profile | Thresholds | Integers

    def __post_init__(self) -> None:
        for name, value, least in (("context", self.context, 2), ("tokens", self.tokens, 1)):
            if not least <= value <= _MOST:
                raise FieldError(name, value, f"an integer from {least} to {_MOST}")

    @property
    def exact(self) -> bool:
        """True if ids must be equal; False within a tolerance."""
        return not isinstance(self.comparison, Thresholds)

    @property
    def integer(self) -> bool:
        """True if models of the spec are integers, so that no runtime or processor matters."""
        return isinstance(self.comparison, Integers)

    @property
    def kind(self) -> str:
        """The spec's kind in words: exact, tolerance or integer."""
        if self.integer:
            return "integer"
        return "exact" if self.exact else "tolerance"

    def text(self) -> str:
        """Return the spec's text: lines of a key and its value, a line feed behind each."""
        return "".join(f"{line}\n" for line in self._lines())

    def spec_hash(self) -> bytes:
        """Return keccak256 of the text, 32 bytes."""
        return keccak256(self.text().encode())

    @classmethod
    def parse(cls, text: str) -> "Spec":
        """Return the spec that a text is.

        Raises:
            FieldError: it is none; a text that says the same in another way is none either.
        """
        lines = _Lines(text)
        lines.value("tallystick", "LLM-1")
        kind = lines.value("kind", "exact", "tolerance", "integer")
        lines.value("renderer", "hf-jinja-1")
        (context,), (tokens,) = lines.numbers("context", 1), lines.numbers("tokens", 1)
        comparison: Profile | Thresholds | Integers
        if kind == "integer":
            lines.value("arithmetic", ARITHMETIC)
            comparison = Integers()
        elif kind == "exact":
            comparison = Profile(
                tuple(lines.hash("runtime") for _ in RUNTIME), lines.hash("golden")
            )
        else:
            m1, m2 = (Mean(*lines.numbers(name, 2)) for name in ("m1", "m2"))
            (x1,), (x2,) = lines.numbers("x1", 1), lines.numbers("x2", 1)
            comparison = Thresholds(m1, m2, x1, x2)
        lines.end()
        return cls(context, tokens, comparison)

    def _lines(self) -> Iterator[str]:
        yield "tallystick LLM-1"
        yield f"kind {self.kind}"
        yield "renderer hf-jinja-1"
        yield f"context {self.context}"
        yield f"tokens {self.tokens}"
        if isinstance(self.comparison, Profile):
            yield from (f"runtime {one.hex()}" for one in self.comparison.runtime)
            yield f"golden {self.comparison.golden.hex()}"
        elif isinstance(self.comparison, Integers):
            yield f"arithmetic {ARITHMETIC}"
        else:
            for name, mean in (("m1", self.comparison.m1), ("m2", self.comparison.m2)):
                yield f"{name} {mean.a} {mean.b}"
            yield f"x1 {self.comparison.x1}"
            yield f"x2 {self.comparison.x2}"


class _Lines:
    """Lines of a text, each of the one key that may stand there."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._place = 0

    def value(self, key: str, *allowed: str) -> str:
        line = self._lines[self._place] if self._place < len(self._lines) else ""
        self._place += 1
        found, _, value = line.partition(" ")
        if found != key or (allowed and value not in allowed):
            needed = f"{key} {' or '.join(allowed) or '...'}"
            raise FieldError(f"line {self._place} of the spec", repr(line), needed)
        return value

    def numbers(self, key: str, count: int) -> list[int]:
        texts = self.value(key).split(" ")
        if len(texts) != count or not all(map(_NUMBER.fullmatch, texts)):
            needed = f"{count} whole numbers below 10^10, without leading zeros"
            raise FieldError(f"{key} of the spec", repr(" ".join(texts)), needed)
        return [int(one) for one in texts]

    def hash(self, key: str) -> bytes:
        text = self.value(key)
        if not _HASH.fullmatch(text):
            raise FieldError(f"{key} of the spec", repr(text), "64 lower-case hex digits")
        return bytes.fromhex(text)

    def end(self) -> None:
        if self._lines[self._place :] != [""]:
            raise FieldError(
                "end of the spec", "something else", "one line feed behind the last line"
            )
