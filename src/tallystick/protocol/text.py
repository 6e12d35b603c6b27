"""Text that people and other programs write: its encoding, and JSON that says each thing once."""

import json
import re
from collections.abc import Sequence
from typing import Any, NoReturn

from tallystick.errors import TallystickError

NEEDED = "needed: UTF-8 without a byte order mark"
_MARKS = (
    (b"\xff\xfe\0\0", "UTF-32"),
    (b"\0\0\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
    (b"\xef\xbb\xbf", "UTF-8 with a byte order mark (BOM)"),
)


_DEEPEST = 100
"""Brackets in brackets that JSON may have here."""
# A string, or else a bracket; one that does not end is matched too, so that no place is looked at
# twice.
_BRACKETS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[][{}]', re.DOTALL)


class TextError(TallystickError, ValueError):
    """Text in another encoding, or JSON that is broken, or says a thing twice."""


def encoding_fault(data: bytes) -> str | None:
    """Return why the beginning of a file is none of text in UTF-8; None: it may be.

    >>> encoding_fault(b"\\xff\\xfea\\0")
    'it is UTF-16; needed: UTF-8 without a byte order mark'
    >>> encoding_fault(b"{}") is None
    True
    """
    found = next((name for mark, name in _MARKS if data.startswith(mark)), None)
    if found is None and (zeros := data[:4].count(0)):
        # As ASCII looks in it.
        found = {3: "UTF-32", 2: "UTF-16"}.get(zeros)
    if found is not None:
        return f"it is {found}; {NEEDED}"
    return "it has NUL bytes: it is no text" if b"\0" in data else None


def decoded(data: bytes) -> str:
    """Return text of bytes in UTF-8; TextError for another encoding."""
    if fault := encoding_fault(data):
        raise TextError(fault)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise TextError(f"byte {error.start} is not UTF-8; {NEEDED}") from error


def parse_json(text: str | bytes) -> Any:
    """Return what JSON says.

    Args:
        text: of one value, without a line of its own to name.

    Raises:
        TextError: it is broken, it is no text in UTF-8, a field stands twice in an object, or a
            number is none (NaN).

    >>> parse_json('{"a": 1, "a": 2}')
    Traceback (most recent call last):
    tallystick.protocol.text.TextError: a stands there twice
    """
    found = decoded(text) if isinstance(text, bytes) else text
    # Where a library has raised the limit of recursion, the parser would end the process.
    if is_deeper(found, _DEEPEST):
        raise TextError("not JSON: nested too deep")
    try:
        return json.loads(found, object_pairs_hook=_each_once, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        if error.pos >= len(found.rstrip()) or error.msg.startswith("Unterminated"):
            raise TextError("it is cut off: its JSON has no end") from error
        raise TextError(f"not JSON: {error.msg}, column {error.colno}") from error
    except TextError:
        raise
    except ValueError as error:
        raise TextError(f"not JSON: {error}") from error


def is_deeper(text: str, most: int) -> bool:
    """Return whether brackets of a text, JSON or none, are nested deeper than so many.

    >>> is_deeper('[["[", "]"]]', 2), is_deeper("[[[", 2)
    (False, True)
    """
    if text.count("[") + text.count("{") <= most:
        return False
    depth = 0
    for match in _BRACKETS.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(match[0], 0)
        if depth > most:
            return True
    return False


def _each_once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise TextError(f"{twice} stands there twice")
    return found


def _refuse(word: str) -> NoReturn:
    raise TextError(f"{word} is no number")
