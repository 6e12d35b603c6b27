"""What a verifier knows and has done, in an SQLite file that survives kill -9.

Written ahead: a transaction is in here, signed, before the chain can see it, and a statement before
any other member can. Several processes of one node share one file.
"""

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from web3.types import LogReceipt

from tallystick.chain.logs import decode_log, topic_of
from tallystick.events import BatchEvent, Event

E = TypeVar("E", bound=Event)

_SCHEMA = """
create table if not exists log (
    block integer not null,
    place integer not null,
    tx_hash blob not null,
    address blob not null,
    topics blob not null,
    data blob not null,
    primary key (block, place)
) strict, without rowid;
create index if not exists log_of on log (substr(topics, 97, 32), substr(topics, 1, 32));
create index if not exists log_with on log (substr(topics, 33, 32), substr(topics, 1, 32));
create table if not exists checkpoint (
    block integer primary key,
    hash blob not null
) strict;
create table if not exists counter (
    name text primary key,
    value integer not null
) strict, without rowid;
create table if not exists finding (
    batch_id blob primary key,
    kind text not null,
    leaf_index integer not null,
    note text not null,
    executed integer not null,
    seed blob not null
) strict, without rowid;
create table if not exists statement (
    digest blob primary key,
    subject blob not null unique,
    json text not null,
    signed_at real not null
) strict, without rowid;
create table if not exists move (
    id integer primary key,
    batch_id blob not null,
    kind text not null,
    turn integer not null,
    status text not null,
    sender blob not null,
    nonce integer not null,
    tx_hash blob not null,
    raw blob not null,
    asset blob not null,
    bond text not null,
    gas_cost text not null,
    made_at integer not null
) strict;
create index if not exists move_of on move (batch_id, kind, turn);
create index if not exists move_by on move (status);
"""


class MoveStatus(StrEnum):
    """What became of a move."""

    SIGNED = "signed"
    """May be on its way; sent again until a block holds it or another took its nonce."""
    MINED = "mined"
    REVERTED = "reverted"
    LOST = "lost"
    """Another transaction took its nonce: it can never be mined."""
    DRY = "dry"
    """Only said, not sent."""


@dataclass(frozen=True, slots=True)
class Move:
    """A transaction about a batch."""

    batch_id: bytes
    kind: str
    """Name of the core's function."""
    turn: int
    """Tells apart moves of one kind that may each be made once."""
    status: MoveStatus
    sender: bytes
    nonce: int
    tx_hash: bytes
    raw: bytes
    """Signed, as it is sent."""
    asset: bytes
    """Of the bond."""
    bond: int
    gas_cost: int
    """Wei: what it can cost at most; once mined, what it cost."""
    made_at: int
    """Unix seconds of the chain."""
    id: int = 0
    """In the journal."""


@dataclass(frozen=True, slots=True)
class Noted:
    """What was found out about a batch."""

    kind: str
    leaf_index: int
    note: str
    executed: int
    """Leaves re-executed."""
    seed: bytes
    """Of the draw, 32 bytes, or empty."""


