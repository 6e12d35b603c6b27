"""Choice of the lane's storage word that a new batch goes into."""

from dataclasses import dataclass
from typing import Any

from tallystick.protocol.abi_words import ZERO32
from tallystick.protocol.batch import Batch
from tallystick.protocol.enums import State
from tallystick.protocol.ledger import Lane, Ledger


@dataclass(frozen=True, slots=True)
class SlotChoice:
    """A slot, and the finalizable batch that is in it, if any."""

    slot: int
    replaced_id: bytes = ZERO32
    """Zero: nothing to be finalized."""
    replaced_stamp: bytes = ZERO32
    replaced_count: int = 0

    def commitment(self, batch: Batch) -> tuple[Any, ...]:
        """Return `Commitment` of the contract, for a batch that goes here."""
        return (
            batch.network_id,
            batch.model_id,
            batch.root,
            batch.index,
            self.slot,
            batch.count,
            batch.commit_deadline,
            self.replaced_id,
            self.replaced_stamp,
        )


def choose_slot(ledger: Ledger, lane: Lane, now: int) -> SlotChoice:
    """Return the cheapest slot: one whose batch is over, else finalizable, else a fresh one.

    Args:
        ledger: that the lane is from.
        lane: the operator's.
        now: Unix seconds; time of a block mined now.
    """
    for slot, batch_id in sorted(lane.slots.items()):
        if ledger.batches[batch_id].state in (State.FINAL, State.REJECTED):
            return SlotChoice(slot)
    for slot, batch_id in sorted(lane.slots.items()):
        record = ledger.batches[batch_id]
        if record.state is State.OPEN and record.stamp.free_from <= now:
            return SlotChoice(slot, batch_id, record.stamp.pack(), record.batch.count)
    return SlotChoice(next(slot for slot in range(len(lane.slots) + 1) if slot not in lane.slots))
