"""Several files as batches of one lane, committed in one transaction: all of them or none.

Each file is prepared as if the batches before it were committed: their event is applied to a copy
of the ledger. What is kept, noted and sent, and in which order, is as for one file.
"""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tallystick.actions.commit import commit_several, need_key
from tallystick.actions.submission.journal import Source
from tallystick.actions.submission.lane import LaneSubmitter, for_batches
from tallystick.actions.submission.plan import (
    Stage,
    Submission,
    SubmissionPlan,
    make_plan,
)
from tallystick.actions.submission.slots import SlotChoice, choose_slot
from tallystick.chain.call import Call
from tallystick.errors import SubmitError
from tallystick.protocol.abi_words import ZERO32
from tallystick.protocol.batch import Stamp
from tallystick.protocol.enums import Outcome
from tallystick.protocol.events import BatchCommitted, Position
from tallystick.protocol.ledger import Ledger
from tallystick.protocol.record import InferenceRecord
from tallystick.storage.batch_store import BatchStore

MOST = 100
"""Batches of one transaction: its gas stays below the cap of 2^24."""


@dataclass(frozen=True, slots=True)
class PreparedBatch:
    """One of the files, and what it becomes."""

    order: Submission
    source: Source
    plan: SubmissionPlan
    place: SlotChoice


@dataclass(frozen=True, slots=True)
class Prepared:
    """The batches of some files, as the chain stood."""

    batches: tuple[PreparedBatch, ...]
    """In the order of the files; those that the chain has already included."""
    call: Call | None
    """Commits those that the chain has not; None: it has all."""
    stake_needed: int
    """Of the lane, with these batches; units of the network's asset."""
    stake: int
    ledger: Ledger
    """What the events say, without these batches."""


@dataclass(frozen=True, slots=True)
class SubmittedBatch:
    """A batch that the chain has."""

    plan: SubmissionPlan
    sent: bool
    """By this run; False: an earlier one had sent it."""
    transaction: bytes
    block: int
    receipts: Path


class BatchesSubmitter(LaneSubmitter):
    """Commits several files of inferences at a time; arguments as LaneSubmitter's."""

    def prepare(self, orders: Sequence[Submission], stage: Stage = lambda name: None) -> Prepared:
        """Return the batches that files become, and their call; writes and sends nothing.

        Args:
            orders: of one network; without attestations.
            stage: tells the progress of each file.

        Raises:
            RecordError: wrong lines.
            SubmitError: network or model are unknown, a file is named twice, or there are too many.
            ActionError: the sender is neither the operator nor its key.
        """
        if len(orders) > MOST:
            raise SubmitError(f"there are {len(orders)} files; needed: at most {MOST} at a time")
        if len({order.network_id for order in orders}) != 1:
            raise SubmitError("the files are for several networks; needed: one at a time")
        real, now, pending = self._ledger(), self._now(), _Pending(self._store)
        need_key(self._sender.address, self._operator, real.key_of(self._operator))
        network_id, ledger = orders[0].network_id, copy.deepcopy(real)
        found: list[PreparedBatch] = []
        for number, order in enumerate(orders):
            source = self._source(order)
            if any(one.source == source for one in found):
                raise SubmitError(f"{order.name} is the same as a file before it")
            plan = make_plan(
                order, source, self._registry, ledger, pending, self._journal, now, stage
            )
            place = choose_slot(ledger, ledger.lanes[network_id, self._operator], now)
            found.append(PreparedBatch(order, source, plan, place))
            if not plan.committed:
                pending.records[plan.batch.root] = list(plan.records)
                ledger.apply(self._event(ledger, real, plan, place, now, number))
        rules = real.networks[network_id].rules
        lane = ledger.lanes[network_id, self._operator]
        needed = rules.stake_per_inference * lane.open_inferences
        stake = real.lanes[network_id, self._operator].stake
        return Prepared(tuple(found), self._call(found), needed, stake, real)

    def simulate(self, prepared: Prepared) -> int | None:
        """Return the gas of the commit; None when the stake is short or there is nothing to send.

        Raises:
            ContractError: the registry would refuse the batches.
        """
        if prepared.call is None or prepared.stake_needed > prepared.stake:
            return None
        return self._sender.simulate(prepared.call)

    def send(self, prepared: Prepared, stage: Stage = lambda name: None) -> list[SubmittedBatch]:
        """Commit the batches that the chain has not, and write receipts of all.

        Raises:
            SubmitError: the stake is too small; nothing was sent.
            ContractError: the registry refuses a batch, and so all.
            StoreError: the data cannot be kept; nothing was sent.
            WaitError: no block holds the commits yet, or no node tells of them.
        """
        ledger, sent = prepared.ledger, False
        if prepared.call is not None:
            if prepared.stake_needed > prepared.stake:
                raise SubmitError(
                    f"the lane's stake is {prepared.stake}; needed with these batches: "
                    f"{prepared.stake_needed}"
                )
            for one in prepared.batches:
                self._keep(one.source, one.plan)
            ids = [one.plan.batch.id() for one in prepared.batches]
            ledger, sent = self._sent(prepared.call, ids)
        return [self._submitted(ledger, one.plan, sent, stage) for one in prepared.batches]

    def _submitted(
        self, ledger: Ledger, plan: SubmissionPlan, sent: bool, stage: Stage
    ) -> SubmittedBatch:
        found, _, path = self._receipted(ledger, plan, stage)
        tx_hash, block = found.committed.tx_hash, found.committed.block_number
        return SubmittedBatch(plan, sent and not plan.committed, tx_hash, block, path)

    def _call(self, found: Sequence[PreparedBatch]) -> Call | None:
        commitments = list(_commitments(found))
        if not commitments:
            return None
        call = commit_several(self._registry, self._sender.address, self._operator, commitments)
        return for_batches(call, [one.plan.batch.id() for one in found if not one.plan.committed])

    def _event(
        self,
        ledger: Ledger,
        real: Ledger,
        plan: SubmissionPlan,
        place: SlotChoice,
        now: int,
        number: int,
    ) -> BatchCommitted:
        """Return the event that committing a plan would emit."""
        batch, rules = plan.batch, ledger.networks[plan.batch.network_id].rules
        over = ledger.batches.get(place.replaced_id)
        block = real.last.block_number + 1 if real.last else 0
        return BatchCommitted(
            network_id=batch.network_id,
            operator=batch.operator,
            batch_id=batch.id(),
            model_id=batch.model_id,
            root=batch.root,
            index=batch.index,
            commit_deadline=batch.commit_deadline,
            stamp=Stamp(place.slot, batch.count, now, block, now + rules.challenge_window),
            finalized_id=place.replaced_id,
            outcome=over.outcome if over else Outcome.UNCHALLENGED,
            finalized_count=place.replaced_count,
            position=Position(block, number, ZERO32, self._registry.address),
        )


class _Pending(BatchStore):
    """A store, and the batches that are about to be put into it."""

    def __init__(self, kept: BatchStore) -> None:
        self._kept = kept
        self.records: dict[bytes, list[InferenceRecord]] = {}

    def get(
        self, root: bytes, model_id: bytes | None = None, operator: bytes | None = None
    ) -> list[InferenceRecord]:
        """Return a batch's records; see BatchStore for errors."""
        return self.records.get(root) or self._kept.get(root, model_id, operator)


def _commitments(found: Sequence[PreparedBatch]) -> Iterator[tuple[object, ...]]:
    for one in found:
        if not one.plan.committed:
            yield one.place.commitment(one.plan.batch)
