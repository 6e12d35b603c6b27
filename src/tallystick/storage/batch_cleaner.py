"""Process that reads batch files of strangers, and writes what they hold anew, in plain Parquet.

`python -m tallystick.storage.batch_cleaner SOCKET MEMORY TIMEOUT MAX_SIZE`, begun by BatchParser. A
file that is a bomb, or breaks the library, takes this process down and no other. Messages are
bytes, never pickles: whole files come, and a Reply's byte goes back before what it is about.
"""

import contextlib
import os
import resource
import sys
from enum import IntEnum
from multiprocessing.connection import Connection
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from tallystick.protocol.merkle import MAX_COUNT
from tallystick.storage.batch_store import BYTES, FIELDS

_ROWS = 1 << 10
READY = b"ready"
"""Sent once, when files may come."""
_TIRED = 4
"""Part of the memory that may stay taken after a file; beyond, the process ends."""


class Reply(IntEnum):
    """The first byte of an answer."""

    CLEAN = 0
    """A plain file follows."""
    REFUSED = 1
    """The file is no batch; a reason follows."""
    NO_MEMORY = 2
    """The file needs more memory than allowed; the process is at its end."""
    CLEAN_AND_TIRED = 3
    """A plain file follows, and the process ends."""


def clean(packed: bytes, max_size: int) -> bytes:
    """Return a file with the same metadata and rows, without compression and dictionaries.

    Of a file with other columns no rows are written, and of one too large only what is enough to
    refuse it: the reader says what is wrong with it.

    Args:
        packed: the file.
        max_size: bytes of its rows that are enough.

    Raises:
        ArrowException: it is no Parquet file.
        ValueError: it has bytes by a dictionary, which could make a few of them many.
    """
    file = parquet.ParquetFile(pa.BufferReader(packed))
    schema, metadata = file.schema_arrow, file.schema_arrow.metadata
    if not schema.remove_metadata().equals(FIELDS):
        schema = pa.schema([], metadata)
    else:
        _check_plain(file.metadata)
    sink = pa.BufferOutputStream()
    with parquet.ParquetWriter(
        sink, schema, compression="none", use_dictionary=False, write_statistics=False
    ) as writer:
        unpacked = rows = 0
        for batch in file.iter_batches(_ROWS, use_threads=False) if len(schema) else ():
            writer.write_batch(batch)
            unpacked, rows = unpacked + batch.nbytes, rows + batch.num_rows
            if unpacked > max_size or rows > MAX_COUNT:
                break
    return bytes(sink.getvalue())


def _check_plain(metadata: parquet.FileMetaData) -> None:
    places = [place for place, name in enumerate(FIELDS.names) if name in BYTES]
    for group in range(metadata.num_row_groups):
        for place in places:
            column = metadata.row_group(group).column(place)
            if any("DICTIONARY" in encoding for encoding in column.encodings):
                raise ValueError(f"the bytes of column {FIELDS.names[place]} are by a dictionary")


def main() -> None:
    """Answer until the other side is gone."""
    descriptor, memory, timeout, max_size = map(int, sys.argv[1:])
    pa.set_cpu_count(1)
    _go_first()
    base = _address_space()
    _limit(resource.RLIMIT_AS, base + memory)
    _limit(resource.RLIMIT_CORE, 0)
    with Connection(descriptor) as caller:
        caller.send_bytes(READY)
        while True:
            try:
                packed = caller.recv_bytes()
            except EOFError:
                return
            used = resource.getrusage(resource.RUSAGE_SELF)
            # Should the other side be killed meanwhile, nobody else ends this process.
            _limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + timeout + 1)
            try:
                plain = clean(packed, max_size)
                is_tired = _address_space() - base > memory // _TIRED
                caller.send_bytes(bytes([Reply.CLEAN_AND_TIRED if is_tired else Reply.CLEAN]))
                caller.send_bytes(plain)
                if is_tired:
                    return
            except MemoryError:  # Arrow's too.
                caller.send_bytes(bytes([Reply.NO_MEMORY]))
                caller.send_bytes(b"")
                return
            except Exception as error:
                caller.send_bytes(bytes([Reply.REFUSED]))
                caller.send_bytes(" ".join(str(error).split()).encode()[:1000])


def _limit(kind: int, soft: int) -> None:
    # Not every system knows every limit, or an administrator has set a lower one.
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(kind, (soft, resource.getrlimit(kind)[1]))


def _go_first() -> None:
    """Have the kernel end this process before others when memory is short."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def _address_space() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main()
