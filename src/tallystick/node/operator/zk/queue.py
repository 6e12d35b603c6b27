"""The queue in which an operator's answers are proven, one after another, in the background.

What is to be proven is read from the journal, and what is proven lies in files: a process that
takes over, after kill -9 too, goes on with what has no proof yet.
"""

import threading
from collections.abc import Iterable
from enum import StrEnum
from math import ceil
from time import monotonic
from typing import Any

from tallystick.node.log import get_log
from tallystick.node.metrics import Metrics
from tallystick.node.operator.journal import OperatorJournal
from tallystick.node.operator.zk.model import ProvenModel
from tallystick.node.settings import ProvingSettings
from tallystick.protocol.record import InferenceRecord
from tallystick.zk.engine import Limits
from tallystick.zk.errors import UnwantedError

MOST_LOOKED_AT = 1024
"""Answers of a model that one look takes in, the most urgent first."""
LATEST = (1 << 63) - 1
"""No deadline is later."""
_PAUSE = 1.0
"""Seconds until the next look, when nothing was to be proven."""
_Key = tuple[bytes, int]


class ProofState(StrEnum):
    """The states of an answer's proof."""

    QUEUED = "queued"
    PROVING = "proving"
    PROVEN = "proven"
    FAILED = "failed"
    """A limit was reached, or the chain refuses the proof; not tried again by this process."""


class ProvingQueue:
    """Proves the answers that wait for a batch, the most urgent first.

    Args:
        journal: the lane's.
        settings: caps, and how many proofs are made at once.
        metrics: counts.
    """

    def __init__(
        self, journal: OperatorJournal, settings: ProvingSettings, metrics: Metrics
    ) -> None:
        self._journal, self._metrics, self._at_once = journal, metrics, settings.at_once
        self._stop = threading.Event()
        memory = int(settings.memory * 2**30)
        self._limits = Limits(settings.timeout, memory, self._stop.is_set)
        self.models: dict[bytes, ProvenModel] = {}
        """By id; empty until the chain was seen."""
        self._near = 0
        self._lock = threading.Lock()
        self._proving: dict[_Key, float] = {}
        """When each began, seconds of the monotonic clock."""
        self._failed: dict[_Key, str] = {}
        self._made, self._made_in = 0, 0.0
        self._refused = 0
        self._queued = 0
        self._threads: list[threading.Thread] = []
        self._log = get_log("proofs")

    def begin(self, near: int) -> None:
        """Begin, unless it has begun; nothing is proven from now on that would come too late.

        Args:
            near: Unix seconds; answers with earlier deadlines are committed without a proof.
        """
        self._near = near
        if self._threads or not self.models:
            return
        self._threads = [
            threading.Thread(target=self._work, name=f"prove-{number}", daemon=True)
            for number in range(self._at_once)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End, and with it the proof that is being made; it begins anew with the next process."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def state(self, model_id: bytes, record: InferenceRecord) -> ProofState:
        """Return where an answer's proof stands."""
        with self._lock:
            if record.key in self._failed:
                return ProofState.FAILED
            if record.key in self._proving:
                return ProofState.PROVING
        has = self.models[model_id].proofs.has(record)
        return ProofState.PROVEN if has else ProofState.QUEUED

    def fail(self, record: InferenceRecord, reason: str) -> None:
        """Note that an answer cannot be proven, and why."""
        with self._lock:
            self._failed[record.key] = reason
            self._refused += 1
        self._metrics.proofs.labels(ProofState.FAILED).inc()
        self._log.error(
            "proof failed; the answer is committed without it",
            requester=record.requester,
            nonce=record.nonce,
            reason=reason,
        )

    def forget(self, records: Iterable[InferenceRecord]) -> None:
        """Forget answers that the chain has without a grade."""
        with self._lock:
            for one in records:
                self._failed.pop(one.key, None)

    def said(self) -> dict[str, Any]:
        """Return what there is to say of the queue: counts, and seconds."""
        with self._lock:
            now = monotonic()
            return {
                "queued": self._queued,
                "proving": len(self._proving),
                "proving_seconds": [round(now - begun, 1) for begun in self._proving.values()],
                "proven": self._made,
                "failed": self._refused,
                "seconds_each": round(self._made_in / self._made, 1) if self._made else None,
            }

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                found = self._next()
            except Exception as error:
                self._metrics.failures.labels("prove").inc()
                self._log.error("queue cannot be read, comes again", reason=str(error))
                found = None
            if found is None:
                self._stop.wait(_PAUSE)
            else:
                self._prove(*found)

    def _next(self) -> tuple[ProvenModel, InferenceRecord] | None:
        """Return the most urgent answer without a proof, and take it; None: there is none.

        One whose proof would come too late is left out: else, with more asked than can be proven,
        each proof would.
        """
        first_deadline = self._near + ceil(self._made_in / self._made if self._made else 0)
        left = [
            (model, record)
            for model_id, model in self.models.items()
            for record in self._journal.take(model_id, MOST_LOOKED_AT, first_deadline, LATEST)
            if not model.proofs.has(record)
        ]
        with self._lock:
            free = [
                one
                for one in left
                if one[1].key not in self._failed and one[1].key not in self._proving
            ]
            first = min(free, key=lambda one: one[1].deadline or LATEST, default=None)
            if first is not None:
                self._proving[first[1].key] = monotonic()
            self._queued = max(0, len(free) - 1)
            self._tell()
        return first

    def _prove(self, model: ProvenModel, record: InferenceRecord) -> None:
        self._log.info(
            "proving", requester=record.requester, nonce=record.nonce, queued=self._queued
        )
        begun = monotonic()
        try:
            model.proofs.prove(record, self._limits)
        except UnwantedError:
            self._end(record)
            return
        except Exception as error:
            self.fail(record, " ".join(str(error).split()))
            self._end(record)
            return
        seconds = monotonic() - begun
        self._end(record, seconds)
        self._metrics.proofs.labels(ProofState.PROVEN).inc()
        self._metrics.proof_seconds.observe(seconds)
        self._log.info(
            "proven",
            requester=record.requester,
            nonce=record.nonce,
            seconds=round(seconds, 1),
            queued=self._queued,
        )

    def _end(self, record: InferenceRecord, seconds: float | None = None) -> None:
        with self._lock:
            del self._proving[record.key]
            if seconds is not None:
                self._made += 1
                self._made_in += seconds
            self._tell()

    def _tell(self) -> None:
        self._metrics.proofs_queued.set(self._queued)
        self._metrics.proving.set(len(self._proving))
