"""The journal's pruning: inputs and outputs go, what tells that a nonce was taken stays.

A batch's pruning is noted before anything of it goes, and is carried on by whoever comes next.
"""

import sqlite3
from collections.abc import Sequence

from tallystick.node.operator.journal.entries import PendingBatch
from tallystick.node.operator.journal.file import LaneFile
from tallystick.storage.sqlite_journal import TIMEOUT

_PATIENCE = 0.1
"""Seconds that a checkpoint waits for readers; answers wait for it meanwhile."""


class Pruning(LaneFile):
    """The rule by which a lane's bytes are kept or let go."""

    def unpruned(self) -> list[PendingBatch]:
        """Return the batches that the chain has and whose bytes are to be kept so far."""
        return self._noted("where pruning is null and stamp is not null")

    def begin_pruning(self, batches: Sequence[PendingBatch], now: int) -> None:
        """Note that the bytes of these batches go from now on.

        Args:
            batches: of `unpruned`.
            now: Unix seconds.
        """
        with self._write() as database:
            database.executemany(
                "update batch set pruning = ? where id = ? and pruning is null",
                [(now, one.key) for one in batches],
            )

    def pruning(self) -> list[PendingBatch]:
        """Return the batches whose pruning has begun and not ended."""
        return self._noted("where pruning is not null and pruned is null order by id")

    def prune(self, noted: PendingBatch, after: int, most: int) -> int | None:
        """Let go of the inputs and outputs of a few inferences of a batch.

        Args:
            noted: a batch whose pruning has begun.
            after: 0, or what the call before returned.
            most: inferences at most.

        Returns:
            Where to go on; None when nothing is left.
        """
        with self._write(durable=False) as database:
            found = database.execute(
                "select id from inference where batch = ? and id > ? order by id limit ?",
                (noted.key, after, most),
            ).fetchall()
            _forget(database, found)
        return int(found[-1][0]) if found else None

    def end_pruning(self, noted: PendingBatch, now: int) -> None:
        """Note that nothing is left of a batch's bytes, in the journal and in the store."""
        with self._write() as database:
            database.execute("update batch set pruned = ? where id = ?", (now, noted.key))

    def prune_expired(self, before: int, most: int) -> int:
        """Let go of inputs and outputs that no batch ever held; returns of how many.

        Args:
            before: Unix seconds; of answers whose deadline was earlier.
            most: how many at most.
        """
        with self._write(durable=False) as database:
            found = database.execute(
                "select id from inference where expired = 1 and deadline < ? limit ?",
                (before, most),
            ).fetchall()
            _forget(database, found)
            database.executemany("update inference set expired = 2 where id = ?", found)
        return len(found)

    def is_pruned(self, root: bytes) -> bool:
        """Return whether the data of the batch with this root are gone, or are about to go."""
        row = self._reader().execute(
            "select 1 from batch where root = ? and pruning is not null", (root,)
        )
        return row.fetchone() is not None

    def free(self) -> int:
        """Return how many bytes of the file hold nothing."""
        database = self._reader()
        (pages,) = database.execute("pragma freelist_count").fetchone()
        (size,) = database.execute("pragma page_size").fetchone()
        return int(pages * size)

    def size(self) -> int:
        """Return how many bytes the file has, what holds nothing included."""
        database = self._reader()
        (pages,) = database.execute("pragma page_count").fetchone()
        (size,) = database.execute("pragma page_size").fetchone()
        return int(pages * size)

    def log_size(self) -> int:
        """Return how many bytes the write-ahead log beside the file has."""
        try:
            return self._file.path.with_name(f"{self._file.path.name}-wal").stat().st_size
        except FileNotFoundError:
            return 0

    def give_back(self, pages: int) -> None:
        """Make the file shorter by at most so many pages that hold nothing."""
        with self._file.exclusive() as database:
            database.execute("pragma synchronous = normal")
            # It gives back a page a step, and of what has no columns only a script makes all steps.
            database.executescript(f"pragma incremental_vacuum({pages:d})")

    def checkpoint(self) -> None:
        """Have the disk's space back of the file and its log, unless others are at them."""
        with self._file.exclusive() as database:
            database.execute(f"pragma busy_timeout = {int(_PATIENCE * 1000)}")
            try:
                database.execute("pragma wal_checkpoint(truncate)").fetchall()
            finally:
                database.execute(f"pragma busy_timeout = {int(TIMEOUT * 1000)}")


def _forget(database: sqlite3.Connection, ids: Sequence[tuple[int]]) -> None:
    database.executemany("delete from input where id = ?", ids)
    database.executemany("delete from output where id = ?", ids)
