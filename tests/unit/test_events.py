"""events.py: from decoded ABI values."""

import re
from dataclasses import FrozenInstanceError, fields
from typing import Any

import pytest

from tallystick.errors import FieldError, UnknownEventError
from tallystick.protocol.batch import Stamp
from tallystick.protocol.enums import Cause, Grade, Outcome
from tallystick.protocol.events import (
    EVENTS,
    BatchCommitted,
    BatchRejected,
    LeafRevealed,
    NetworkRegistered,
    Position,
    from_abi_values,
)
from tallystick.protocol.inference import Leaf
from tallystick.protocol.rules import Rules

POSITION = Position(7, 3, b"t" * 32, b"c" * 20)
STAMP = Stamp(1, 2, 3, 4, 5)
RULES = Rules(b"a" * 20, (b"b" * 20, bytes(20), bytes(20)), b"d" * 20, 1, 2, 3, 4, 60, 30, 5, True)
COMMITTED: dict[str, Any] = {
    "networkId": b"n" * 32,
    "operator": "0x" + "0f" * 20,
    "batchId": "0x" + "01" * 32,
    "modelId": b"m" * 32,
    "root": b"r" * 32,
    "index": 6,
    "commitDeadline": 99,
    "stamp": STAMP.pack(),
    "finalizedId": bytes(32),
    "outcome": 4,
    "finalizedCount": 0,
}


def test_from_abi_values__committed__returns_bytes_stamp_and_enum() -> None:
    event = from_abi_values("BatchCommitted", COMMITTED, POSITION)

    assert event == BatchCommitted(
        b"n" * 32,
        b"\x0f" * 20,
        b"\1" * 32,
        b"m" * 32,
        b"r" * 32,
        6,
        99,
        STAMP,
        bytes(32),
        Outcome.UNRESOLVED,
        0,
        position=POSITION,
    )
    assert isinstance(event, BatchCommitted) and event.outcome is Outcome.UNRESOLVED


@pytest.mark.parametrize("shape", ["tuple", "mapping"])
def test_from_abi_values__network__returns_rules(shape: str) -> None:
    rules: Any = RULES.abi()
    if shape == "mapping":
        names = [
            re.sub("_(.)", lambda match: match[1].upper(), field.name) for field in fields(Rules)
        ]
        rules = dict(zip(names, rules, strict=True))
        rules["asset"] = "0x" + "61" * 20
    values = {
        "networkId": bytes(32),
        "owner": bytes(20),
        "parent": bytes(32),
        "salt": bytes(32),
        "rules": rules,
        "name": "n",
        "uri": "u",
    }

    event = from_abi_values("NetworkRegistered", values, POSITION)

    assert isinstance(event, NetworkRegistered)
    assert (event.rules, event.name, event.uri) == (RULES, "n", "u")


def test_from_abi_values__rejected__returns_cause() -> None:
    values: dict[str, Any] = {
        "networkId": bytes(32),
        "operator": bytes(20),
        "batchId": bytes(32),
        "cause": 5,
        "leafIndex": 1,
        "count": 2,
        "payee": bytes(20),
        "reward": 3,
        "burned": 4,
        "bondOwner": bytes(20),
        "bond": 0,
    }

    event = from_abi_values("BatchRejected", values, POSITION)

    assert isinstance(event, BatchRejected) and event.cause is Cause.REPEAT


@pytest.mark.parametrize("shape", ["tuple", "mapping"])
def test_from_abi_values__revealed__returns_leaf_and_proof(shape: str) -> None:
    leaf: Any = (b"q" * 20, 7, 99, b"i" * 32, b"o" * 32, bytes(32))
    if shape == "mapping":
        names = ("requester", "nonce", "deadline", "inputHash", "outputHash", "traceRoot")
        leaf = dict(zip(names, leaf, strict=True)) | {"requester": "0x" + "71" * 20}
    values = {
        "networkId": bytes(32),
        "operator": bytes(20),
        "batchId": bytes(32),
        "leafIndex": 1,
        "leaf": leaf,
        "closesAt": 5,
        "bond": 3,
        "proof": [b"p" * 32, "0x" + "73" * 32],
    }

    event = from_abi_values("LeafRevealed", values, POSITION)

    assert isinstance(event, LeafRevealed)
    assert event.leaf == Leaf(b"q" * 20, 7, 99, b"i" * 32, b"o" * 32, bytes(32))
    assert event.proof == (b"p" * 32, b"s" * 32)


def test_from_abi_values__leaf_with_a_field_less__raises() -> None:
    values = dict.fromkeys(("leafIndex", "closesAt", "bond"), 0)
    values |= {"networkId": bytes(32), "operator": bytes(20), "batchId": bytes(32)}  # type: ignore[dict-item]

    with pytest.raises(FieldError, match="leaf is 5 values"):
        from_abi_values("LeafRevealed", values | {"leaf": (0,) * 5, "proof": ()}, POSITION)


def test_from_abi_values__unknown_event__raises() -> None:
    with pytest.raises(UnknownEventError, match="Transfer"):
        from_abi_values("Transfer", {}, POSITION)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("networkId", bytes(31)), ("operator", "0x00"), ("stamp", b"\1" * 32), ("root", None)],
)
def test_from_abi_values__malformed_or_missing__raises(parameter: str, value: object) -> None:
    values = {key: found for key, found in COMMITTED.items() if key != parameter}
    if value is not None:
        values[parameter] = value

    with pytest.raises(FieldError):
        from_abi_values("BatchCommitted", values, POSITION)


def test_from_abi_values__enum_beyond_its_members__raises() -> None:
    values = {"networkId": bytes(32), "operator": bytes(20), "batchId": bytes(32), "grade": 4}

    with pytest.raises(ValueError, match="4 is not a valid Grade"):
        from_abi_values("BatchAttested", values, POSITION)
    assert max(Grade) == 3


def test_events__a_value__cannot_change() -> None:
    event = from_abi_values("BatchCommitted", COMMITTED, POSITION)

    with pytest.raises(FrozenInstanceError):
        event.position = Position(8, 0, bytes(32), bytes(20))  # type: ignore[misc]


def test_events__all__know_their_position() -> None:
    assert len(EVENTS) == 22
    for kind in EVENTS.values():
        assert "position" in {field.name for field in fields(kind)}
