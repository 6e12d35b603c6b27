"""Cache of what was read of a registry's chain, in an SQLite file: logs by scope, up to a block.

Everything in it can be read again. Several processes may share a file, and be killed at any time.
"""

import logging
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from tallystick.chain.snapshot import KeptBatch, read, read_batch
from tallystick.errors import TallystickError
from tallystick.protocol.ledger import BatchState, Ledger
from tallystick.protocol.scope import Scope

FORMAT = 2
"""Of the file, in its user_version."""
_REMEDY = f"needed: format {FORMAT} (delete the file: what it holds is read again)"
_LOG = logging.getLogger(__name__)
_PAGE = 10_000
"""Logs that are read at a time."""
_NEWEST = 128
"""Latest checkpoints, all of which are kept; of older ones fewer, the further back they are."""
_SCHEMA = """
create table scope (
    id integer primary key,
    name text not null unique,
    generation integer not null default 0
) strict;
create table log (
    scope integer not null,
    block integer not null,
    place integer not null,
    tx_hash blob not null,
    address blob not null,
    topics blob not null,
    data blob not null,
    primary key (scope, block, place)
) strict, without rowid;
create index log_of on log (scope, substr(topics, 97, 32)) where length(topics) = 128;
create index log_with on log (scope, substr(topics, 33, 32)) where length(topics) = 64;
create table checkpoint (
    scope integer not null,
    block integer not null,
    hash blob not null,
    primary key (scope, block)
) strict, without rowid;
create table snapshot (
    scope integer primary key,
    block integer not null,
    rest blob not null
) strict;
create table batch_state (
    scope integer not null,
    id blob not null,
    block integer not null,
    place integer not null,
    in_slot integer not null,
    state blob not null,
    primary key (scope, id)
) strict, without rowid;
create index held on batch_state (scope) where in_slot;
create table origin (
    id integer primary key check (id = 1),
    block integer not null,
    hash blob not null
) strict;
create table node (
    url blob primary key,
    blocks integer not null
) strict, without rowid;
create table batch (
    id blob primary key,
    network_id blob not null,
    operator blob not null
) strict, without rowid;
"""


class CacheError(TallystickError, OSError):
    """A file of what was read of a chain that cannot be used."""


class CacheChangedError(TallystickError, RuntimeError):
    """Another process took logs back, or added some: what was read no longer fits."""


class Checkpoint(NamedTuple):
    """A block up to which logs are kept, and its hash, 32 bytes."""

    block: int
    hash: bytes


def cache_folder() -> Path:
    """Return where commands keep what they read: TALLYSTICK_CACHE, or the user's cache folder."""
    named = os.environ.get("TALLYSTICK_CACHE")
    if named:
        return Path(named).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("tallystick", appauthor=False)


class KeptLedger(NamedTuple):
    """A ledger, and the number of the last block whose logs it has."""

    block: int
    ledger: Ledger


