"""The journal's requests: whose nonces are taken, and what was answered."""

import sqlite3
from collections.abc import Sequence

from tallystick.node.operator.errors import JournalError
from tallystick.node.operator.journal.entries import (
    Accepted,
    Answered,
    InferencePlace,
    StoredRequest,
)
from tallystick.node.operator.journal.file import LaneFile
from tallystick.node.operator.journal.rows import INFERENCE, RECORD, nonce_of, record_of

_ATTEMPTS = 3


class Requests(LaneFile):
    """A lane's requests."""

    def accept(
        self, model_id: bytes, requests: Sequence[Accepted], worker: int
    ) -> list[StoredRequest | None]:
        """Take the nonces of requests: all, or none when one is taken already.

        Returns:
            For each request what has its nonce already; None for all when they were taken now.
        """
        rows = [
            (
                one.request,
                one.record.requester,
                nonce_of(one.record),
                model_id,
                one.record.deadline,
                one.record.input_hash,
                one.record.signature,
                worker,
            )
            for one in requests
        ]

        inputs = [
            (one.record.input, one.record.requester, nonce_of(one.record))
            for one in requests
            if one.record.input is not None
        ]

        def insert(database: sqlite3.Connection) -> None:
            database.executemany(
                "insert into inference (request, requester, nonce, model_id, deadline,"
                " input_hash, signature, worker) values (?,?,?,?,?,?,?,?)",
                rows,
            )
            database.executemany(
                "insert into input select id, ? from inference where requester = ? and nonce = ?",
                inputs,
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

    def known(self, requests: Sequence[Accepted]) -> list[StoredRequest | None]:
        """Return for each request what has its nonce already."""
        database = self._reader()
        return [_known(database, one.record.requester, nonce_of(one.record)) for one in requests]

    def answer(self, answers: Sequence[Answered], now: int) -> None:
        """Keep the answers to accepted requests.

        Args:
            answers: any number.
            now: Unix seconds.
        """
        outputs = [(one.output, one.request) for one in answers]
        rows = [(one.output_hash, one.trace_root, now, one.request) for one in answers]

        def update(database: sqlite3.Connection) -> None:
            database.executemany(
                "insert into output select id, ? from inference"
                " where request = ? and output_hash is null",
                outputs,
            )
            database.executemany(
                "update inference set output_hash = ?, trace_root = ?, answered_at = ?,"
                " worker = null where request = ? and output_hash is null",
                rows,
            )

        self._together(update, durable=True)

    def release(self, requests: Sequence[bytes]) -> None:
        """Give back the nonces of accepted requests that will get no answer."""
        rows = [(request,) for request in requests]
        with self._write() as database:
            database.executemany(
                "delete from input where id = (select id from inference where request = ?"
                " and output_hash is null)",
                rows,
            )
            database.executemany(
                "delete from inference where request = ? and output_hash is null",
                rows,
            )

    def accepting(self) -> list[int]:
        """Return the numbers of the workers that have accepted what they have not answered."""
        database = self._reader()
        rows = database.execute(
            "select distinct worker from inference where worker is not null"
        ).fetchall()
        return [row[0] for row in rows]

    def take_over(self, worker: int, own: int, model_ids: Sequence[bytes]) -> int:
        """Take over requests of some models that a worker, now gone, had accepted.

        Args:
            worker: its number.
            own: number of who goes on with them, maybe the same.
            model_ids: of the models.

        Returns:
            How many there are.
        """
        marks = ",".join("?" * len(model_ids))
        with self._write() as database:
            done = database.execute(
                "update inference set worker = ? where worker = ? and output_hash is null"
                f" and model_id in ({marks})",
                (own, worker, *model_ids),
            )
            return done.rowcount

    def unanswered(self, worker: int, model_ids: Sequence[bytes]) -> list[tuple[bytes, Accepted]]:
        """Return requests of some models that a worker has accepted and not answered.

        Each comes with its model's id, the oldest first.
        """
        marks = ",".join("?" * len(model_ids))
        rows = self._reader().execute(
            f"select model_id, request, {RECORD} from {INFERENCE} where worker = ?"
            f" and output_hash is null and model_id in ({marks}) order by inference.id",
            (worker, *model_ids),
        )
        return [(row[0], Accepted(row[1], record_of(row[2:]))) for row in rows]

    def release_worker(self, worker: int, but: Sequence[bytes] = ()) -> int:
        """Give back the nonces that a worker, now gone, had accepted; returns how many.

        Args:
            worker: its number.
            but: ids of models whose requests are kept.
        """
        marks = ",".join("?" * len(but))
        with self._write() as database:
            database.execute(
                "delete from input where id in (select id from inference where worker = ?"
                f" and output_hash is null and model_id not in ({marks}))",
                (worker, *but),
            )
            done = database.execute(
                "delete from inference where worker = ? and output_hash is null"
                f" and model_id not in ({marks})",
                (worker, *but),
            )
            return done.rowcount

    def find(self, requests: Sequence[bytes]) -> list[InferencePlace | None]:
        """Return where the inferences of requests stand; None for an unknown one."""
        marks = ",".join("?" * len(requests))
        database = self._reader()
        rows = database.execute(
            f"select request, model_id, output_hash is not null, expired, batch, {RECORD}"
            f" from {INFERENCE} where request in ({marks})",
            list(requests),
        ).fetchall()
        keys = list({row[4] for row in rows if row[4] is not None})
        marks = ",".join("?" * len(keys))
        batches = {one.key: one for one in self._noted(f"where id in ({marks})", *keys)}
        found = {
            row[0]: InferencePlace(
                row[1], record_of(row[5:]), bool(row[2]), bool(row[3]), batches.get(row[4])
            )
            for row in rows
        }
        return [found.get(request) for request in requests]


def _known(database: sqlite3.Connection, requester: bytes, nonce: bytes) -> StoredRequest | None:
    row = database.execute(
        f"select request, output.data, output_hash, trace_root from {INFERENCE}"
        " where requester = ? and nonce = ?",
        (requester, nonce),
    ).fetchone()
    if row is None:
        return None
    if row[1] is None or row[2] is None:
        return StoredRequest(row[0], None, pruned=row[2] is not None)
    return StoredRequest(row[0], Answered(*row))
