"""Logs of whatever contract are kept with their addresses."""

import json

import pytest

from tallystick.chain.rpc.errors import UnavailableError
from tallystick.data.extract.logs import to_table
from tallystick.data.extract.schema import ADDRESSED

ONE, OTHER = "0x" + "11" * 20, "0x" + "22" * 20


def log(address: str, block: int, index: int) -> dict[str, object]:
    return {
        "address": address,
        "topics": ["0x" + "aa" * 32],
        "data": "0x" + "01" * 32,
        "blockNumber": hex(block),
        "blockHash": "0x" + f"{block:064x}",
        "transactionHash": "0x" + f"{index:064x}",
        "transactionIndex": "0x0",
        "logIndex": hex(index),
        "removed": False,
    }


def encoded(*logs: dict[str, object]) -> bytes:
    return json.dumps(logs, separators=(",", ":")).encode()


def test_to_table__no_address__each_log_keeps_its_own() -> None:
    answer = encoded(log(OTHER, 2, 0), log(ONE, 1, 3), log(OTHER.upper().replace("X", "x"), 3, 0))

    table = to_table(answer, None, 1, 9)

    assert table.schema == ADDRESSED
    assert table["address"].to_pylist() == [b"\x11" * 20, b"\x22" * 20, b"\x22" * 20]


def test_to_table__address__others_are_refused() -> None:
    with pytest.raises(UnavailableError, match="another contract"):
        to_table(encoded(log(ONE, 1, 0), log(OTHER, 1, 1)), b"\x11" * 20, 1, 9)


def test_to_table__address_of_another_size__is_malformed() -> None:
    with pytest.raises(UnavailableError, match="malformed"):
        to_table(encoded(log("0x1122", 1, 0)), None, 1, 9)
