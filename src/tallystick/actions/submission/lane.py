"""Steps of every submission into an operator's lane: keep, note, send, write receipts."""

import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from pathlib import Path

from tallystick.actions.submission.journal import Source, SubmissionJournal
from tallystick.actions.submission.plan import Stage, Submission, SubmissionPlan
from tallystick.actions.submission.receipts import BatchReceipts, write_receipts
from tallystick.chain.call import Call
from tallystick.chain.registry import Registry
from tallystick.chain.revert import ContractError
from tallystick.chain.sender import Sender
from tallystick.errors import WaitError
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.ledger import BatchState, Ledger
from tallystick.storage.batch_store import BatchStore
from tallystick.storage.record_files import digest_of

PATIENCE = 60.0
"""Seconds until the events tell of a commit that a block holds."""
_PAUSE = 0.5


class LaneSubmitter:
    """Commits inferences in one operator's lanes.

    Args:
        registry: the contract.
        sender: the operator, or its key.
        ledger: reads the events up to the latest block.
        now: reads the time of a block mined now, in Unix seconds.
        store: where batch data go.
        journal: where batches are noted.
        receipts: folder of receipts.
        operator: whose lanes they are, 20 bytes; None: the sender's.
    """

    def __init__(
        self,
        registry: Registry,
        sender: Sender,
        ledger: Callable[[], Ledger],
        now: Callable[[], int],
        store: BatchStore,
        journal: SubmissionJournal,
        receipts: Path,
        operator: bytes | None = None,
    ) -> None:
        self._registry, self._sender = registry, sender
        self._operator = operator or sender.address
        self._ledger, self._now = ledger, now
        self._store, self._journal, self._receipts = store, journal, receipts

    def _source(self, order: Submission) -> Source:
        return Source(
            self._registry.w3.eth.chain_id,
            self._registry.address,
            order.network_id,
            self._operator,
            order.model_id,
            digest_of(order.records),
            order.label,
        )

    def _keep(self, source: Source, plan: SubmissionPlan) -> None:
        """Keep a new batch's data and note it, so that the same records become no other one."""
        if not plan.committed and not plan.noted:
            self._store.put(plan.batch.model_id, plan.batch.operator, plan.records, plan.tree)
            self._journal.note(source, plan.batch)

    def _sent(self, call: Call, batch_ids: Collection[bytes]) -> tuple[Ledger, bool]:
        """Send a commit; return what the events say then, and whether this run has sent it.

        Raises:
            WaitError: the commit is in a block, but no node tells of it yet.
        """
        try:
            sent = self._sender.send(call)
        except ContractError:
            # An earlier run's transaction may have come first; the index lets one of both in.
            ledger = self._ledger()
            if any(batch_id not in ledger.batches for batch_id in batch_ids):
                raise
            return ledger, False
        end = time.monotonic() + PATIENCE
        while True:
            # Of a pool of nodes, the one that is asked now may be behind the one that told.
            ledger = self._ledger()
            if all(batch_id in ledger.batches for batch_id in batch_ids):
                return ledger, not sent.earlier
            if time.monotonic() > end:
                raise WaitError(
                    f"transaction {to_hex(sent.tx_hash)} has committed in block "
                    f"{sent.block_number}, but the node's events do not tell of it yet; the same "
                    "command again writes the receipts, and sends nothing"
                )
            time.sleep(_PAUSE)

    def _receipted(
        self, ledger: Ledger, plan: SubmissionPlan, stage: Stage
    ) -> tuple[BatchState, BatchReceipts, Path]:
        """Write a committed batch's receipts; return the batch, the receipts and their file."""
        committed = ledger.batches[plan.batch.id()]
        receipts = BatchReceipts(self._registry, ledger, committed, plan.records, plan.tree)
        path = write_receipts(self._receipts, committed.id, receipts, stage("receipts"))
        return committed, receipts, path


def for_batches(call: Call, batch_ids: Iterable[bytes]) -> Call:
    """Return a commit that is wanted once for its batches, in whichever slots they are put."""
    return replace(call, purpose=keccak256(b"commit" + b"".join(sorted(batch_ids))))
