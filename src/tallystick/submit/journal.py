"""Write-ahead journal: which batch a file became, noted before it is sent."""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tallystick.batch import Batch

_SCHEMA = """
create table if not exists submission (
    key blob primary key,
    network_id blob not null,
    operator blob not null,
    batch_index integer not null,
    model_id blob not null,
    root blob not null,
    count integer not null,
    deadline integer not null
) strict
"""


@dataclass(frozen=True, slots=True)
class Source:
    """What makes two submissions the same one."""

    chain_id: int
    registry: bytes
    network_id: bytes
    operator: bytes
    model_id: bytes
    content: bytes
    """SHA-256 of the file, 32 bytes."""
    label: str = ""
    """Tells apart submissions of equal files."""

    @classmethod
    def digest(cls, path: Path) -> bytes:
        """Return a file's SHA-256, 32 bytes."""
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()

    @property
    def key(self) -> bytes:
        """What the journal knows it by, 32 bytes."""
        fixed = self.registry + self.network_id + self.operator + self.model_id + self.content
        head = self.chain_id.to_bytes(32, "big") + fixed
        return hashlib.sha256(head + self.label.encode()).digest()


class Journal:
    """The batches that sources became, in an SQLite file that survives crashes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def find(self, source: Source) -> Batch | None:
        """Return the batch noted for a source; None when it has none."""
        if not self._path.exists():
            return None
        with self._open() as database:
            row = database.execute(
                "select network_id, operator, batch_index, model_id, root, count, deadline"
                " from submission where key = ?",
                (source.key,),
            ).fetchone()
        return Batch(*row) if row else None

    def note(self, source: Source, batch: Batch) -> None:
        """Note the batch that is about to be sent, in place of one that can no longer be."""
        row = (
            source.key,
            batch.network_id,
            batch.operator,
            batch.index,
            batch.model_id,
            batch.root,
            batch.count,
            batch.commit_deadline,
        )
        with self._open() as database:
            database.execute("insert or replace into submission values (?,?,?,?,?,?,?,?)", row)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(self._path)
        try:
            database.execute("pragma synchronous = full")
            with database:
                database.execute(_SCHEMA)
                yield database
        finally:
            database.close()
