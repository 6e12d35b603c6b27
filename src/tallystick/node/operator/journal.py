"""What an operator must not forget: an SQLite file, written before anything is said or sent.

    accepted    the nonce is taken; no answer was given yet
    answered    the answer is kept; only then it is given
    in a batch  the batch and its data are kept; only then it is sent
    committed   the chain has the batch, where and in which transaction

A process that dies leaves accepted requests behind that nobody has an answer to: whoever takes its
place releases them. Everything else is carried on from where it stands.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tallystick.batch import Batch, Stamp
from tallystick.node.operator.errors import JournalError
from tallystick.record import Record
from tallystick.words import ZERO32

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
    tx_hash blob
) strict;
create table if not exists inference (
    id integer primary key,
    request blob not null,
    requester blob not null,
    nonce blob not null,
    model_id blob not null,
    deadline integer not null,
    input_hash blob not null,
    input blob,
    signature blob not null,
    worker integer,
    output_hash blob,
    output blob,
    trace_root blob,
    answered_at integer,
    batch integer references batch(id),
    expired integer not null default 0,
    unique (requester, nonce)
) strict;
create index if not exists inference_request on inference (request);
create index if not exists inference_batch on inference (batch) where batch is not null;
create index if not exists inference_waiting on inference (model_id, deadline)
    where batch is null and output_hash is not null and expired = 0;
create index if not exists inference_accepted on inference (worker) where worker is not null;
"""
_ATTEMPTS = 3
_CHECKPOINT = 8192
"""Pages of 4 KiB that the write-ahead log may have before they are moved into the file."""
_RECORD = (
    "input_hash, output_hash, requester, nonce, deadline, trace_root, signature, input, output"
)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A request whose nonce is to be taken."""

    request: bytes
    """hashStruct of the Request, 32 bytes."""
    record: Record
    """What is known of it; its output hash is zero so far."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to a request."""

    request: bytes
    output: bytes
    output_hash: bytes
    trace_root: bytes


@dataclass(frozen=True, slots=True)
class Known:
    """What the journal has under a (requester, nonce)."""

    request: bytes
    answer: Answered | None
    """None: not answered yet, or its bytes are no longer here."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Answers of one model that no batch holds."""

    model_id: bytes
    count: int
    oldest: int
    """Unix seconds, when the first of them was answered."""
    first_deadline: int
    """Unix seconds."""