class ChainCache:
    """The file.

    Args:
        path: of it; its folder is made. None: one that is gone with this object.

    Raises:
        CacheError: the file has another format, or cannot be opened.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path, self._lock = path, threading.RLock()
        self._scopes: dict[str, int] = {}
        with self._failing():
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(
                path or ":memory:", timeout=60, isolation_level=None, check_same_thread=False
            )
            self._database.execute("pragma journal_mode = wal")
            self._database.execute("pragma synchronous = normal")
            self._create()

    @classmethod
    def of(cls, chain_id: int, registry: bytes, folder: Path | None = None) -> "ChainCache":
        """Return a registry's file in a folder, by default the one of all commands.

        Where that folder cannot be written, what is read is kept for this process alone.

        Raises:
            CacheError: the file has another format.
        """
        path = (folder or cache_folder()) / f"{chain_id}-{registry.hex()}.sqlite3"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not os.access(path.parent, os.W_OK):
                raise PermissionError(f"{path.parent} cannot be written")
        except OSError as error:
            _LOG.warning("events are read anew each time: %s; needed: TALLYSTICK_CACHE", error)
            return cls(None)
        return cls(path)

    # Logs

    def checkpoints(self, scope: str) -> list[Checkpoint]:
        """Return the blocks up to which a scope's logs are here, the latest first."""
        rows = self._rows(
            "select block, hash from checkpoint where scope = ? order by block desc",
            self._id(scope),
        )
        return [Checkpoint(*row) for row in rows]

    def generation(self, scope: str) -> int:
        """Return how often logs of a scope were taken back."""
        return int(self._rows("select generation from scope where id = ?", self._id(scope))[0][0])

    def extend(
        self, scope: str, after: Checkpoint | None, logs: Iterable[Any], to: Checkpoint
    ) -> None:
        """Keep a scope's logs from the block behind `after` up to `to`.

        Args:
            scope: its name.
            after: the latest checkpoint, which the logs follow; None: they are the first.
            logs: as a node gives them.
            to: the new checkpoint.

        Raises:
            CacheChangedError: `after` is not the latest checkpoint any more; nothing was kept.
        """
        key = self._id(scope)
        rows = (
            (
                key,
                log["blockNumber"],
                log["logIndex"],
                bytes(log["transactionHash"]),
                bytes.fromhex(log["address"][2:]),
                b"".join(bytes(topic) for topic in log["topics"]),
                bytes(log["data"]),
            )
            for log in logs
        )
        with self._write() as database:
            known = self.checkpoints(scope)
            if (known[0] if known else None) != after:
                raise CacheChangedError(f"another process has read on from {after}")
            database.executemany("insert into log values (?,?,?,?,?,?,?)", rows)
            database.execute("insert into checkpoint values (?,?,?)", (key, *to))
            database.executemany(
                "delete from checkpoint where scope = ? and block = ?",
                [(key, block) for block in _thinned([to.block, *(one.block for one in known)])],
            )

    def take_back(self, scope: str, block: int) -> None:
        """Forget a scope's logs and checkpoints behind a block; -1 for all."""
        key = self._id(scope)
        with self._write() as database:
            for table in ("log", "checkpoint"):
                database.execute(f"delete from {table} where scope = ? and block > ?", (key, block))
            database.execute("update scope set generation = generation + 1 where id = ?", (key,))
            if database.execute(
                "delete from snapshot where scope = ? and block > ?", (key, block)
            ).rowcount:
                database.execute("delete from batch_state where scope = ?", (key,))

    def logs(
        self, scope: str, generation: int, after: tuple[int, int], last: int
    ) -> Iterator[dict[str, Any]]:
        """Yield a scope's logs behind a place (block, log) up to a block, in order.

        Raises:
            CacheChangedError: logs were taken back since that generation.
        """
        key = self._id(scope)
        while True:
            with self._read():
                if self.generation(scope) != generation:
                    raise CacheChangedError("another process took logs back")
                rows = self._rows(
                    "select block, place, tx_hash, address, topics, data from log"
                    " where scope = ? and (block, place) > (?, ?) and block <= ?"
                    " order by block, place limit ?",
                    *(key, *after, last, _PAGE),
                )
            yield from map(_log, rows)
            if len(rows) < _PAGE:
                return
            after = rows[-1][0], rows[-1][1]

    def logs_of(self, scope: str, topic: bytes, batch_id: bytes) -> list[dict[str, Any]]:
        """Return a batch's logs of an event, by its first topic, in order."""
        found = []
        # Batch events have the id as their last topic of four, those that carry data of two.
        for place, length in ((97, 128), (33, 64)):
            found += self._rows(
                "select block, place, tx_hash, address, topics, data from log where scope = ?"
                f" and length(topics) = {length} and substr(topics, {place}, 32) = ?"
                " and substr(topics, 1, 32) = ? order by block, place",
                *(self._id(scope), batch_id, topic),
            )
        return [_log(row) for row in found]

    # Ledgers

    def note_ledger(
        self, scope: str, generation: int, block: int, rest: bytes, batches: Iterable[KeptBatch]
    ) -> bool:
        """Keep the ledger of a scope's logs up to a block; False: a later one is there already.

        Args:
            scope: its name.
            generation: of the logs that it was folded from.
            block: number of the last one whose logs it has.
            rest: all of it but its batches.
            batches: those that events have touched since the ledger that it began with.

        Raises:
            CacheChangedError: logs were taken back since that generation; nothing was kept.
        """
        key = self._id(scope)
        with self._write() as database:
            if self.generation(scope) != generation:
                raise CacheChangedError("another process took logs back")
            kept = self._rows("select block from snapshot where scope = ?", key)
            if kept and kept[0][0] >= block:
                return False
            database.execute("insert or replace into snapshot values (?, ?, ?)", (key, block, rest))
            database.execute(
                "update batch_state set in_slot = 0 where scope = ? and in_slot", (key,)
            )
            database.executemany(
                "insert or replace into batch_state values (?, ?, ?, ?, ?, ?)",
                [(key, one.id, *one.order, one.in_slot, one.state) for one in batches],
            )
            return True

    def ledger(self, scope: Scope, name: str, generation: int, last: int) -> KeptLedger | None:
        """Return the ledger that is kept of a scope; None: there is none up to that block.

        Args:
            scope: of the ledger.
            name: of the scope in this file.
            generation: of the logs that it is to go on with.
            last: number of the last block that it may have read.

        Raises:
            CacheChangedError: logs were taken back since that generation.
        """
        key = self._id(name)
        with self._read():
            if self.generation(name) != generation:
                raise CacheChangedError("another process took logs back")
            found = self._rows(
                "select block, rest from snapshot where scope = ? and block <= ?", key, last
            )
            held = self._rows("select state from batch_state where scope = ? and in_slot", key)
        if not found:
            return None
        block, rest = found[0]
        others = _Others(self, name, generation, block)
        return KeptLedger(block, read(rest, scope, (state for (state,) in held), others))

    def batch_states(
        self, scope: str, generation: int, block: int, batch_id: bytes | None = None
    ) -> list[bytes]:
        """Return the states of batches that were committed up to a block: of one, or of all.

        Raises:
            CacheChangedError: logs were taken back since that generation.
        """
        key = self._id(scope)
        which, values = ("", ()) if batch_id is None else (" and id = ?", (batch_id,))
        with self._read():
            if self.generation(scope) != generation:
                raise CacheChangedError("another process took logs back")
            rows = self._rows(
                f"select state from batch_state where scope = ? and block <= ?{which}",
                *(key, block, *values),
            )
        return [state for (state,) in rows]

    # What is found out once

    def origin(self) -> Checkpoint | None:
        """Return the block that the registry was deployed in; None while nobody knows."""
        rows = self._rows("select block, hash from origin")
        return Checkpoint(*rows[0]) if rows else None

    def note_origin(self, origin: Checkpoint) -> None:
        """Keep the block that the registry was deployed in."""
        with self._write() as database:
            database.execute("insert or replace into origin values (1, ?, ?)", origin)

    def accepted_range(self, url: str) -> int | None:
        """Return how many blocks a node last gave the logs of at once."""
        rows = self._rows("select blocks from node where url = ?", _digest(url))
        return int(rows[0][0]) if rows else None

    def note_accepted_range(self, url: str, blocks: int) -> None:
        """Keep how many blocks a node gives the logs of at once."""
        with self._write() as database:
            database.execute("insert or replace into node values (?, ?)", (_digest(url), blocks))

    def lane_of(self, batch_id: bytes) -> tuple[bytes, bytes] | None:
        """Return network id and operator of a batch; None while nobody has looked it up."""
        rows = self._rows("select network_id, operator from batch where id = ?", batch_id)
        return rows[0] if rows else None

    def note_lane_of(self, batch_id: bytes, network_id: bytes, operator: bytes) -> None:
        """Keep a batch's lane; the batch's id is a hash over both."""
        with self._write() as database:
            row = batch_id, network_id, operator
            database.execute("insert or replace into batch values (?, ?, ?)", row)

    # The file

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def _create(self) -> None:
        with self._write() as database:
            (version,) = database.execute("pragma user_version").fetchone()
            (tables,) = database.execute("select count(*) from sqlite_master").fetchone()
            if version == 0 and tables == 0:
                for statement in _SCHEMA.split(";"):
                    database.execute(statement)
                database.execute(f"pragma user_version = {FORMAT}")
            elif version != FORMAT:
                raise CacheError(f"{self.path} has format {version}; {_REMEDY}")

    def _id(self, scope: str) -> int:
        with self._lock:
            if scope not in self._scopes:
                rows = self._rows("select id from scope where name = ?", scope)
                if not rows:
                    self._rows("insert or ignore into scope (name) values (?)", scope)
                    rows = self._rows("select id from scope where name = ?", scope)
                self._scopes[scope] = rows[0][0]
            return self._scopes[scope]

    def _rows(self, query: str, *values: object) -> list[Any]:
        with self._lock, self._failing():
            return self._database.execute(query, values).fetchall()

    @contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            if isinstance(error, CacheError):
                raise
            raise CacheError(f"{self.path} cannot be used: {error}; {_REMEDY}") from error

    @contextmanager
    def _read(self) -> Iterator[None]:
        """Have several reads see one state of the file."""
        with self._lock:
            self._database.execute("begin")
            try:
                yield
            finally:
                self._database.execute("rollback")

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._failing():
            self._database.execute("begin immediate")
            try:
                yield self._database
            except BaseException:
                self._database.execute("rollback")
                raise
            self._database.execute("commit")


class _Others:
    """The batches of a kept ledger, of which it has those that hold a slot."""

    def __init__(self, cache: ChainCache, scope: str, generation: int, block: int) -> None:
        self._states = partial(cache.batch_states, scope, generation, block)

    def find(self, batch_id: bytes) -> BatchState | None:
        """Return a batch; None if it is not there."""
        found = self._states(batch_id)
        return read_batch(found[0]) if found else None

    def all(self) -> list[BatchState]:
        """Return all that are there."""
        return [read_batch(one) for one in self._states()]


def _thinned(blocks: list[int]) -> Iterator[int]:
    """Yield which checkpoints, the latest first, are not needed to find where a reorg began.

    >>> kept = set(range(2000)) - set(_thinned(list(range(1999, -1, -1))))
    >>> len(kept), min(kept)
    (132, 0)
    """
    spans: dict[int, int] = {}
    for block in blocks[_NEWEST:]:
        # Of those that are as far back, by powers of two, the oldest stays.
        span = (blocks[0] - block).bit_length()
        if span in spans:
            yield spans[span]
        spans[span] = block


def _digest(url: str) -> bytes:
    """A URL may hold a key."""
    return sha256(url.encode()).digest()


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
