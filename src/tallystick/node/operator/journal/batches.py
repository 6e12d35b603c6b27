"""The journal's batches: what waits for one, and what became of each."""

import sqlite3
from collections.abc import Sequence

from tallystick.node.operator.errors import JournalError
from tallystick.node.operator.journal.entries import PendingBatch, Waiting
from tallystick.node.operator.journal.file import LaneFile
from tallystick.node.operator.journal.rows import INFERENCE, RECORD, nonce_of, record_of
from tallystick.protocol.batch import Batch, Stamp
from tallystick.protocol.record import InferenceRecord


class Batches(LaneFile):
    """A lane's batches."""

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

    def open_by_requester(self, open_batches: Sequence[bytes]) -> dict[bytes, int]:
        """Return how many inferences of each requester are accepted and not final on chain.

        Args:
            open_batches: ids of the lane's batches that the chain has, and that are not over.
        """
        marks = ",".join("?" * len(open_batches))
        rows = self._reader().execute(
            "select requester, count(*) from ("
            " select requester from inference"
            " where batch is null and output_hash is not null and expired = 0"
            " union all select requester from inference where worker is not null"
            " union all select requester from inference where batch in (select id from batch"
            f" where stamp is null or batch_id in ({marks}))) group by requester",
            list(open_batches),
        )
        return dict(rows.fetchall())

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
    ) -> list[InferenceRecord]:
        """Return answers that wait for a batch, the most urgent first.

        Args:
            model_id: the batch's.
            most: how many at most.
            first_deadline: Unix seconds; the batch has that long to be mined.
            last_deadline: Unix seconds; later ones would be a fault if committed now.
        """
        database = self._reader()
        rows = database.execute(
            f"select {RECORD} from {INFERENCE} where model_id = ? and batch is null"
            " and output_hash is not null and expired = 0 and deadline between ? and ?"
            " order by deadline, inference.id limit ?",
            (model_id, first_deadline, last_deadline, most),
        ).fetchall()
        return [record_of(row) for row in rows]

    def note(self, batch: Batch, records: Sequence[InferenceRecord]) -> PendingBatch:
        """Note a batch that is about to be sent, with its leaves."""
        with self._write() as database:
            key = self._insert(database, batch)
            done = database.executemany(
                "update inference set batch = ? where requester = ? and nonce = ?"
                " and batch is null and output_hash is not null",
                [(key, record.requester, nonce_of(record)) for record in records],
            )
            if done.rowcount != len(records):
                raise JournalError("another process has put some of the answers into a batch")
        return PendingBatch(key, batch, None, None)

    def adopt(
        self, batch: Batch, records: Sequence[InferenceRecord], stamp: Stamp, transaction: bytes
    ) -> None:
        """Keep a batch that the chain has and this journal does not, and its nonces."""
        with self._write() as database:
            key = self._insert(database, batch)
            database.execute(
                "update batch set stamp = ?, tx_hash = ? where id = ?",
                (stamp.pack(), transaction, key),
            )
            database.executemany(
                "insert into inference (request, requester, nonce, model_id, deadline, input_hash,"
                " signature, output_hash, trace_root, answered_at, batch)"
                " values (?,?,?,?,?,?,?,?,?,?,?)"
                " on conflict (requester, nonce) do update set batch = excluded.batch",
                [
                    (
                        record.inference(batch.model_id, batch.operator).request().struct_hash(),
                        record.requester,
                        nonce_of(record),
                        batch.model_id,
                        record.deadline,
                        record.input_hash,
                        record.signature,
                        record.output_hash,
                        record.trace_root,
                        stamp.committed_at,
                        key,
                    )
                    for record in records
                ],
            )

            for name in ("input", "output"):
                database.executemany(
                    f"insert or ignore into {name} select id, ? from inference"
                    " where requester = ? and nonce = ?",
                    [
                        (data, record.requester, nonce_of(record))
                        for record in records
                        if (data := getattr(record, name)) is not None
                    ],
                )

    def settle(self, noted: PendingBatch, stamp: Stamp, transaction: bytes) -> None:
        """Note that the chain has a batch: its stamp as at commit, and the transaction's hash."""
        with self._write() as database:
            database.execute(
                "update batch set stamp = ?, tx_hash = ? where id = ?",
                (stamp.pack(), transaction, noted.key),
            )

    def abandon(self, noted: PendingBatch) -> None:
        """Give up a batch that the chain can never take; its answers wait again."""
        with self._write() as database:
            database.execute("update inference set batch = null where batch = ?", (noted.key,))
            database.execute("delete from batch where id = ?", (noted.key,))

    def batches(self) -> list[PendingBatch]:
        """Return all batches in the order of their indices."""
        return self._noted("order by batch_index, id")

    def records(self, noted: PendingBatch) -> list[InferenceRecord]:
        """Return a batch's records in the order of its leaves."""
        database = self._reader()
        rows = database.execute(
            f"select {RECORD} from {INFERENCE} where batch = ? order by requester, nonce",
            (noted.key,),
        ).fetchall()
        return [record_of(row) for row in rows]

    @staticmethod
    def _insert(database: sqlite3.Connection, batch: Batch) -> int:
        done = database.execute(
            "insert into batch (batch_id, batch_index, model_id, root, count, deadline)"
            " values (?,?,?,?,?,?)",
            (
                batch.id(),
                batch.index,
                batch.model_id,
                batch.root,
                batch.count,
                batch.commit_deadline,
            ),
        )
        assert done.lastrowid is not None
        return done.lastrowid
