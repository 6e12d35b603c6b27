"""An SQLite file that says what was done before it is done, and survives kill -9."""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tallystick.storage.sqlite_format import SqliteKind, need_format, set_format

TIMEOUT = 60.0
"""Seconds that a transaction waits for those of other processes."""


class SqliteJournal:
    """A journal's file: writes that wait for each other, and reads that wait for no write.

    Threads and processes may share a file. A write is on the disk when it is done, unless it is
    said that it need not be; killed in between, all of it is there or nothing.

    Args:
        path: the file's; made with its folder when it is missing.
        kind: of the file.
        version: of its format.
        create: given a connection, makes the tables of a new file, or of one older than versions;
            part of a transaction.
        pragmas: set before anything is written, such as "auto_vacuum = incremental".

    Raises:
        SqliteFormatError: the file is of another kind, or of an unknown version; it stays as it is.
    """

    def __init__(
        self,
        path: Path,
        kind: SqliteKind,
        version: int,
        create: Callable[[sqlite3.Connection], None],
        pragmas: Sequence[str] = (),
    ) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._lock, self._local = threading.RLock(), threading.local()
        self._database = _connect(path, check_same_thread=False)
        try:
            need_format(self._database, kind, version)
            for pragma in (*pragmas, "journal_mode = wal"):
                self._database.execute(f"pragma {pragma}")
            if self._database.execute("pragma user_version").fetchone() == (version,):
                return
            with self.write() as database:
                # Another process may have been first.
                need_format(database, kind, version)
                create(database)
                set_format(database, kind, version)
        except BaseException:
            self._database.close()
            raise

    def close(self) -> None:
        """Close the file; threads that have read it close their part when they end."""
        with self._lock:
            self._database.close()
        own: sqlite3.Connection | None = self._local.__dict__.pop("database", None)
        if own is not None:
            own.close()

    @contextmanager
    def exclusive(self) -> Iterator[sqlite3.Connection]:
        """Hold the connection that writes, outside a transaction."""
        with self._lock:
            yield self._database

    @contextmanager
    def write(self, durable: bool = True) -> Iterator[sqlite3.Connection]:
        """Do what follows in one transaction: all of it is kept, or nothing when it raises.

        Args:
            durable: on the disk when done; else it may be forgotten in a power cut, not by a kill.
        """
        with self.exclusive() as database:
            database.execute(f"pragma synchronous = {'full' if durable else 'normal'}")
            database.execute("begin immediate")
            try:
                yield database
            except BaseException:
                database.execute("rollback")
                raise
            database.execute("commit")

    def reader(self) -> sqlite3.Connection:
        """Return this thread's own connection: it sees what is committed, and waits for nobody."""
        found: sqlite3.Connection | None = getattr(self._local, "database", None)
        if found is None:
            found = self._local.database = _connect(self.path)
        return found

    def read(self, query: str, *values: object) -> list[Any]:
        """Return a query's rows."""
        return self.reader().execute(query, values).fetchall()


def create_tables(schema: str) -> Callable[[sqlite3.Connection], None]:
    """Return what makes tables: statements one after another, part of the transaction it is in.

    Args:
        schema: statements, each ended by a semicolon and a new line.
    """

    def create(database: sqlite3.Connection) -> None:
        # A script as a whole would end the transaction.
        for statement in schema.split(";\n"):
            database.execute(statement)

    return create


def _connect(path: Path, check_same_thread: bool = True) -> sqlite3.Connection:
    return sqlite3.connect(
        path, timeout=TIMEOUT, isolation_level=None, check_same_thread=check_same_thread
    )
