"""Files that are there whole or not at all, also after a crash."""

import io
import os
import threading
from collections.abc import Collection
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def replace_file(path: Path, content: bytes, shared: bool = False) -> None:
    """Write a file so that a crash at any point leaves the old content or the new, whole.

    Args:
        path: its folder is made if need be.
        content: all of it.
        shared: whether several threads and processes may write this file at a time: each begins
            under a name of its own. Else what a crash leaves unfinished is used again.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    own = f"{path.name}.{os.getpid()}-{threading.get_ident()}.part"
    temporary = path.with_name(own if shared else f".{path.name}.tmp")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def parquet(table: pa.Table, unique: Collection[str] = ()) -> bytes:
    """Return a table as a Parquet file; equal tables give equal bytes.

    Args:
        table: what it holds.
        unique: columns whose values hardly repeat; no time is spent to find those that do.
    """
    sink = io.BytesIO()
    repeated = [name for name in table.column_names if name not in unique]
    pq.write_table(table, sink, compression="zstd", compression_level=1, use_dictionary=repeated)
    return sink.getvalue()
