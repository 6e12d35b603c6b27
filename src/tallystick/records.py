"""Inferences from a file of JSON Lines or Parquet.

Fields of a line: `input` and `output` (bytes), or `input_hash` and `output_hash`, or all four;
`requester`, `nonce`, `deadline`, `signature` of a solicited inference; `trace_root` where a replay
tier needs it. Bytes are hex text with 0x, in Parquet binary too. Null is the same as missing.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError

from tallystick.errors import RecordError, WrongLine
from tallystick.hexes import from_hex
from tallystick.keccak import keccak256
from tallystick.record import Record
from tallystick.words import ZERO32, ZERO_ADDRESS

MOST_WRONG = 20
"""So many wrong lines are named, then reading stops."""


def read_records(path: str | Path) -> list[Record]:
    """Read a file of inferences, in the file's order.

    Args:
        path: a Parquet file, or JSON Lines (blank lines are skipped).

    Returns:
        One record per line; they are not yet in the order of leaves.

    Raises:
        RecordError: the wrong lines, each with its number and what is wrong.
        OSError: the file cannot be read.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
    ...     _ = file.write('{"input": "0x01", "output": "0x02"}')
    ...     file.flush()
    ...     [record.output for record in read_records(file.name)]
    [b'\\x02']
    """
    records: list[Record] = []
    wrong: list[WrongLine] = []
    for line, found in _lines(Path(path)):
        try:
            records.append(_record(line, found))
        except ValidationError as error:
            if len(wrong) == MOST_WRONG:
                raise RecordError(wrong, more=True) from None
            wrong.append(WrongLine(line, _reason(error)))
    if wrong:
        raise RecordError(wrong)
    return records


def _lines(path: Path) -> Iterator[tuple[int, bytes | Mapping[str, Any]]]:
    with path.open("rb") as file:
        if file.read(4) != b"PAR1":
            file.seek(0)
            for line, text in enumerate(file, 1):
                if text.strip():
                    yield line, text
            return
    yield from _rows(path)


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    from pyarrow import ArrowException, parquet

    line = 0
    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches():
                for row in batch.to_pylist():
                    line += 1
                    yield line, row
    except ArrowException as error:
        raise RecordError([WrongLine(line + 1, f"the Parquet file is broken: {error}")]) from error


def _record(line: int, found: bytes | Mapping[str, Any]) -> Record:
    parse = _Line.model_validate_json if isinstance(found, bytes) else _Line.model_validate
    parsed = parse(found)  # type: ignore[arg-type]
    return Record(
        _hash_of(parsed.input, parsed.input_hash),
        _hash_of(parsed.output, parsed.output_hash),
        parsed.requester or ZERO_ADDRESS,
        parsed.nonce,
        parsed.deadline,
        parsed.trace_root or ZERO32,
        parsed.signature or b"",
        parsed.input,
        parsed.output,
        line,
    )


def _hash_of(data: bytes | None, given: bytes | None) -> bytes:
    return keccak256(data) if data is not None else given or ZERO32


def _reason(error: ValidationError) -> str:
    return "; ".join(
        ": ".join(
            [
                *[".".join(str(step) for step in one["loc"])] * bool(one["loc"]),
                str(one["ctx"]["error"]) if one["type"] == "value_error" else one["msg"],
            ]
        )
        for one in error.errors(include_url=False)
    )


def _of_length(length: int | None) -> PlainValidator:
    def validate(value: Any) -> bytes | None:
        if value is None:
            return None
        if isinstance(value, str):
            if not value.startswith("0x"):
                raise ValueError("needed: hex text that begins with 0x")
            return from_hex(value, length, "it")
        if isinstance(value, bytes) and length in (None, len(value)):
            return value
        needed = "bytes" if length is None else f"{length} bytes"
        raise ValueError(f"needed: {needed}, as hex text")

    return PlainValidator(validate)


_Bytes = Annotated[bytes | None, _of_length(None)]
_Bytes20 = Annotated[bytes | None, _of_length(20)]
_Bytes32 = Annotated[bytes | None, _of_length(32)]
_Uint64 = Annotated[int, Field(ge=0, lt=2**64)]


class _Line(BaseModel):
    """One line as people and programs write it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    input: _Bytes = None
    output: _Bytes = None
    input_hash: _Bytes32 = None
    output_hash: _Bytes32 = None
    requester: _Bytes20 = None
    nonce: _Uint64 | None = None
    deadline: _Uint64 | None = None
    signature: _Bytes = None
    trace_root: _Bytes32 = None

    def model_post_init(self, _: Any) -> None:
        for field in ("input", "output"):
            data, given = getattr(self, field), getattr(self, f"{field}_hash")
            if data is None and given is None:
                raise ValueError(f"{field} or {field}_hash is missing")
            if data is not None and given not in (None, keccak256(data)):
                raise ValueError(f"{field}_hash is not the keccak256 of {field}")
