"""Inferences from a file of JSON Lines or Parquet, an Arrow table, mappings or records.

Fields of a line: `input` and `output` (bytes), or `input_hash` and `output_hash`, or both;
`requester`, `nonce`, `deadline`, `signature` of a solicited inference; `trace_root` where a replay
tier needs it. Bytes are hex text with 0x, in Parquet, Arrow and Python `bytes` too. In place of
`input` a line may have `input_text` (text, taken as UTF-8) or `input_base64`; `output` likewise:
the field's name says which of them it is, never the look of the value. Null is the same as missing.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol, TypeAlias, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError

from tallystick.errors import MOST_WRONG, FieldError, RecordError, WrongLine
from tallystick.protocol.abi_words import ZERO32, ZERO_ADDRESS
from tallystick.protocol.hexes import from_hex, to_hex
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.record import InferenceRecord
from tallystick.protocol.text import TextError, encoding_fault, parse_json

if TYPE_CHECKING:
    from pyarrow import RecordBatch


@runtime_checkable
class ArrowStream(Protocol):
    """A table of Arrow, polars or pandas: whatever exports Arrow's C stream."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return the stream's capsule."""
        ...


Records: TypeAlias = str | Path | ArrowStream | Iterable[InferenceRecord | Mapping[str, Any]]
"""A file's path, a table, or inferences one by one."""


def collect_records(source: Records) -> list[InferenceRecord]:
    """Return the inferences of any source, in its order, each with its number as `line`.

    Args:
        source: a path as read_records takes it, an Arrow table with the fields of a line as
            columns, or records and mappings of these fields.

    Raises:
        RecordError: the wrong ones, each with its number and what is wrong.
        OSError: the file cannot be read.

    >>> [record.output for record in collect_records([{"input_text": "2+2", "output_text": "4"}])]
    [b'4']
    """
    if isinstance(source, (str, Path)):
        return read_records(source)
    if isinstance(source, Mapping | InferenceRecord):
        raise FieldError("records", f"one {type(source).__name__}", "a list, a file or a table")
    if isinstance(source, ArrowStream):
        return _collect(_numbered(_arrow_batches(source)))
    return _collect(enumerate(source, 1))


def read_records(path: str | Path) -> list[InferenceRecord]:
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
    return _collect(_lines(Path(path)))


def digest_of(records: Path | Sequence[InferenceRecord]) -> bytes:
    """Return what tells inferences apart from others, 32 bytes: equal ones have an equal digest.

    Of a file it is the SHA-256 of its content; of records, one over all that would be committed or
    kept, so that it is another one than a file's.
    """
    if isinstance(records, Path):
        with records.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    digest = hashlib.sha256(b"tallystick records 1")
    for one in records:
        fields = (one.requester, one.trace_root, one.input_hash, one.output_hash, one.signature)
        numbers = f"{one.nonce},{one.deadline}".encode()
        for part in (*fields, numbers, one.input, one.output):
            digest.update(b"-" if part is None else b"%d:" % len(part) + part)
    return digest.digest()


def _collect(lines: Iterable[tuple[int, Any]]) -> list[InferenceRecord]:
    records: list[InferenceRecord] = []
    wrong: list[WrongLine] = []
    for line, found in lines:
        try:
            records.append(_record(line, found))
        except (ValidationError, FieldError, TextError) as error:
            if len(wrong) == MOST_WRONG:
                raise RecordError(wrong, more=True) from None
            reason = _reason(error) if isinstance(error, ValidationError) else str(error)
            wrong.append(WrongLine(line, reason))
    if wrong:
        raise RecordError(wrong)
    return records


def _lines(path: Path) -> Iterator[tuple[int, bytes | Mapping[str, Any]]]:
    with path.open("rb") as file:
        head = file.read(1 << 12)
        if not head.startswith(b"PAR1"):
            if fault := encoding_fault(head.partition(b"\n")[0] + b"\n"):
                raise RecordError([WrongLine(1, fault)])
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
            for line, row in _numbered(file.iter_batches()):
                yield line, row
    except ArrowException as error:
        raise RecordError([WrongLine(line + 1, f"the Parquet file is broken: {error}")]) from error


def _arrow_batches(table: ArrowStream) -> Iterable["RecordBatch"]:
    from pyarrow import RecordBatchReader

    reader: Iterable[RecordBatch] = RecordBatchReader.from_stream(table)
    return reader


def _numbered(batches: Iterable["RecordBatch"]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    return enumerate((row for batch in batches for row in batch.to_pylist()), 1)


def _record(line: int, found: bytes | Mapping[str, Any] | InferenceRecord) -> InferenceRecord:
    if isinstance(found, InferenceRecord):
        _check_hashes(found)
        return replace(found, line=line)
    if not isinstance(found, bytes | Mapping):
        raise FieldError("it", f"of type {type(found).__name__}", "an InferenceRecord or a mapping")
    # A mapping of another kind than dict is none to pydantic.
    given = parse_json(found) if isinstance(found, bytes) else dict(found)
    parsed = _Line.model_validate(given)
    return InferenceRecord(
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


def _check_hashes(record: InferenceRecord) -> None:
    """Raise FieldError where bytes miss their hash: no demand for them could be answered."""
    for field in ("input", "output"):
        data, given = getattr(record, field), getattr(record, f"{field}_hash")
        if data is None:
            continue
        if type(data) is not bytes:
            raise FieldError(field, f"of type {type(data).__name__}", "bytes")
        if keccak256(data) != given:
            raise FieldError(f"{field}_hash", to_hex(given), f"the keccak256 of {field}")


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


def _text(value: Any) -> bytes | None:
    if value is None or isinstance(value, str):
        return value if value is None else value.encode()
    raise ValueError("needed: text")


def _base64(value: Any) -> bytes | None:
    if value is None:
        return None
    try:
        return base64.b64decode(value, validate=True)
    except (TypeError, ValueError, binascii.Error) as error:
        raise ValueError(f"needed: base64 with its padding ({error})") from error


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

    input_text: Annotated[bytes | None, PlainValidator(_text)] = None
    output_text: Annotated[bytes | None, PlainValidator(_text)] = None
    input_base64: Annotated[bytes | None, PlainValidator(_base64)] = None
    output_base64: Annotated[bytes | None, PlainValidator(_base64)] = None

    def model_post_init(self, _: Any) -> None:
        for field in ("input", "output"):
            names = (field, f"{field}_text", f"{field}_base64")
            forms = [name for name in names if getattr(self, name) is not None]
            if len(forms) > 1:
                raise ValueError(f"{' and '.join(forms)} are given; needed: one of them")
            if forms:
                setattr(self, field, getattr(self, forms[0]))
            data, given = getattr(self, field), getattr(self, f"{field}_hash")
            if data is None and given is None:
                raise ValueError(f"{field} or {field}_hash is missing")
            if data is not None and given not in (None, keccak256(data)):
                raise ValueError(f"{field}_hash is not the keccak256 of {field}")
