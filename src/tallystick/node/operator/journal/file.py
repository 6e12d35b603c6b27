"""The file under an operator's journal, and how it is written and read by many at a time."""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tallystick.batch import Batch, Stamp
from tallystick.node.operator.errors import JournalError
from tallystick.node.operator.journal.entries import Noted

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
TIMEOUT = 60.0
"""Seconds that a transaction waits for those of other processes."""
_CHECKPOINT = 8192
"""Pages of 4 KiB that the write-ahead log may have before they are moved into the file."""


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
        place: chain id and core as bytes: journals of two chains are never one.

    Raises:
        JournalError: the file is another lane's.
    """

    def __init__(self, path: Path, network_id: bytes, operator: bytes, place: bytes) -> None:
        self._path, self._network_id, self._operator = path, network_id, operator
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock, self._local = threading.RLock(), threading.local()
        self._queue: list[_Turn] = []
        self._queue_lock = threading.Lock()
        self._database = sqlite3.connect(
            path, timeout=TIMEOUT, isolation_level=None, check_same_thread=False
        )
        # Of a new file only; before anything is written to it.
        self._database.execute("pragma auto_vacuum = incremental")
        self._database.execute("pragma journal_mode = wal")
        # Requests' hashes dirty pages at random: the longer they gather, the fewer are written.
        self._database.execute(f"pragma wal_autocheckpoint = {_CHECKPOINT}")
        self._prepare()
        key = place + network_id + operator
        with self._write() as database:
            row = database.execute("select key from lane").fetchone()
            if row is None:
                database.execute("insert into lane values (?)", (key,))
            elif row[0] != key:
                raise JournalError(f"{path} is the journal of another lane")

    def close(self) -> None:
        """Close the file; threads that have read it close their part when they end."""
        with self._lock:
            self._database.close()

    def _prepare(self) -> None:
        """Make the tables, and give an older file what it lacks of them."""
        with self._write() as database:
            columns = {row[1] for row in database.execute("pragma table_info(batch)")}
            for name in ("pruning", "pruned") if columns else ():
                if name not in columns:
                    database.execute(f"alter table batch add column {name} integer")
            for statement in _SCHEMA.split(";\n"):
                database.execute(statement)
            columns = {row[1] for row in database.execute("pragma table_info(inference)")}
            for name in ("input", "output") if "input" in columns else ():
                database.execute(
                    f"insert into {name} select id, {name} from inference where {name} is not null"
                )
                database.execute(f"alter table inference drop column {name}")
        if not self._database.execute("pragma auto_vacuum").fetchone()[0]:
            self._database.execute("pragma auto_vacuum = incremental")
            self._database.execute("vacuum")

    def _noted(self, where: str, *values: object) -> list[Noted]:
        database = self._reader()
        rows = database.execute(
            "select id, batch_index, model_id, root, count, deadline, stamp, tx_hash"
            f" from batch {where}",
            values,
        ).fetchall()
        return [
            Noted(
                row[0],
                Batch(self._network_id, self._operator, *row[1:6]),
                None if row[6] is None else Stamp.unpack(row[6]),
                row[7],
            )
            for row in rows
        ]

    @contextmanager
    def _write(self, durable: bool = True) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._database.execute(f"pragma synchronous = {'full' if durable else 'normal'}")
            self._database.execute("begin immediate")
            try:
                yield self._database
            except BaseException:
                self._database.execute("rollback")
                raise
            self._database.execute("commit")

    def _together(self, work: Callable[[sqlite3.Connection], None], durable: bool) -> None:
        """Do a thread's work in one transaction with whatever else waits: one flush for all."""
        turn = _Turn(work, durable)
        with self._queue_lock:
            self._queue.append(turn)
        with self._lock:
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

    def _reader(self) -> sqlite3.Connection:
        """Return this thread's own connection: in WAL mode reads wait for no write."""
        found: sqlite3.Connection | None = getattr(self._local, "database", None)
        if found is None:
            found = sqlite3.connect(self._path, timeout=TIMEOUT, isolation_level=None)
            self._local.database = found
        return found
