"""Stands by what was committed: answers demands in time, and makes batches final.

Answers go out without waiting for each other, the most urgent first, many in one transaction by the
registry's `each`, of which one that fails leaves the others.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tallystick.actions.chain_view import ChainView
from tallystick.actions.disputes import reveal
from tallystick.actions.finality import finalize
from tallystick.chain.call import Call
from tallystick.chain.fees import MOST_GAS
from tallystick.chain.logs import decode_log, topic_of
from tallystick.node.operator.lane import OperatorLane
from tallystick.node.operator.pipeline import Landed, Pipeline
from tallystick.node.operator.reveal_capacity import (
    ENTRY_DATA,
    ENTRY_GAS,
    MOST_DATA,
)
from tallystick.protocol.enums import DisputeKind, State
from tallystick.protocol.events import LeafRevealed
from tallystick.protocol.ledger import BatchState

_MOST_AT_ONCE = 40
"""Batches in one transaction that finalizes."""


@dataclass(frozen=True, slots=True)
class _Reveal:
    """An answer to a demand, ready to go."""

    record: BatchState
    call: Call
    gas: int
    due: int


@dataclass(slots=True)
class DemandResponder:
    """Looks after the lane's batches on chain."""

    lane: OperatorLane
    pipeline: Pipeline
    _mined: dict[bytes, int] = field(default_factory=dict)
    """Batches whose answer or finality a block holds that the ledger has not come to."""

    def answer_demands(self) -> None:
        """Send an answer to each demanded leaf, the most urgent first, and see to those sent.

        Raises:
            Exception: the first failure, once all demands were tried.
        """
        self.pipeline.settle(self.lane.head.now)
        failures: list[Exception] = []
        reveals = self._reveals(failures)
        for part in parts(reveals, self._most_gas()):
            if self.pipeline.is_full:
                break
            self._send(part)
        if self.pipeline.settle(self.lane.head.now):
            self.lane.follower.advance()
        if failures:
            raise failures[0]

    def finalize(self) -> None:
        """Finalize batches that no commit has taken along for too long."""
        lane = self.lane
        oldest = lane.head.now - lane.settings.finalize_after
        over = [
            record
            for record in lane.held_batches()
            if record.state is State.OPEN
            and record.stamp.free_from <= oldest
            and not self._is_done(record.id)
        ][:_MOST_AT_ONCE]
        if not over:
            return
        sent = lane.sender.send(
            finalize(self._view(), lane.registry, [record.id for record in over])
        )
        self._mined |= {record.id: sent.block_number for record in over}
        lane.log.info("batches finalized", count=len(over))
        lane.follower.advance()

    def _reveals(self, failures: list[Exception]) -> Iterator[_Reveal]:
        """Yield what is to be answered and is not on its way; note what cannot be."""
        lane = self.lane
        for record in self._demanded():
            if self.pipeline.is_about(record.id) or self._is_done(record.id):
                continue
            assert record.dispute is not None
            try:
                call = reveal(self._view(), lane.registry, record.id, lane.data(record))
                gas = lane.sender.simulate(call)
            except Exception as error:
                lane.log.error("demand not answered yet", batch_id=record.id, reason=str(error))
                failures.append(error)
            else:
                yield _Reveal(record, call, gas, record.dispute.due)

    def _send(self, part: Sequence[_Reveal]) -> None:
        if len(part) == 1:
            call, gas = part[0].call, part[0].gas
        else:
            # The node's estimate of `each` is of no use: with too little gas it succeeds as well.
            call = self.lane.registry.call("each", [one.call.data for one in part])
            gas = sum(one.gas + ENTRY_GAS for one in part)
        about = [one.record.id for one in part]
        self.pipeline.send(call, about, gas, min(one.due for one in part), self._note)

    def _note(self, landed: Landed) -> None:
        lane, receipt = self.lane, landed.receipt
        if receipt is None:
            return
        topic, revealed = topic_of(LeafRevealed), {}
        for log in receipt["logs"]:
            if bytes(log["topics"][0]) == topic:
                event = decode_log(log)
                assert isinstance(event, LeafRevealed)
                revealed[event.batch_id] = event.leaf_index
        for batch_id in landed.flight.about:
            # Until the ledger is there, the demand seems to be open.
            self._mined[batch_id] = receipt["blockNumber"]
            if batch_id in revealed:
                lane.metrics.answered_demands.inc()
                lane.log.info("demand answered", batch_id=batch_id, leaf_index=revealed[batch_id])
            else:
                lane.metrics.failures.labels("reveal").inc()
                lane.log.error("an answer was refused", batch_id=batch_id)

    def _is_done(self, batch_id: bytes) -> bool:
        """Return whether a block holds a move on the batch that the ledger has not come to."""
        block = self._mined.get(batch_id)
        if block is not None and block <= self.lane.head.number:
            del self._mined[batch_id]
            return False
        return block is not None

    def _demanded(self) -> list[BatchState]:
        """Return batches with a demand that can still be answered, the most urgent first."""
        now = self.lane.head.now
        found = [
            (record.dispute.due, record.id, record)
            for record in self.lane.held_batches()
            if record.dispute is not None
            and record.dispute.kind is DisputeKind.DEMAND
            and record.dispute.due >= now
        ]
        return [record for _, _, record in sorted(found, key=lambda one: one[:2])]

    def _most_gas(self) -> int:
        # A fifth is added to what was estimated.
        block = self.lane.registry.w3.eth.get_block("latest")
        return min(MOST_GAS, int(block["gasLimit"])) * 5 // 6

    def _view(self) -> ChainView:
        return ChainView(
            self.lane.ledger, self.lane.head.now, self.lane.operator, self.lane.registry
        )


def parts(reveals: Iterator[_Reveal], most_gas: int) -> Iterator[list[_Reveal]]:
    """Yield reveals in the order that they come in, as many together as one transaction holds.

    Args:
        reveals: any number; one that is too large for company goes alone.
        most_gas: of one transaction.
    """
    part: list[_Reveal] = []
    gas = data = 0
    for one in reveals:
        own_gas, own_data = one.gas + ENTRY_GAS, len(one.call.data) + ENTRY_DATA
        if part and (gas + own_gas > most_gas or data + own_data > MOST_DATA):
            yield part
            part, gas, data = [], 0, 0
        part.append(one)
        gas, data = gas + own_gas, data + own_data
    if part:
        yield part
