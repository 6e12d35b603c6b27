"""Logs made by hand, as eth_getLogs gives them, and what their events are in decoded columns."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any

import pyarrow as pa
from eth_abi.abi import encode
from eth_utils.abi import collapse_if_tuple
from web3 import Web3

from tallystick.chain.abi import contract, signature_hash
from tallystick.chain.logs import decode_log
from tallystick.data.extract.dataset import ContractKey
from tallystick.data.extract.logs import to_table
from tallystick.protocol.abi_words import ZERO32
from tallystick.protocol.batch import Stamp
from tallystick.protocol.events import Event
from tallystick.protocol.inference import Leaf
from tallystick.protocol.rules import Rules

REGISTRY = ContractKey(7, b"\xc0" * 20)
GENESIS = 1_800_000_000
LOGS_A_BLOCK = 3


@dataclass(frozen=True)
class RawLog:
    """Topics and data."""

    topics: Sequence[bytes]
    data: bytes


def raw_log(name: str, *values: Any) -> RawLog:
    """Return an event's log; values in the order of its ABI, strings as bytes."""
    (entry,) = (one for one in contract("Tallystick").abi if one.get("name") == name)
    # Encoded alike, and a string's bytes may be any.
    types = [
        "bytes" if one["type"] == "string" else collapse_if_tuple(one) for one in entry["inputs"]
    ]
    known = list(zip(entry["inputs"], types, values, strict=True))
    topics = [encode([kind], [value]) for one, kind, value in known if one["indexed"]]
    rest = [(kind, value) for one, kind, value in known if not one["indexed"]]
    data = encode([kind for kind, _ in rest], [value for _, value in rest])
    return RawLog([signature_hash(entry), *topics], data)


def table(logs: Sequence[RawLog]) -> pa.Table:
    """Return them as extracted, some to a block; an hour from block to block."""
    answer = json.dumps([_json(place, log) for place, log in enumerate(logs)])
    return to_table(answer.encode(), REGISTRY.address, 0, len(logs))


def event(place: int, log: RawLog) -> Event:
    """Return the event that the decoder for one log at a time gives."""
    return decode_log(
        {
            "blockNumber": place // LOGS_A_BLOCK,
            "logIndex": place % LOGS_A_BLOCK,
            "transactionHash": ZERO32,
            "address": Web3.to_checksum_address(REGISTRY.address),
            "topics": log.topics,
            "data": log.data,
        }
    )


def rows(events: Sequence[Event]) -> list[dict[str, Any]]:
    """Return what the decoded columns of these events are to be."""
    return [_row(one) for one in events]


def amount(row: Mapping[str, Any], name: str) -> int:
    """Return an amount that was split into limbs."""
    return sum(int(row[f"{name}_{place}"]) << (32 * place) for place in range(4))


def _json(place: int, log: RawLog) -> dict[str, Any]:
    block = place // LOGS_A_BLOCK
    return {
        "address": "0x" + REGISTRY.address.hex(),
        "topics": ["0x" + topic.hex() for topic in log.topics],
        "data": "0x" + log.data.hex(),
        "blockNumber": hex(block),
        "blockHash": "0x" + block.to_bytes(32, "big").hex(),
        "transactionHash": "0x" + ZERO32.hex(),
        "transactionIndex": "0x0",
        "logIndex": hex(place % LOGS_A_BLOCK),
        "blockTimestamp": hex(GENESIS + 3600 * block),
    }


def _row(one: Event) -> dict[str, Any]:
    row: dict[str, Any] = {
        "block_number": one.position.block_number,
        "block_time": GENESIS + 3600 * one.position.block_number,
        "log_index": one.position.log_index,
    }
    for field in fields(one):
        value = getattr(one, field.name)
        if field.name == "position":
            continue
        if isinstance(value, Stamp):
            row |= {part.name: getattr(value, part.name) for part in fields(value)}
        elif isinstance(value, Rules):
            row |= {f"rules_{name}": part for name, part in _rules(value).items()}
        elif isinstance(value, Leaf):
            row |= {f"leaf_{name}": _plain(part) for name, part in value._asdict().items()}
        elif isinstance(value, tuple):
            continue
        else:
            row[field.name] = _plain(value)
    return row


def _rules(rules: Rules) -> dict[str, Any]:
    found = {field.name: _plain(getattr(rules, field.name)) for field in fields(rules)}
    del found["attestors"]
    return found | {f"attestors_{place}": _plain(one) for place, one in enumerate(rules.attestors)}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return value.name.lower() if isinstance(value, IntEnum) else value