@dataclass(frozen=True, slots=True)
class Noted:
    """A batch that was, or is about to be, sent."""

    key: int
    """The journal's own number of it."""
    batch: Batch
    stamp: Stamp | None
    """As at commit; None: the chain is not known to have it."""
    transaction: bytes | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where an inference stands."""

    model_id: bytes
    record: Record
    answered: bool
    expired: bool
    batch: Noted | None


class Journal:
    """The journal of one lane; several processes may share the file.

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
            path, timeout=60, isolation_level=None, check_same_thread=False
        )
        self._database.execute("pragma journal_mode = wal")
        # Requests' hashes dirty pages at random: the longer they gather, the fewer are written.
        self._database.execute(f"pragma wal_autocheckpoint = {_CHECKPOINT}")
        self._database.executescript(_SCHEMA)
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

    # Requests.

    def accept(
        self, model_id: bytes, requests: Sequence[Accepted], worker: int
    ) -> list[Known | None]:
        """Take the nonces of requests: all, or none when one is taken already.

        Returns:
            For each request what has its nonce already; None for all when they were taken now.
        """
        rows = [
            (
                one.request,
                one.record.requester,
                _nonce(one.record),
                model_id,
                one.record.deadline,
                one.record.input_hash,
                one.record.input,
                one.record.signature,
                worker,
            )
            for one in requests
        ]

        def insert(database: sqlite3.Connection) -> None:
            database.executemany(
                "insert into inference (request, requester, nonce, model_id, deadline,"
                " input_hash, input, signature, worker) values (?,?,?,?,?,?,?,?,?)",
                rows,
            )

        for _ in range(_ATTEMPTS):
            try:
                # Nobody has been told of these: they may be forgotten in a power cut.
                self._together(insert, durable=False)
                return [None] * len(rows)
            except sqlite3.IntegrityError:
                known = self.known(requests)
            # Whoever had the nonce may have given it back by now.
            if any(known):
                return known
        raise JournalError("nonces are taken and given back again and again")

    def known(self, requests: Sequence[Accepted]) -> list[Known | None]:
        """Return for each request what has its nonce already."""
        database = self._reader()
        return [_known(database, one.record.requester, _nonce(one.record)) for one in requests]

    def answer(self, answers: Sequence[Answered], now: int) -> None:
        """Keep the answers to accepted requests.

        Args:
            answers: any number.
            now: Unix seconds.
        """
        rows = [(one.output, one.output_hash, one.trace_root, now, one.request) for one in answers]

        def update(database: sqlite3.Connection) -> None:
            database.executemany(
                "update inference set output = ?, output_hash = ?, trace_root = ?, answered_at = ?,"
                " worker = null where request = ? and output_hash is null",
                rows,
            )

        self._together(update, durable=True)

    def release(self, requests: Sequence[bytes]) -> None:
        """Give back the nonces of accepted requests that will get no answer."""
        with self._write() as database:
            database.executemany(
                "delete from inference where request = ? and output_hash is null",
                [(request,) for request in requests],
            )

    def accepting(self) -> list[int]:
        """Return the numbers of the workers that have accepted what they have not answered."""
        database = self._reader()
        rows = database.execute(
            "select distinct worker from inference where worker is not null"
        ).fetchall()
        return [row[0] for row in rows]

    def release_worker(self, worker: int) -> int:
        """Give back the nonces that a worker, now gone, had accepted; returns how many."""
        with self._write() as database:
            done = database.execute(
                "delete from inference where worker = ? and output_hash is null", (worker,)
            )
            return done.rowcount

    def find(self, requests: Sequence[bytes]) -> list[Place | None]:
        """Return where the inferences of requests stand; None for an unknown one."""
        marks = ",".join("?" * len(requests))
        database = self._reader()
        rows = database.execute(
            f"select request, model_id, output_hash is not null, expired, batch, {_RECORD}"
            f" from inference where request in ({marks})",
            list(requests),
        ).fetchall()
        keys = list({row[4] for row in rows if row[4] is not None})
        marks = ",".join("?" * len(keys))
        batches = {one.key: one for one in self._noted(f"where id in ({marks})", *keys)}
        found = {
            row[0]: Place(row[1], _record(row[5:]), bool(row[2]), bool(row[3]), batches.get(row[4]))
            for row in rows
        }
        return [found.get(request) for request in requests]

    # Batches.

    def waiting(self) -> list[Waiting]:
        """Return what waits to be committed, by model."""
        database = self._reader()
        rows = database.execute(
            "select model_id, count(*), min(answered_at), min(deadline) from inference"
            " where batch is null and output_hash is not null and expired = 0"
            " group by model_id order by model_id"
        ).fetchall()
        return [Waiting(*row) for row in rows]

    def unsettled(self) -> int:
        """Return how many inferences are in batches that the chain is not known to have."""
        database = self._reader()
        row = database.execute("select coalesce(sum(count), 0) from batch where stamp is null")
        return int(row.fetchone()[0])

    def expire(self, now: int) -> int:
        """Mark answers that no batch can hold any more; returns how many.

        Args:
            now: Unix seconds; time of a block mined now.
        """
        with self._write() as database:
            done = database.execute(
                "update inference set expired = 1 where batch is null and output_hash is not null"
                " and expired = 0 and deadline < ?",
                (now,),
            )
            return done.rowcount

    def take(
        self, model_id: bytes, most: int, first_deadline: int, last_deadline: int
    ) -> list[Record]:
        """Return answers that wait for a batch, the most urgent first.

        Args:
            model_id: the batch's.
            most: how many at most.
            first_deadline: Unix seconds; the batch has that long to be mined.
            last_deadline: Unix seconds; later ones would be a fault if committed now.
        """
        database = self._reader()
        rows = database.execute(
            f"select {_RECORD} from inference where model_id = ? and batch is null"
            " and output_hash is not null and expired = 0 and deadline between ? and ?"
            " order by deadline, id limit ?",
            (model_id, first_deadline, last_deadline, most),
        ).fetchall()
        return [_record(row) for row in rows]

    def note(self, batch: Batch, records: Sequence[Record]) -> Noted:
        """Note a batch that is about to be sent, with its leaves."""
        with self._write() as database:
            key = self._insert(batch)
            done = database.executemany(
                "update inference set batch = ? where requester = ? and nonce = ?"
                " and batch is null and output_hash is not null",
                [(key, record.requester, _nonce(record)) for record in records],
            )
            if done.rowcount != len(records):
                raise JournalError("another process has put some of the answers into a batch")
        return Noted(key, batch, None, None)

    def adopt(
        self, batch: Batch, records: Sequence[Record], stamp: Stamp, transaction: bytes
    ) -> None:
        """Keep a batch that the chain has and this journal does not, and its nonces."""
        with self._write() as database:
            key = self._insert(batch)
            database.execute(
                "update batch set stamp = ?, tx_hash = ? where id = ?",
                (stamp.pack(), transaction, key),
            )
            database.executemany(
                "insert into inference (request, requester, nonce, model_id, deadline, input_hash,"
                " input, signature, output_hash, output, trace_root, answered_at, batch)"
                " values (?,?,?,?,?,?,?,?,?,?,?,?,?)"
                " on conflict (requester, nonce) do update set batch = excluded.batch",
                [
                    (
                        record.inference(batch.model_id, batch.operator).request().struct_hash(),
                        record.requester,
                        _nonce(record),
                        batch.model_id,
                        record.deadline,
                        record.input_hash,
                        record.input,
                        record.signature,
                        record.output_hash,
                        record.output,
                        record.trace_root,
                        stamp.committed_at,
                        key,
                    )
                    for record in records
                ],
            )

    def settle(self, noted: Noted, stamp: Stamp, transaction: bytes) -> None:
        """Note that the chain has a batch: its stamp as at commit, and the transaction's hash."""
        with self._write() as database:
            database.execute(
                "update batch set stamp = ?, tx_hash = ? where id = ?",
                (stamp.pack(), transaction, noted.key),
            )

    def abandon(self, noted: Noted) -> None:
        """Give up a batch that the chain can never take; its answers wait again."""
        with self._write() as database:
            database.execute("update inference set batch = null where batch = ?", (noted.key,))
            database.execute("delete from batch where id = ?", (noted.key,))

    def batches(self) -> list[Noted]:
        """Return all batches in the order of their indices."""
        return self._noted("order by batch_index, id")

    def records(self, noted: Noted) -> list[Record]:
        """Return a batch's records in the order of its leaves."""
        database = self._reader()
        rows = database.execute(
            f"select {_RECORD} from inference where batch = ? order by requester, nonce",
            (noted.key,),
        ).fetchall()
        return [_record(row) for row in rows]

    def _insert(self, batch: Batch) -> int:
        done = self._database.execute(
            "insert into batch (batch_id, batch_index, model_id, root, count, deadline)"
            " values (?,?,?,?,?,?)",
            (batch.id(), batch.index, batch.model_id, batch.root, batch.count, batch.by),
        )
        assert done.lastrowid is not None
        return done.lastrowid

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
            found = sqlite3.connect(self._path, timeout=60, isolation_level=None)
            self._local.database = found
        return found


@dataclass(slots=True)
class _Turn:
    """One thread's part of a transaction."""

    work: Callable[[sqlite3.Connection], None]
    durable: bool
    done: bool = False
    error: BaseException | None = None


def _known(database: sqlite3.Connection, requester: bytes, nonce: bytes) -> Known | None:
    row = database.execute(
        "select request, output, output_hash, trace_root from inference"
        " where requester = ? and nonce = ?",
        (requester, nonce),
    ).fetchone()
    if row is None:
        return None
    return Known(row[0], None if row[1] is None or row[2] is None else Answered(*row))


def _nonce(record: Record) -> bytes:
    # SQLite's integers have 63 bits; bytes order alike.
    return (record.nonce or 0).to_bytes(8, "big")


def _record(row: Sequence[Any]) -> Record:
    input_hash, output_hash, requester, nonce, deadline, trace, signature, input_, output = row
    return Record(
        input_hash,
        output_hash or ZERO32,
        requester,
        int.from_bytes(nonce, "big"),
        deadline,
        trace or ZERO32,
        signature,
        input_,
        output,
    )
