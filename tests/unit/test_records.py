"""records.py: JSON Lines and Parquet, right and wrong lines.

bytes | hashes | both, agreeing or not | neither; hex or binary; null; unknown field; too many wrong
"""

import json
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from tallystick.errors import FieldError, RecordError
from tallystick.protocol.hexes import checksummed
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.record import InferenceRecord
from tallystick.storage.record_files import collect_records, digest_of, read_records

HASHES = {"input_hash": "0x" + "11" * 32, "output_hash": "0x" + "22" * 32}
WHOLE = {
    "input": "0x0102",
    "output": "0x03",
    "requester": checksummed(b"\xaa" * 20),
    "nonce": 2**64 - 1,
    "deadline": 1234,
    "signature": "0x" + "33" * 65,
    "trace_root": "0x" + "44" * 32,
}
WHOLE_RECORD = InferenceRecord(
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

    assert record == InferenceRecord(b"\x11" * 32, b"\x22" * 32, line=1)
    assert (record.solicited, record.input, record.nonce) == (False, None, None)


def test_read_records__empty_bytes__are_bytes(tmp_path: Path) -> None:
    (record,) = read_records(write(tmp_path / "a.jsonl", [{"input": "0x", "output": "0x"}]))

    assert (record.input, record.input_hash) == (b"", keccak256(b""))


def test_read_records__null__is_missing(tmp_path: Path) -> None:
    nothing = {"requester": None, "nonce": None, "signature": None, "input": None}

    (record,) = read_records(write(tmp_path / "a.jsonl", [{**HASHES, **nothing}]))

    assert record == InferenceRecord(b"\x11" * 32, b"\x22" * 32, line=1)


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


@pytest.mark.parametrize(
    ("fields", "data"),
    [
        ({"input": "0x0102"}, b"\1\2"),
        ({"input_text": "0x0102"}, b"0x0102"),
        ({"input_text": "Grüße"}, "Grüße".encode()),
        ({"input_base64": "AQI="}, b"\1\2"),
    ],
)
def test_read_records__form_of_the_bytes__is_told_by_the_field(
    tmp_path: Path, fields: dict[str, str], data: bytes
) -> None:
    (record,) = read_records(write(tmp_path / "a.jsonl", [{**fields, "output_text": "ok"}]))

    assert (record.input, record.input_hash) == (data, keccak256(data))
    assert record.output == b"ok"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"input": "AQI="}, "input: needed: hex text that begins with 0x"),
        ({"input_base64": "0x01!"}, "input_base64: needed: base64"),
        ({"input_base64": "AQI"}, "input_base64: needed: base64 with its padding"),
        ({"input_text": 7}, "input_text: needed: text"),
        ({"input": "0x01", "input_text": "a"}, "input and input_text are given; needed: one"),
        ({"input_text": "a", "input_hash": "0x" + "11" * 32}, "input_hash is not the keccak256"),
    ],
)
def test_read_records__form_that_is_not_the_fields__is_named(
    tmp_path: Path, fields: dict[str, Any], reason: str
) -> None:
    path = write(tmp_path / "a.jsonl", [{**fields, "output": "0x"}])

    with pytest.raises(RecordError, match=f"line 1: {reason}"):
        read_records(path)


def test_record__bytes_alone__computes_their_hashes() -> None:
    record = InferenceRecord(input=b"in", output=b"out")

    assert (record.input_hash, record.output_hash) == (keccak256(b"in"), keccak256(b"out"))


@pytest.mark.parametrize("fields", [{"input": b"in"}, {"input": "in", "output": b"out"}])
def test_record__neither_hash_nor_bytes__is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(FieldError, match="missing|is of type str; needed: bytes"):
        InferenceRecord(**fields)


TABLE = pa.table({"input": [b"a", b"b"], "output_text": ["x", "y"]})
AS_RECORDS = [
    InferenceRecord(input=b"a", output=b"x", line=1),
    InferenceRecord(input=b"b", output=b"y", line=2),
]


@pytest.mark.parametrize(
    "source",
    [
        TABLE,
        TABLE.to_reader(),
        TABLE.to_pylist(),
        (MappingProxyType(row) for row in TABLE.to_pylist()),
        [replace(one, line=0) for one in AS_RECORDS],
    ],
    ids=["table", "reader", "dicts", "generator of mappings", "records"],
)
def test_collect_records__any_source__returns_numbered_records(source: Any) -> None:
    assert collect_records(source) == AS_RECORDS


def test_collect_records__path__reads_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", [{"input_text": "a", "output_text": "x"}])

    assert collect_records(str(path)) == collect_records(path) == AS_RECORDS[:1]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (InferenceRecord(b"\1" * 32, b"\2" * 32, input=b"a"), "input_hash is 0x0101.* keccak256"),
        (InferenceRecord(b"\1" * 32, b"\2" * 32, input="a"), "input is of type str; needed: bytes"),  # type: ignore[arg-type]
        ({"input": "0x"}, "output or output_hash is missing"),
        (7, "it is of type int; needed: an InferenceRecord or a mapping"),
    ],
)
def test_collect_records__one_that_cannot_be_revealed__is_named_by_its_number(
    wrong: Any, reason: str
) -> None:
    with pytest.raises(RecordError, match=f"^line 2: {reason}"):
        collect_records([AS_RECORDS[0], wrong])


def test_collect_records__one_record_alone__is_refused() -> None:
    with pytest.raises(FieldError, match="one InferenceRecord; needed: a list"):
        collect_records(AS_RECORDS[0])  # type: ignore[arg-type]


def test_digest_of__records__differs_with_everything_but_the_line(tmp_path: Path) -> None:
    changes: list[dict[str, Any]] = [
        {"output": b"other", "output_hash": b"o" * 32},
        {"output": None},
        {"nonce": 0},
        {"deadline": 0},
        {"signature": b"s"},
        {"trace_root": b"t" * 32},
        {"requester": b"r" * 20},
    ]
    first = AS_RECORDS[0]

    digests = [digest_of([replace(first, **change)]) for change in changes]

    assert len({*digests, digest_of([first]), digest_of(AS_RECORDS), digest_of([])}) == 10
    assert digest_of([replace(first, line=9)]) == digest_of([first])
