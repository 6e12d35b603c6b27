"""Columns of each event's table, from the contract's ABI.

Ids, hashes and addresses are hex text; counts and times int64; enums their members' names in lower
case; a stamp its five parts; an amount its hex text and, where the contract keeps it below 2^128,
four limbs (see words.limbs). Names are the ABI's in snake case. Arrays, of which the proof of a
revealed leaf is one, have no column, and events that only carry data no table.
"""

import re
from collections.abc import Iterator, Mapping
from enum import IntEnum
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

import pyarrow as pa

from tallystick.chain.abi import contract, signature_hash
from tallystick.data.decode import words as convert
from tallystick.data.decode.words import Words
from tallystick.protocol.enums import Cause, Grade, Outcome
from tallystick.protocol.events import CARGO

ENUMS: Mapping[str, type[IntEnum]] = MappingProxyType(
    {"enum Outcome": Outcome, "enum Grade": Grade, "enum Cause": Cause}
)
STAMP = (
    ("slot", 144, 32),
    ("count", 120, 24),
    ("committed_at", 80, 40),
    ("committed_block", 40, 40),
    ("closes_at", 0, 40),
)
"""Part, lowest bit, bits. Source: contracts/libraries/StampLib.sol."""
STAMP_UNUSED = 10
"""Bytes above the highest part."""

BOUNDED_AMOUNTS = {"burned", "reward", "bond", "credited", "returned"}
LANE_AMOUNTS = {("Staked", "amount"), ("Unstaked", "amount")}
LARGE = {"amount", "commitDeadline", "nonce", "deadline"}
"""Integers that may not fit int64; as hex text."""


TAILS = ("string", "bytes", "array", "words")
"""Kinds whose word says where in the data they are."""

REPEATED = {"network_id", "model_id"}
"""Hashes that many events share; in a dictionary, as addresses are."""


class Field(NamedTuple):
    """One value of an event that is a word, or the place of a string."""

    name: str
    """In snake case."""
    topic: int | None
    """Its topic, 1 to 3; None: it is in the data."""
    word: int
    """Its word in the data; of a string or bytes the word with its offset."""
    kind: str
    """hash, address, integer, boolean, enum name, stamp, amount, large, string, bytes, array, or
    words: an array of elements that are a word each."""


class Layout(NamedTuple):
    """An event's."""

    name: str
    topic0: bytes
    fields: tuple[Field, ...]
    words: int
    """Head of the data, in words."""
    has_tails: bool
    """Strings, bytes or arrays follow the head."""


@cache
def layouts() -> tuple[Layout, ...]:
    """Return the registry's events that have a table, in the order of its ABI."""
    return tuple(_layout(entry) for entry in _entries() if entry["name"] not in CARGO)


@cache
def cargo() -> frozenset[bytes]:
    """Return the topics of the registry's events that have none: they only carry data."""
    return frozenset(signature_hash(entry) for entry in _entries() if entry["name"] in CARGO)


def _entries() -> list[dict[str, Any]]:
    return [entry for entry in contract("Tallystick").abi if entry["type"] == "event"]


def snake(name: str) -> str:
    """Return a camel-case name in snake case.

    >>> snake("finalizedCount")
    'finalized_count'
    """
    return re.sub("([A-Z])", r"_\1", name).lower()


def columns(field: Field, words: Words) -> Iterator[tuple[str, pa.Array]]:
    """Yield the named columns of a field that is a word."""
    match field.kind:
        case "hash" if field.name in REPEATED:
            yield field.name, convert.repeated_hex_text(words)
        case "hash":
            yield field.name, convert.hex_text(words)
        case "address":
            yield field.name, convert.addresses(words)
        case "integer":
            yield field.name, convert.integers(words)
        case "boolean":
            yield field.name, convert.booleans(words)
        case "stamp":
            convert.need_zero(words[:, :STAMP_UNUSED], "a stamp")
            for part, low, width in STAMP:
                yield part, convert.bits(words, low, width)
        case "large":
            yield field.name, convert.hex_text(words)
        case "amount":
            yield field.name, convert.hex_text(words)
            for place, limb in enumerate(convert.limbs(words)):
                yield f"{field.name}_{place}", limb
        case kind:
            members = [member.name.lower() for member in ENUMS[kind]]
            yield field.name, convert.names(words, members)


def _layout(entry: dict[str, Any]) -> Layout:
    fields: list[Field] = []
    topic, word = 1, 0
    for argument in entry["inputs"]:
        if argument["indexed"]:
            fields.append(_field(entry["name"], argument, argument["name"], topic, 0))
            topic += 1
            continue
        for name, leaf in _leaves(argument, ""):
            fields.append(_field(entry["name"], leaf, name, None, word))
            word += 1
    has_tails = any(field.kind in TAILS for field in fields)
    return Layout(entry["name"], signature_hash(entry), tuple(fields), word, has_tails)


def _leaves(argument: dict[str, Any], prefix: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the words of an argument: of a struct its members, of an array its elements."""
    name = prefix + argument["name"]
    if argument["type"] == "tuple":
        for part in argument["components"]:
            yield from _leaves(part, f"{name}_")
        return
    array = re.fullmatch(r"(.+)\[(\d+)\]", argument["type"])
    if array is None:
        yield name, argument
        return
    for place in range(int(array[2])):
        yield f"{name}_{place}", {**argument, "type": array[1]}


def _field(event: str, argument: dict[str, Any], name: str, topic: int | None, word: int) -> Field:
    return Field(snake(name), topic, word, _kind(event, argument))


def _kind(event: str, argument: dict[str, Any]) -> str:
    name: str = argument["name"]
    internal: str = argument.get("internalType", "")
    match argument["type"]:
        case "bytes32":
            return "stamp" if internal == "Stamp" else "hash"
        case "address":
            return "address"
        case "bool":
            return "boolean"
        case "string":
            return "string"
        case kind if kind.endswith("[]"):
            return "array"
        case "uint8" if internal in ENUMS:
            return internal
        case "uint96":
            return "amount"
    if name in BOUNDED_AMOUNTS or (event, name) in LANE_AMOUNTS:
        return "amount"
    return "large" if name in LARGE else "integer"
