"""The spec of an ONNX model as a text, ONNX-1: its hash is the specHash (docs/models.md)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import ClassVar

from tallystick.errors import TallystickError
from tallystick.protocol.keccak import keccak256

TITLE = "tallystick ONNX-1"
MOST_BYTES = 1 << 16
_NUMBER = re.compile(r"(?:0|[1-9][0-9]{0,15})(?:\.[0-9]{0,30}[1-9])?")
_COUNT = re.compile(r"0|[1-9][0-9]{0,8}")


class SpecError(TallystickError, ValueError):
    """A text that is no ONNX-1 spec in its one form."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Distances up to which an output is good, and beyond which it is wrong."""

    good: Decimal
    wrong: Decimal

    def __str__(self) -> str:
        return f"{_text(self.good)} {_text(self.wrong)}"


@dataclass(frozen=True, slots=True)
class AllClose:
    """Largest |claimed - own| / (atol + rtol |own|) of all elements.

    >>> str(AllClose(Thresholds(Decimal(1), Decimal(4)), Decimal("0.001"), Decimal("0.00001")))
    'allclose 0.001 0.00001 1 4'
    """

    thresholds: Thresholds
    rtol: Decimal
    atol: Decimal
    """In units of the output; above 0."""
    word: ClassVar[str] = "allclose"

    def __str__(self) -> str:
        return f"{self.word} {_text(self.rtol)} {_text(self.atol)} {self.thresholds}"


@dataclass(frozen=True, slots=True)
class TopK:
    """By how much own numbers must move for the claimed places to be the k greatest of each row."""

    thresholds: Thresholds
    """In units of the output."""
    k: int = 1
    word: ClassVar[str] = "topk"

    def __str__(self) -> str:
        if self.k == 1:
            return f"argmax {self.thresholds}"
        return f"{self.word} {self.k} {self.thresholds}"


@dataclass(frozen=True, slots=True)
class Label:
    """By how much own scores must move for the claimed label to be the greatest's."""

    thresholds: Thresholds
    """In units of the scores."""
    scores: int
    """Place of the output that has the scores."""
    word: ClassVar[str] = "label"

    def __str__(self) -> str:
        return f"{self.word} {self.scores} {self.thresholds}"


@dataclass(frozen=True, slots=True)
class Same:
    """Equal, or doubtful: how far a different one is from right can't be measured."""

    word: ClassVar[str] = "same"

    def __str__(self) -> str:
        return self.word


Comparison = AllClose | TopK | Label | Same