class Journal:
    """A node's journal.

    Args:
        path: its file; the folder is made.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._local = path, threading.local()
        with self._write() as database:
            for statement in _SCHEMA.split(";"):
                database.execute(statement)

    # Events

    def checkpoints(self) -> list[tuple[int, bytes]]:
        """Return the blocks up to which logs are here, with their hashes, the latest first."""
        rows = self._read("select block, hash from checkpoint order by block desc")
        return [(int(block), bytes(digest)) for block, digest in rows]

    @property
    def generation(self) -> int:
        """How often logs were taken back."""
        return self._counter("generation")

    def extend(
        self, after: int | None, logs: Iterable[LogReceipt], block: int, digest: bytes
    ) -> bool:
        """Keep the logs from the block behind `after` up to `block`.

        Args:
            after: the latest checkpoint that the logs follow; None: they are the first.
            logs: in order.
            block: the new checkpoint.
            digest: its hash.

        Returns:
            Whether `after` was still the latest checkpoint; else nothing was kept.
        """
        rows = [
            (
                log["blockNumber"],
                log["logIndex"],
                bytes(log["transactionHash"]),
                bytes.fromhex(log["address"][2:]),
                b"".join(bytes(topic) for topic in log["topics"]),
                bytes(log["data"]),
            )
            for log in logs
        ]
        with self._write() as database:
            (latest,) = database.execute("select max(block) from checkpoint").fetchone()
            if latest != after:
                return False
            database.executemany("insert into log values (?,?,?,?,?,?)", rows)
            database.execute("insert into checkpoint values (?,?)", (block, digest))
            # Of old ones every so many are enough to find where a reorg began.
            database.execute(
                "delete from checkpoint where block < ? and block % 1000 != 0"
                " and block != (select min(block) from checkpoint)",
                (block - 1000,),
            )
        return True

    def take_back(self, block: int) -> None:
        """Forget the logs and checkpoints behind a block; -1 for all."""
        with self._write() as database:
            database.execute("delete from log where block > ?", (block,))
            database.execute("delete from checkpoint where block > ?", (block,))
            self._count(database, "generation", 1)

    def logs(self, after: tuple[int, int]) -> Iterator[dict[str, Any]]:
        """Yield the logs behind a place (block, log), in order, as a node gives them."""
        rows = self._read(
            "select * from log where (block, place) > (?, ?) order by block, place", *after
        )
        yield from map(_log, rows)

    def events(self, kind: type[E], batch_id: bytes) -> list[E]:
        """Return a batch's events of a kind, in order.

        Args:
            kind: a BatchEvent, or one that carries data.
            batch_id: 32 bytes.
        """
        place = 97 if issubclass(kind, BatchEvent) else 33
        rows = self._read(
            f"select * from log where substr(topics, {place}, 32) = ?"
            " and substr(topics, 1, 32) = ? order by block, place",
            batch_id,
            topic_of(kind),
        )
        found = (decode_log(_log(row)) for row in rows)
        return [event for event in found if isinstance(event, kind)]

    # Findings

    def finding(self, batch_id: bytes) -> Noted | None:
        """Return what is known of a batch; None while it was not looked at."""
        rows = self._read(
            "select kind, leaf_index, note, executed, seed from finding where batch_id = ?",
            batch_id,
        )
        return Noted(*rows[0]) if rows else None

    def note_finding(self, batch_id: bytes, found: Noted) -> None:
        """Keep what was found, in place of what was before."""
        row = batch_id, found.kind, found.leaf_index, found.note, found.executed, found.seed
        with self._write() as database:
            database.execute("insert or replace into finding values (?,?,?,?,?,?)", row)

    def forget_finding(self, batch_id: bytes) -> None:
        """Have a batch be looked at again."""
        with self._write() as database:
            database.execute("delete from finding where batch_id = ?", (batch_id,))

    def findings(self) -> dict[str, tuple[int, int]]:
        """Return batches and leaves re-executed, by kind of finding."""
        rows = self._read("select kind, count(*), sum(executed) from finding group by kind")
        return {kind: (batches, leaves) for kind, batches, leaves in rows}

    # Statements

    def statement(self, subject: bytes) -> tuple[str, float] | None:
        """Return what this node signed on a subject, as JSON, and when, in Unix seconds."""
        rows = self._read("select json, signed_at from statement where subject = ?", subject)
        return rows[0] if rows else None

    def statement_by_digest(self, digest: bytes) -> str | None:
        """Return what this node signed under a digest, as JSON."""
        rows = self._read("select json from statement where digest = ?", digest)
        return rows[0][0] if rows else None

    def audits(self) -> int:
        """Return how many audits this node signed."""
        rows = self._read("""select count(*) from statement where json like '%"kind": "audit"%'""")
        return int(rows[0][0])

    def note_statement(self, digest: bytes, subject: bytes, json: str, signed_at: float) -> bool:
        """Keep a statement; False when another one on the subject is here: it stays."""
        with self._write() as database:
            done = database.execute(
                "insert or ignore into statement values (?,?,?,?)",
                (digest, subject, json, signed_at),
            )
            return done.rowcount == 1

    # Moves

    def moves(self, batch_id: bytes, kind: str, turn: int | None = None) -> list[Move]:
        """Return the moves of a kind about a batch, the oldest first."""
        return self._moves(
            "batch_id = ? and kind = ? and (? is null or turn = ?)", batch_id, kind, turn, turn
        )

    def pending(self) -> list[Move]:
        """Return the moves that may be on their way, in the order of nonces."""
        return sorted(self._moves("status = ?", MoveStatus.SIGNED), key=lambda move: move.nonce)

    def note_move(self, move: Move) -> None:
        """Keep a move that is about to be sent."""
        row = (
            *(move.batch_id, move.kind, move.turn, move.status, move.sender, move.nonce),
            *(move.tx_hash, move.raw, move.asset, str(move.bond), str(move.gas_cost), move.made_at),
        )
        with self._write() as database:
            database.execute(f"insert into move values (null,{','.join('?' * len(row))})", row)

    def settle(self, move: Move, status: MoveStatus, gas_cost: int) -> None:
        """Keep what became of a move, and what its gas cost in wei."""
        with self._write() as database:
            database.execute(
                "update move set status = ?, gas_cost = ? where id = ?",
                (status, str(gas_cost), move.id),
            )

    def spent(self, since: int) -> dict[bytes, int]:
        """Return what moves made since then put up: bonds by asset, and gas as the zero asset.

        Args:
            since: Unix seconds of the chain.
        """
        sums: dict[bytes, int] = {}
        for status, asset, bond, gas_cost in self._read(
            "select status, asset, bond, gas_cost from move where made_at > ? and status != ?",
            since,
            MoveStatus.DRY,
        ):
            if status == MoveStatus.LOST:
                continue
            sums[bytes(20)] = sums.get(bytes(20), 0) + int(gas_cost)
            if status != MoveStatus.REVERTED:
                sums[asset] = sums.get(asset, 0) + int(bond)
        return sums

    def made(self) -> list[tuple[str, str, int]]:
        """Return how many moves there are, by kind and status."""
        return self._read("select kind, status, count(*) from move group by kind, status")

    def _moves(self, where: str, *values: object) -> list[Move]:
        found = []
        for row in self._read(
            "select batch_id, kind, turn, status, sender, nonce, tx_hash, raw, asset, bond,"
            f" gas_cost, made_at, id from move where {where} order by id",
            *values,
        ):
            batch_id, kind, turn, status, sender, nonce, tx_hash, raw, asset, bond, gas, *rest = row
            known = batch_id, kind, turn, MoveStatus(status), sender, nonce, tx_hash, raw, asset
            found.append(Move(*known, int(bond), int(gas), *rest))
        return found

    # The file

    def _counter(self, name: str) -> int:
        rows = self._read("select value from counter where name = ?", name)
        return int(rows[0][0]) if rows else 0

    @staticmethod
    def _count(database: sqlite3.Connection, name: str, by: int) -> None:
        database.execute(
            "insert into counter values (?, ?)"
            " on conflict (name) do update set value = value + excluded.value",
            (name, by),
        )

    def _read(self, query: str, *values: object) -> list[Any]:
        return self._connection().execute(query, values).fetchall()

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        database = self._connection()
        database.execute("begin immediate")
        try:
            yield database
        except BaseException:
            database.execute("rollback")
            raise
        database.execute("commit")

    def _connection(self) -> sqlite3.Connection:
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = sqlite3.connect(self._path, timeout=60, isolation_level=None)
            found.execute("pragma journal_mode = wal")
            found.execute("pragma synchronous = full")
            self._local.connection = found
        return found


def _log(row: tuple[Any, ...]) -> dict[str, Any]:
    """Return a log as a node gives it."""
    block, place, tx_hash, address, topics, data = row
    return {
        "blockNumber": block,
        "logIndex": place,
        "transactionHash": tx_hash,
        "address": "0x" + address.hex(),
        "topics": [topics[at : at + 32] for at in range(0, len(topics), 32)],
        "data": data,
    }
