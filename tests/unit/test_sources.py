"""What is written twice, in Solidity and in Python, is the same."""

import re
from dataclasses import fields
from enum import IntEnum
from pathlib import Path

import pytest

from tallystick.protocol import enums, inference
from tallystick.protocol.batch import ARCHIVE_DELAY, Batch, Dispute
from tallystick.protocol.events import EVENTS
from tallystick.protocol.merkle import MAX_COUNT
from tallystick.protocol.rules import MAX_WINDOW, REWARD_BONDS, Rules
from tallystick.protocol.totals import Totals

CONTRACTS = Path(__file__).parents[2] / "contracts"
COMMENT = re.compile(r"//.*")


def source(path: str) -> str:
    return COMMENT.sub("", (CONTRACTS / path).read_text())


def snake(name: str) -> str:
    return re.sub("([A-Z])", r"_\1", name).lower()


def members(kind: str, name: str) -> list[str]:
    match = re.search(rf"\b{kind} {name} {{(.*?)}}", source("interfaces/Types.sol"), re.DOTALL)
    assert match is not None
    return [part.split()[-1] for part in re.split("[,;]", match[1]) if part.strip()]


@pytest.mark.parametrize(
    "enum",
    [enums.State, enums.Grade, enums.Outcome, enums.Cause, enums.Ruling, enums.DisputeKind],
)
def test_enums__solidity__same_members(enum: type[IntEnum]) -> None:
    assert [member.name for member in enum] == [
        name.upper() for name in members("enum", enum.__name__)
    ]
    assert [int(member) for member in enum] == list(range(len(enum)))


@pytest.mark.parametrize("struct", [Rules, Batch, Dispute, Totals, inference.Inference])
def test_structs__solidity__same_fields(struct: type) -> None:
    assert [field.name for field in fields(struct)] == [
        snake(name) for name in members("struct", struct.__name__)
    ]


def test_events__solidity__same_names_and_fields() -> None:
    found = re.findall(
        r"\bevent (\w+)\((.*?)\)", source("interfaces/ITallystickEvents.sol"), re.DOTALL
    )

    declared = {
        name: [snake(parameter.split()[-1]) for parameter in parameters.split(",")]
        for name, parameters in found
    }

    assert declared == {
        name: [field.name for field in fields(kind) if field.name != "position"]
        for name, kind in EVENTS.items()
    }


@pytest.mark.parametrize("typed", [inference.INFERENCE_TYPE, inference.REQUEST_TYPE])
def test_type_strings__solidity__same(typed: bytes) -> None:
    assert f'"{typed.decode()}"' in source("libraries/LeafLib.sol")


def test_constants__solidity__same() -> None:
    constants = source("libraries/Constants.sol")

    assert MAX_COUNT == 1 << 20 and "MAX_COUNT = 1 << 20;" in constants
    assert MAX_WINDOW == 365 * 86400 and "MAX_WINDOW = 365 days;" in constants
    assert ARCHIVE_DELAY == 3600 and "ARCHIVE_DELAY = 1 hours;" in constants
    assert REWARD_BONDS == 16 and "REWARD_BONDS = 16;" in constants
