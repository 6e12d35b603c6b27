"""Puts answers into batches, and sees each through until the chain has it.

Data are kept before the batch is noted, and it is noted before it is sent. A noted batch is sent
again under the same index until the chain has it: of two transactions with one index the chain
takes one. It is given up only when the chain can never take it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tallystick.actions.commit import commit
from tallystick.actions.submission.lane import for_batches
from tallystick.actions.submission.slots import choose_slot
from tallystick.errors import ContractError, StoreError
from tallystick.node.operator.journal import PendingBatch, Waiting
from tallystick.node.operator.lane import OperatorLane
from tallystick.node.operator.reveal_capacity import RevealCapacity
from tallystick.protocol.arrange import Arranged, Destination, arrange
from tallystick.protocol.batch import Batch, Stamp
from tallystick.protocol.events import Position
from tallystick.protocol.ledger import BatchState
from tallystick.protocol.record import InferenceRecord

if TYPE_CHECKING:
    from tallystick.node.operator.zk.batches import ProvenBatches

_MOST_SLACK = 15.0
"""Seconds that the block of a commit may be off the time guessed: answers whose deadlines leave
less on either side would endanger a batch, and are left behind or put off."""


@dataclass(slots=True)
class Committer:
    """Commits what waits in a lane's journal; one process at a time does."""

    lane: OperatorLane
    capacity: RevealCapacity | None = None
    """Of open batches; None: any number."""
    proven: "ProvenBatches | None" = None
    """Batches of zk models; None: there are none."""
    _lost: set[bytes] = field(default_factory=set)
    """Batches on chain whose data are nowhere to be read."""
    _known: dict[bytes, PendingBatch] | None = None
    """The journal's batches by id; None: to be read again."""
    _reconciled: Position | None = None
    """The last event up to which the journal knows what the chain has."""
    _sent: dict[bytes, int] = field(default_factory=dict)
    """Blocks that hold batches of the journal; the ledger may not have come to them."""

    def reconcile(self) -> None:
        """Have the journal know what the chain has of the lane's batches."""
        lane, last = self.lane, self.lane.ledger.last
        if self._reconciled is not None and self._reconciled is last:
            return
        noted = self._noted()
        for record in lane.own_batches():
            known = noted.get(record.id)
            stamp = self._stamp_at_commit(record)
            if known is None:
                self._adopt(record, stamp)
            elif (known.stamp, known.transaction) != (stamp, record.committed.tx_hash):
                lane.journal.settle(known, stamp, record.committed.tx_hash)
                self._known = None
                if known.stamp is None:
                    lane.metrics.committed.inc(record.batch.count)
                lane.log.info(
                    "batch committed",
                    batch_id=record.id,
                    index=record.batch.index,
                    count=record.batch.count,
                    transaction=record.committed.tx_hash,
                )
        self._reconciled = last

    def commit(self) -> None:
        """Send the batch that was noted and is not on chain, else those that are due."""
        lane = self.lane
        for noted in self._pending():
            if self._sent.get(noted.batch.id(), -1) > lane.head.number:
                return  # A block holds it, and waits to be confirmed.
            if self._is_dead(noted):
                lane.log.warning("batch given up", batch_id=noted.batch.id())
                lane.journal.abandon(noted)
                self._known = None
            else:
                self._send(noted)
                return
        expired = lane.journal.expire(lane.head.now)
        if expired:
            lane.metrics.expired.inc(expired)
            lane.log.error("answers missed their deadline", count=expired)
        for waiting in lane.journal.waiting():
            while self._is_due(waiting):
                noted_now = self._note(waiting.model_id)
                if noted_now is None:
                    break
                self._send(noted_now)
                if self._pending():
                    return
                left = [one for one in lane.journal.waiting() if one.model_id == waiting.model_id]
                if not left:
                    break
                waiting = left[0]

    def _pending(self) -> list[PendingBatch]:
        have = self.lane.ledger.batches
        return [noted for batch_id, noted in self._noted().items() if batch_id not in have]

    def _noted(self) -> dict[bytes, PendingBatch]:
        if self._known is None:
            self._known = {one.batch.id(): one for one in self.lane.journal.batches()}
        return self._known

    def _is_dead(self, noted: PendingBatch) -> bool:
        """Return whether no later block can hold the batch."""
        taken = noted.batch.index < self.lane.standing.next_index
        return taken or noted.batch.commit_deadline < self.lane.head.block_time

    def _is_due(self, waiting: Waiting) -> bool:
        settings, now = self.lane.settings, self.lane.head.now
        if self.proven is not None and self.proven.serves(waiting.model_id):
            return self.proven.is_due(waiting.model_id)
        return (
            waiting.count >= settings.commit_at
            or now >= waiting.oldest + settings.commit_every
            or now >= waiting.first_deadline - settings.commit_margin
        )

    def _note(self, model_id: bytes) -> PendingBatch | None:
        """Arrange a batch of what waits, keep its data, and note it; None when it cannot be."""
        lane, settings, now = self.lane, self.lane.settings, self.lane.head.now
        if not self._can_stand_by_another():
            return None
        rules = lane.ledger.networks[settings.network_id].rules
        most = settings.commit_at
        if rules.stake_per_inference:
            place = choose_slot(lane.ledger, lane.standing, now)
            free = lane.standing.stake // rules.stake_per_inference - lane.standing.open_inferences
            most = min(most, free + place.replaced_count)
        if most < 1:
            lane.metrics.failures.labels("stake").inc()
            lane.log.error("stake too small to commit", stake=lane.standing.stake)
            return None
        slack = int(min(_MOST_SLACK, settings.commit_margin / 4))
        first, last = now + slack, rules.latest_deadline(now - slack)
        proven = self.proven if self.proven and self.proven.serves(model_id) else None
        take = lane.journal.take if proven is None else proven.take
        records = take(model_id, most, first, last)
        while records:
            arranged = self._arrange(records, model_id, now)
            tree = arranged.tree()
            batch = Batch(
                settings.network_id,
                lane.operator,
                lane.standing.next_index,
                model_id,
                tree.root,
                tree.count,
                arranged.commit_deadline,
            )
            if proven is None or proven.fits(batch, arranged.records):
                lane.store.put(model_id, lane.operator, arranged.records, tree)
                self._known = None
                noted = lane.journal.note(batch, arranged.records)
                if proven is not None:
                    proven.noted(records)
                return noted
            records = records[: len(records) // 2]
        return None

    def _can_stand_by_another(self) -> bool:
        """Return whether one more open batch could be revealed in time with all others."""
        if self.capacity is None:
            return True
        open_batches = self.lane.open_batches()
        if open_batches < self.capacity.batches:
            return True
        self.lane.metrics.failures.labels("capacity").inc()
        self.lane.log.error(
            "too many open batches to commit",
            open=open_batches,
            could_be_revealed_in_time=self.capacity.batches,
        )
        return False

    def _arrange(self, records: Sequence[InferenceRecord], model_id: bytes, now: int) -> Arranged:
        lane = self.lane
        to = Destination(
            lane.registry.domain,
            lane.ledger.networks[lane.settings.network_id].rules,
            lane.operator,
            lane.standing.next_index,
            now,
        )
        return arrange(records, to, model_id, signatures_checked=True)

    def _send(self, noted: PendingBatch) -> None:
        lane, batch = self.lane, noted.batch
        place = choose_slot(lane.ledger, lane.standing, lane.head.now)
        lane.log.info("batch sent", batch_id=batch.id(), index=batch.index, count=batch.count)
        commitment = place.commitment(batch)
        call = commit(lane.registry, lane.sender.address, lane.operator, commitment)
        attested = None if self.proven is None else self.proven.commitment(noted, commitment)
        try:
            sent = lane.sender.send(for_batches(attested or call, [batch.id()]))
        except ContractError as error:
            if attested is None:
                raise
            # The receipts come first; the proofs are shown once more afterwards.
            lane.log.error("not committed with proofs", batch_id=batch.id(), reason=str(error))
            sent = lane.sender.send(for_batches(call, [batch.id()]))
        self._sent[batch.id()] = sent.block_number
        lane.follower.advance()
        self.reconcile()

    def _stamp_at_commit(self, record: BatchState) -> Stamp:
        window = self.lane.ledger.networks[record.batch.network_id].rules.challenge_window
        return record.stamp.closing_at(record.stamp.committed_at + window)

    def _adopt(self, record: BatchState, stamp: Stamp) -> None:
        """Learn a batch that was committed without this journal, so that no nonce comes twice."""
        if record.id in self._lost:
            return
        lane = self.lane
        try:
            batch = record.batch
            records = lane.store.get(batch.root, batch.model_id, batch.operator)
        except StoreError as error:
            self._lost.add(record.id)
            lane.log.error("nonces of a batch are unknown", batch_id=record.id, reason=str(error))
            return
        self._known = None
        lane.journal.adopt(record.batch, records, stamp, record.committed.tx_hash)
        lane.log.warning("batch of another journal adopted", batch_id=record.id)
