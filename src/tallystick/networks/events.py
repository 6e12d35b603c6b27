"""Events of foreign contracts, declared in Solidity's own words."""

import re

from tallystick.data.decode.columns import TAILS, Field, Layout, snake
from tallystick.networks.errors import AdapterError
from tallystick.protocol.keccak import keccak256

_EVENT = re.compile(r"\s*(?:event\s+)?(\w+)\s*\(([^()]*)\)\s*;?\s*")
_TYPE = re.compile(r"(bool|address|string|bytes|(u?int)(\d*)|bytes(\d+))((?:\[\])*)")
_FITS = 56
"""Bits of an integer that int64 holds whatever its value; larger ones are kept as hex text."""


def event(text: str) -> Layout:
    """Return the layout of an event.

    Each value becomes a column by its name in snake case: bytesN hex text of a word, integers up to
    56 bits int64 and larger ones hex text of a word, arrays of one-word elements lists of words.
    Arrays of anything longer have no column. Names are needed: columns are called by them.

    Args:
        text: as Solidity declares it, enums as uint8; structs are not read.

    Raises:
        AdapterError: it is no such declaration.

    >>> [(one.name, one.kind) for one in event("Paid(address indexed by, uint256 sum)").fields]
    [('by', 'address'), ('sum', 'large')]
    """
    found = _EVENT.fullmatch(text)
    if found is None:
        raise AdapterError(f"{text!r} is no event; needed: Name(type indexed name, type name)")
    name, inside = found.groups()
    fields: list[Field] = []
    types: list[str] = []
    topic, word = 0, 0
    for argument in filter(None, (part.strip() for part in inside.split(","))):
        words = argument.split()
        indexed = words[1:-1] == ["indexed"]
        if len(words) != 2 + indexed or words[-1] == "indexed":
            raise AdapterError(f"{argument!r} of event {name} is not `type [indexed] name`")
        kind, solidity = _kind(words[0], name)
        types.append(solidity)
        if indexed:
            topic += 1
            # Of what is longer than a word only the hash is there.
            fields.append(Field(snake(words[-1]), topic, 0, "hash" if kind in TAILS else kind))
        else:
            fields.append(Field(snake(words[-1]), None, word, kind))
            word += 1
    if topic > 3:
        raise AdapterError(f"event {name} has more than 3 indexed values")
    tails = any(one.topic is None and one.kind in TAILS for one in fields)
    topic0 = keccak256(f"{name}({','.join(types)})".encode())
    return Layout(name, topic0, tuple(fields), word, tails)


def _kind(text: str, event_name: str) -> tuple[str, str]:
    """Return the kind of a column, and the type as signatures have it."""
    found = _TYPE.fullmatch(text)
    if found is None:
        raise AdapterError(f"{text!r} of event {event_name} is no type that is read")
    base, integer, bits, width, array = found.groups()
    if integer and not bits:
        base, bits = f"{integer}256", "256"
    if array:
        one_word = array == "[]" and base not in ("string", "bytes")
        return "words" if one_word else "array", base + array
    if integer:
        return "integer" if integer == "uint" and int(bits) <= _FITS else "large", base
    named = {"bool": "boolean", "address": "address", "string": "string", "bytes": "bytes"}
    return "hash" if width else named[base], base
