"""records.py: JSON Lines and Parquet, right and wrong lines.

bytes | hashes | both, agreeing or not | neither; hex or binary; null; unknown field; too many wrong
"""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from tallystick.errors import RecordError
from tallystick.keccak import keccak256
from tallystick.record import Record
from tallystick.records import read_records

HASHES = {"input_hash": "0x" + "11" * 32, "output_hash": "0x" + "22" * 32}
WHOLE = {
    "input": "0x0102",
    "output": "0x03",
    "requester": "0x" + "Aa" * 20,
    "nonce": 2**64 - 1,
    "deadline": 1234,
    "signature": "0x" + "33" * 65,
    "trace_root": "0x" + "44" * 32,
}
WHOLE_RECORD = Record(
    keccak256(b"\1\2"),
    keccak256(b"\3"),
    b"\xaa" * 20,
    2**64 - 1,
    1234,
    b"\x44" * 32,
    b"\x33" * 65,
    b"\1\2",
    b"\3",
    1,
)


def write(path: Path, lines: list[Any]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_read_records__whole_line__returns_every_field(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", [WHOLE])

    assert read_records(path) == [WHOLE_RECORD]


def test_read_records__hashes_only__knows_no_bytes(tmp_path: Path) -> None:
    (record,) = read_records(write(tmp_path / "a.jsonl", [HASHES]))

    assert record == Record(b"\x11" * 32, b"\x22" * 32, line=1)
    assert (record.solicited, record.input, record.nonce) == (False, None, None)


def test_read_records__empty_bytes__are_bytes(tmp_path: Path) -> None:
    (record,) = read_records(write(tmp_path / "a.jsonl", [{"input": "0x", "output": "0x"}]))

    assert (record.input, record.input_hash) == (b"", keccak256(b""))


def test_read_records__null__is_missing(tmp_path: Path) -> None:
    nothing = {"requester": None, "nonce": None, "signature": None, "input": None}

    (record,) = read_records(write(tmp_path / "a.jsonl", [{**HASHES, **nothing}]))

    assert record == Record(b"\x11" * 32, b"\x22" * 32, line=1)


def test_read_records__blank_lines__keep_the_numbers_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("\n" + json.dumps(HASHES) + "\n \n" + json.dumps(WHOLE))

    assert [record.line for record in read_records(path)] == [2, 4]


def test_read_records__parquet_with_binary_columns__same_records(tmp_path: Path) -> None:
    columns = {
        name: [bytes.fromhex(value[2:]) if isinstance(value, str) else value]
        for name, value in WHOLE.items()
    }
    schema = pa.schema(
        [
            (name, pa.binary() if isinstance(values[0], bytes) else pa.uint64())
            for name, values in columns.items()
        ]
    )
    path = tmp_path / "whatever"
    parquet.write_table(pa.table(columns, schema=schema), path)

    assert read_records(path) == [WHOLE_RECORD]


def test_read_records__parquet_with_hex_text_and_nulls__same_records(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.Table.from_pylist([{**HASHES, "input": "0x01"}, HASHES]), path)

    with pytest.raises(RecordError) as raised:
        read_records(path)

    assert [wrong.line for wrong in raised.value.wrong] == [1]
    assert "input_hash is not the keccak256 of input" in raised.value.reason


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"output": "0x01"}, "input or input_hash is missing"),
        ({"input": "0x01"}, "output or output_hash is missing"),
        ({**HASHES, "output": "0x01"}, "output_hash is not the keccak256 of output"),
        ({**HASHES, "input_hash": "0x11"}, "input_hash: it is 1 bytes; needed: 32 bytes"),
        ({**HASHES, "input_hash": "11" * 32}, "begins with 0x"),
        ({**HASHES, "requester": "0x" + "zz" * 20}, "requester"),
        ({**HASHES, "requester": 5}, "requester"),
        ({**HASHES, "nonce": -1}, "nonce"),
        ({**HASHES, "nonce": 2**64}, "nonce"),
        ({**HASHES, "nonce": "1"}, "nonce"),
        ({**HASHES, "nonce": 1.0}, "nonce"),
        ({**HASHES, "deadline": True}, "deadline"),
        ({**HASHES, "nonse": 1}, "nonse"),
        ([], "valid dictionary|object"),
    ],
)
def test_read_records__wrong_line__names_line_and_reason(
    tmp_path: Path, line: Any, reason: str
) -> None:
    path = write(tmp_path / "a.jsonl", [HASHES, line, WHOLE])

    with pytest.raises(RecordError, match=reason) as raised:
        read_records(path)

    assert raised.value.line == 2
    assert str(raised.value).startswith("line 2: ")


def test_read_records__no_json__names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(json.dumps(HASHES).encode() + b"\n{not json\n\xff\xfe\n")

    with pytest.raises(RecordError) as raised:
        read_records(path)

    assert [wrong.line for wrong in raised.value.wrong] == [2, 3]


@pytest.mark.parametrize(("count", "more"), [(19, False), (20, False), (21, True), (500, True)])
def test_read_records__many_wrong_lines__names_twenty(
    tmp_path: Path, count: int, more: bool
) -> None:
    path = write(tmp_path / "a.jsonl", [{}] * count)

    with pytest.raises(RecordError) as raised:
        read_records(path)

    assert len(raised.value.wrong) == min(count, 20)
    assert raised.value.more is more
    assert str(raised.value).endswith("and more") is more


def test_read_records__broken_parquet__raises(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1 and no more")

    with pytest.raises(RecordError, match="broken"):
        read_records(path)


def test_read_records__no_file__raises(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_records(tmp_path / "none.jsonl")
