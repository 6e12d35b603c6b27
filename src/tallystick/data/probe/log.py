"""Probe log: a file of JSON Lines, one object for each probe, that survives crashes.

A last line without its newline counts if it is whole. Otherwise it is torn, by a crash in the
middle of a write: reading passes over it, and the next append cuts it off.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path

import pyarrow as pa
from pydantic import ValidationError

from tallystick.data.probe.errors import ProbeLogError
from tallystick.data.probe.result import ProbeResult
from tallystick.errors import FieldError, WrongLine

MOST_WRONG = 20
"""So many wrong lines are named, then reading stops."""
SCHEMA = pa.schema(
    [
        pa.field("time", pa.float64(), nullable=False),
        pa.field("chain_id", pa.int64(), nullable=False),
        pa.field("core", pa.binary(), nullable=False),
        pa.field("network_id", pa.binary(), nullable=False),
        pa.field("operator", pa.binary(), nullable=False),
        pa.field("url", pa.string(), nullable=False),
        pa.field("answered", pa.bool_(), nullable=False),
        pa.field("seconds_to_first_byte", pa.float64()),
        pa.field("seconds_to_last_byte", pa.float64()),
        pa.field("status", pa.int16()),
        pa.field("signature", pa.string(), nullable=False),
        pa.field("error", pa.string()),
    ]
)
"""Columns of a log that was read: the fields of ProbeResult, ids and addresses as bytes."""
_BLOCK = 1 << 16
_UNUSABLE = (ValidationError, FieldError)


class ProbeLog:
    """A log that several processes may append to.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     log = ProbeLog(Path(folder) / "probes.jsonl")
    ...     log.append([ProbeResult(9, 1, b"c" * 20, b"n" * 32, b"o" * 20, "http://a", False)])
    ...     log.read().num_rows
    1
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, results: Iterable[ProbeResult]) -> None:
        """Add results at the end, in one write that is on the disk on return.

        Raises:
            OSError: the file cannot be written; it is then as it was before.
        """
        data = b"".join(result.to_line() for result in results)
        if not data:
            return
        created = not self._path.exists()
        file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            # The tail of another process's unfinished write must not be taken for a torn line.
            fcntl.flock(file, fcntl.LOCK_EX)
            end, tail = _tail(file)
            if tail and _whole(tail):
                data = b"\n" + data
            elif tail:
                end -= len(tail)
                os.ftruncate(file, end)
            if os.write(file, data) != len(data):
                os.ftruncate(file, end)
                raise OSError(f"{self._path}: the disk took only part of the results")
            os.fsync(file)
        finally:
            os.close(file)
        if created:
            _sync_folder(self._path.parent)

    def read(self) -> pa.Table:
        """Return the log in the file's order, in the columns of SCHEMA.

        Raises:
            ProbeLogError: the wrong lines, each with its number and what is wrong.
            OSError: the file cannot be read.
        """
        columns: dict[str, list[object]] = {field.name: [] for field in fields(ProbeResult)}
        for result in self.results():
            for name, column in columns.items():
                column.append(getattr(result, name))
        return pa.Table.from_pydict(columns, SCHEMA)

    def results(self) -> Iterator[ProbeResult]:
        """Yield the results one by one; raises as `read` does, once the good ones are out."""
        wrong: list[WrongLine] = []
        with self._path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                try:
                    yield ProbeResult.from_line(line)
                except _UNUSABLE as error:
                    if not line.endswith(b"\n"):
                        break
                    if len(wrong) == MOST_WRONG:
                        raise ProbeLogError(wrong, more=True) from None
                    wrong.append(WrongLine(number, _reason(error)))
        if wrong:
            raise ProbeLogError(wrong)


def _tail(file: int) -> tuple[int, bytes]:
    """Return a file's length and what stands after its last newline."""
    end = start = os.fstat(file).st_size
    tail = b""
    while start and b"\n" not in tail:
        length = min(_BLOCK, start)
        start -= length
        tail = os.pread(file, length, start) + tail
    return end, tail[tail.rfind(b"\n") + 1 :]


def _whole(line: bytes) -> bool:
    try:
        ProbeResult.from_line(line)
    except _UNUSABLE:
        return False
    return True


def _reason(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    return "; ".join(
        ": ".join([*[".".join(str(step) for step in one["loc"])] * bool(one["loc"]), one["msg"]])
        for one in error.errors(include_url=False)
    )


def _sync_folder(folder: Path) -> None:
    """Put a new file's name on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
