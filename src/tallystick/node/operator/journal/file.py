"""The file under an operator's journal, and how it is written and read by many at a time."""

import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from tallystick.node.operator.errors import JournalError
from tallystick.node.operator.journal.entries import PendingBatch
from tallystick.protocol.batch import Batch, Stamp
from tallystick.storage.sqlite_format import SqliteKind
from tallystick.storage.sqlite_journal import SqliteJournal, create_tables

# Bytes have tables of their own, one for what comes first and one for what comes later: the pages
# of what is deleted are free as a whole, and nothing is written twice.
_SCHEMA = """
create table if not exists lane (key blob not null) strict;
create table if not exists batch (
    id integer primary key,
    batch_id blob not null unique,
    batch_index integer not null,
    model_id blob not null,
    root blob not null,
    count integer not null,
    deadline integer not null,
    stamp blob,
    tx_hash blob,
    pruning integer,
    pruned integer
) strict;
create table if not exists inference (
    id integer primary key,
    request blob not null,
    requester blob not null,
    nonce blob not null,
    model_id blob not null,
    deadline integer not null,
    input_hash blob not null,
    signature blob not null,
    worker integer,
    output_hash blob,
    trace_root blob,
    answered_at integer,
    batch integer references batch(id),
    expired integer not null default 0,  -- 2: and its bytes are pruned
    unique (requester, nonce)
) strict;
create table if not exists input (id integer primary key, data blob not null) strict;
create table if not exists output (id integer primary key, data blob not null) strict;
create index if not exists inference_request on inference (request);
create index if not exists inference_batch on inference (batch) where batch is not null;
create index if not exists inference_waiting on inference (model_id, deadline)
    where batch is null and output_hash is not null and expired = 0;
create index if not exists inference_accepted on inference (worker) where worker is not null;
create index if not exists inference_expired on inference (deadline) where expired = 1;
create index if not exists batch_root on batch (root) where pruning is not null;
"""
FORMAT = 1
# Requests' hashes dirty pages at random: the longer they gather in the write-ahead log, pages of
# 4 KiB, the fewer are written.
_CHECKPOINTS = "wal_autocheckpoint = 8192"


@dataclass(slots=True)
class _Turn:
    """One thread's part of a transaction."""

    work: Callable[[sqlite3.Connection], None]
    durable: bool
    done: bool = False
    error: BaseException | None = None


class LaneFile:
    """One lane's SQLite file: transactions that wait for each other, and reads that do not.

    Args:
        path: the file's; made when it is missing.
        network_id: the lane's, 32 bytes.
        operator: the lane's, 20 bytes.
        place: chain id and registry as bytes: journals of two chains are never one.

    Raises:
        JournalError: the file is another lane's.
        SqliteFormatError: it is another kind of file, or of an unknown version.
    """

    def __init__(self, path: Path, network_id: bytes, operator: bytes, place: bytes) -> None:
        self._network_id, self._operator = network_id, operator
        self._queue: list[_Turn] = []
        self._queue_lock = threading.Lock()
        kind, pragmas = SqliteKind.OPERATOR_JOURNAL, ("auto_vacuum = incremental", _CHECKPOINTS)
        self._file = SqliteJournal(path, kind, FORMAT, _create, pragmas)
        with self._file.exclusive() as database:
            # An older file was begun without.
            if not database.execute("pragma auto_vacuum").fetchone()[0]:
                database.execute("pragma auto_vacuum = incremental")
                database.execute("vacuum")
        key = place + network_id + operator
        with self._write() as database:
            row = database.execute("select key from lane").fetchone()
            if row is None:
                database.execute("insert into lane values (?)", (key,))
            elif row[0] != key:
                raise JournalError(f"{path} is the journal of another lane")

    def close(self) -> None:
        """Close the file; threads that have read it close their part when they end."""
        self._file.close()

    def _noted(self, where: str, *values: object) -> list[PendingBatch]:
        database = self._reader()
        rows = database.execute(
            "select id, batch_index, model_id, root, count, deadline, stamp, tx_hash"
            f" from batch {where}",
            values,
        ).fetchall()
        return [
            PendingBatch(
                row[0],
                Batch(self._network_id, self._operator, *row[1:6]),
                None if row[6] is None else Stamp.unpack(row[6]),
                row[7],
            )
            for row in rows
        ]

    def _write(self, durable: bool = True) -> AbstractContextManager[sqlite3.Connection]:
        return self._file.write(durable)

    def _reader(self) -> sqlite3.Connection:
        return self._file.reader()

    def _together(self, work: Callable[[sqlite3.Connection], None], durable: bool) -> None:
        """Do a thread's work in one transaction with whatever else waits: one flush for all."""
        turn = _Turn(work, durable)
        with self._queue_lock:
            self._queue.append(turn)
        with self._file.exclusive():
            if not turn.done:
                with self._queue_lock:
                    turns, self._queue = self._queue, []
                self._do(turns)
        if turn.error is not None:
            raise turn.error

    def _do(self, turns: Sequence["_Turn"]) -> None:
        try:
            with self._write(any(turn.durable for turn in turns)) as database:
                for turn in turns:
                    database.execute("savepoint turn")
                    try:
                        turn.work(database)
                    except sqlite3.Error as error:
                        turn.error = error
                        database.execute("rollback to turn")
                    database.execute("release turn")
        except BaseException as error:
            for turn in turns:
                turn.error = error
            raise
        finally:
            for turn in turns:
                turn.done = True


def _create(database: sqlite3.Connection) -> None:
    """Make the tables, and give an older file what it lacks of them."""
    columns = {row[1] for row in database.execute("pragma table_info(batch)")}
    for name in ("pruning", "pruned") if columns else ():
        if name not in columns:
            database.execute(f"alter table batch add column {name} integer")
    create_tables(_SCHEMA)(database)
    columns = {row[1] for row in database.execute("pragma table_info(inference)")}
    for name in ("input", "output") if "input" in columns else ():
        database.execute(
            f"insert into {name} select id, {name} from inference where {name} is not null"
        )
        database.execute(f"alter table inference drop column {name}")