@dataclass(frozen=True, slots=True)
class OnnxSpec:
    """An ONNX-1 spec.

    >>> print(OnnxSpec().text, end="")
    tallystick ONNX-1
    comparison exact
    """

    outputs: tuple[Comparison, ...] = ()
    """By the order of the graph; empty: all bytes are equal, or the answer is wrong."""
    sizes: Mapping[str, int] = field(default_factory=dict)
    """Free sizes that are fixed, by their names in the graph."""

    @property
    def exact(self) -> bool:
        """True where bytes decide."""
        return not self.outputs

    @property
    def text(self) -> str:
        """The text in its one form."""
        lines = [TITLE]
        lines += [f"size {self.sizes[name]} {name}" for name in sorted(self.sizes, key=_bytes)]
        lines.append("comparison exact" if self.exact else "comparison tolerance")
        lines += [f"output {place} {one}" for place, one in enumerate(self.outputs)]
        return "".join(f"{line}\n" for line in lines)

    @property
    def hash(self) -> bytes:
        """The specHash, 32 bytes."""
        return keccak256(self.text.encode())

    @classmethod
    def parse(cls, data: bytes) -> "OnnxSpec":
        """Return the spec of a text.

        Raises:
            SpecError: it is none, or not in its one form; the line is named.
        """
        if len(data) > MOST_BYTES:
            raise SpecError(f"a spec of {len(data)} bytes; needed: at most {MOST_BYTES}")
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            raise SpecError(f"a spec that is no UTF-8: {error}") from error
        lines = text.split("\n")
        if lines[0] != TITLE or lines.pop() != "":
            raise SpecError(f"needed: the line {TITLE!r} first, and LF after each line")
        found = cls._of(lines)
        if found.text != text:
            raise SpecError("the lines are not in their one order; needed: sizes ascend by name")
        return found

    @classmethod
    def _of(cls, lines: list[str]) -> "OnnxSpec":
        sizes: dict[str, int] = {}
        outputs: list[Comparison] = []
        kind = ""
        for number, line in enumerate(lines[1:], 2):
            key, _, rest = line.partition(" ")
            try:
                if key == "size" and not kind:
                    count, _, name = rest.partition(" ")
                    if not name or any(ord(letter) < 32 for letter in name) or name in sizes:
                        raise SpecError("needed: size, a space, and a name that is new")
                    sizes[name] = _count(count, 1)
                elif key == "comparison" and not kind and rest in ("exact", "tolerance"):
                    kind = rest
                elif key == "output" and kind == "tolerance":
                    outputs.append(_output(rest.split(" "), len(outputs)))
                else:
                    raise SpecError("no line that can stand here")
            except SpecError as error:
                raise SpecError(f"line {number}, {line!r}: {error}") from error
        if not kind or (kind == "tolerance" and not outputs):
            needed = "comparison exact, or comparison tolerance and a line for each output"
            raise SpecError(f"no comparison; needed: {needed}")
        for place, one in enumerate(outputs):
            if isinstance(one, Label) and (one.scores >= len(outputs) or one.scores == place):
                raise SpecError(f"output {place}: no other output {one.scores} has its scores")
        return cls(tuple(outputs), sizes)


def is_onnx_spec(data: bytes) -> bool:
    """Return whether a spec's text says that it is ONNX-1."""
    return data.partition(b"\n")[0] == TITLE.encode()


def _output(words: list[str], place: int) -> Comparison:
    if len(words) < 2 or words[0] != str(place):
        raise SpecError(f"needed: output {place} and its comparison")
    kind, arguments = words[1], words[2:]
    if kind == "same" and not arguments:
        return Same()
    if kind == "allclose" and len(arguments) == 4:
        rtol, atol = (_number(one) for one in arguments[:2])
        if not atol:
            raise SpecError("needed: atol above 0")
        return AllClose(_thresholds(arguments[2:]), rtol, atol)
    if kind == "argmax" and len(arguments) == 2:
        return TopK(_thresholds(arguments))
    if kind == "topk" and len(arguments) == 3:
        return TopK(_thresholds(arguments[1:]), _count(arguments[0], 2))
    if kind == "label" and len(arguments) == 3:
        return Label(_thresholds(arguments[1:]), _count(arguments[0], 0))
    raise SpecError(
        "needed: same, allclose RTOL ATOL GOOD WRONG, argmax GOOD WRONG, topk K GOOD WRONG, or "
        "label OUTPUT GOOD WRONG"
    )


def _thresholds(words: list[str]) -> Thresholds:
    good, wrong = (_number(one) for one in words)
    if good > wrong:
        raise SpecError(f"needed: a good threshold of at most the wrong one, {_text(wrong)}")
    return Thresholds(good, wrong)


def _number(word: str) -> Decimal:
    if not _NUMBER.fullmatch(word):
        raise SpecError(
            f"{word!r} is no decimal; needed: such as 0, 12 or 0.001, without end zeros"
        )
    return Decimal(word)


def _count(word: str, least: int) -> int:
    if not _COUNT.fullmatch(word) or int(word) < least:
        raise SpecError(f"{word!r}; needed: a whole number of at least {least}")
    return int(word)


def _text(number: Decimal) -> str:
    shown = format(number, "f")
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def _bytes(name: str) -> bytes:
    return name.encode()
