"""Stands by what was committed: answers demands in time, and makes batches final."""

from dataclasses import dataclass

from tallystick.enums import DisputeKind, State
from tallystick.ledger import BatchRecord
from tallystick.moves.board import Board
from tallystick.moves.disputed import reveal
from tallystick.moves.finish import finalize
from tallystick.node.operator.lane import Lane

_MOST_AT_ONCE = 40
"""Batches in one transaction."""


@dataclass(frozen=True, slots=True)
class Keeper:
    """Looks after the lane's batches on chain."""

    lane: Lane

    def answer_demands(self) -> None:
        """Reveal each demanded leaf, the most urgent first.

        Raises:
            Exception: the first failure, once all demands were tried.
        """
        failure: Exception | None = None
        for record in self._demanded():
            try:
                self._reveal(record)
            except Exception as error:
                self.lane.log.error(
                    "demand not answered yet", batch_id=record.id, reason=str(error)
                )
                failure = failure or error
        if failure is not None:
            raise failure

    def finalize(self) -> None:
        """Finalize batches that no commit has taken along for too long."""
        lane = self.lane
        oldest = lane.head.now - lane.settings.finalize_after
        over = [
            record
            for record in self._held()
            if record.state is State.OPEN and record.stamp.free_from <= oldest
        ][:_MOST_AT_ONCE]
        if not over:
            return
        lane.sender.send(finalize(self._board(), lane.registry, [record.id for record in over]))
        lane.log.info("batches finalized", count=len(over))
        lane.follower.advance()

    def _reveal(self, record: BatchRecord) -> None:
        lane = self.lane
        lane.sender.send(reveal(self._board(), lane.registry, record.id, lane.data(record)))
        lane.metrics.answered_demands.inc()
        assert record.dispute is not None
        lane.log.info("demand answered", batch_id=record.id, leaf_index=record.dispute.leaf_index)
        lane.follower.advance()

    def _demanded(self) -> list[BatchRecord]:
        """Return batches with a demand that can still be answered, the most urgent first."""
        now = self.lane.head.now
        found = [
            (record.dispute.due, record.id, record)
            for record in self._held()
            if record.dispute is not None
            and record.dispute.kind is DisputeKind.DEMAND
            and record.dispute.due >= now
        ]
        return [record for _, _, record in sorted(found, key=lambda one: one[:2])]

    def _held(self) -> list[BatchRecord]:
        """Return the batches that the lane's slots hold."""
        batches = self.lane.ledger.batches
        return [batches[batch_id] for batch_id in self.lane.standing.slots.values()]

    def _board(self) -> Board:
        return Board(self.lane.ledger, self.lane.head.now, self.lane.operator)
