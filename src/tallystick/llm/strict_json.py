"""JSON that everybody reads alike: RFC 8259 without what parsers differ about."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NoReturn

from tallystick.errors import BodyRefusedError
from tallystick.protocol.text import is_deeper

MOST_DEPTH = 8
MOST_DIGITS = 32
"""Characters of a number, sign and exponent included."""
MOST_EXPONENT = 9

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE]([+-]?[0-9]+))?")
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]*)")


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it is written.

    >>> Number("0.800000011920929").value * 10
    Fraction(800000011920929, 100000000000000)
    """

    literal: str

    @property
    def value(self) -> Fraction:
        """The decimal's exact value."""
        return Fraction(self.literal)

    @property
    def whole(self) -> bool:
        """True if it is written without fraction and exponent."""
        return _WHOLE.fullmatch(self.literal) is not None

    def __str__(self) -> str:
        return self.literal


def parse_object(body: bytes) -> dict[str, Any]:
    """Return the one object that a body is, numbers as `Number`.

    Args:
        body: UTF-8 without a byte order mark.

    Raises:
        BodyRefusedError: no such object, deeper than 8, a name twice in an object, a lone
            surrogate, NaN or an infinity, a number of over 32 characters, or an exponent beyond 9.

    >>> parse_object(b'{"a": [1e-1, null]}')
    {'a': [Number(literal='1e-1'), None]}
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BodyRefusedError(None, f"byte {error.start} is not UTF-8") from error
    if text.startswith("\ufeff"):
        raise BodyRefusedError(None, "it begins with a byte order mark; needed: none")
    if is_deeper(text, MOST_DEPTH):
        raise BodyRefusedError(None, f"nested deeper than {MOST_DEPTH}")
    try:
        found = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        reason = f"no JSON at character {error.pos}: {error.msg}"
        raise BodyRefusedError(None, reason) from error
    if not isinstance(found, dict):
        raise BodyRefusedError(None, "it is no object")
    for name, value in found.items():
        if any(_has_surrogate(one) for one in (name, *_texts(value))):
            reason = "a lone surrogate in a text"
            raise BodyRefusedError(None if _has_surrogate(name) else name, reason)
    return found


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            param = None if _has_surrogate(name) else name
            raise BodyRefusedError(param, "the name stands twice")
        found[name] = value
    return found


def _number(literal: str) -> Number:
    if len(literal) > MOST_DIGITS:
        raise BodyRefusedError(
            None, f"a number of {len(literal)} characters; at most {MOST_DIGITS}"
        )
    match = _NUMBER.fullmatch(literal)
    if match is None:
        raise BodyRefusedError(None, f"{literal!r} is no number")
    if match[1] and abs(int(match[1])) > MOST_EXPONENT:
        raise BodyRefusedError(None, f"the exponent of {literal} is beyond {MOST_EXPONENT}")
    return Number(literal)


def _constant(literal: str) -> NoReturn:
    raise BodyRefusedError(None, f"{literal} is no JSON")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, dict):
        for name, one in value.items():
            yield name
            yield from _texts(one)


def _has_surrogate(text: str) -> bool:
    # Pairs have become one character: what is left stands alone.
    return any("\ud800" <= one <= "\udfff" for one in text)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs,
    parse_int=_number,
    parse_float=_number,
    parse_constant=_constant,
)
