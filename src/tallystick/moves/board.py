"""What a move looks at: the ledger, the clock, and what its sender has."""

from dataclasses import dataclass

from tallystick.enums import DisputeKind, State
from tallystick.errors import TallystickError
from tallystick.hexes import checksummed, to_hex
from tallystick.ledger import BatchRecord, Ledger
from tallystick.network import Rules
from tallystick.words import ZERO_ADDRESS


class MoveError(TallystickError, RuntimeError):
    """A move that the core would refuse; nothing was sent."""


@dataclass(frozen=True, slots=True)
class Board:
    """The chain as it stands."""

    ledger: Ledger
    now: int
    """Unix seconds; time of a block mined now."""
    sender: bytes
    """Who makes the move, 20 bytes."""

    def batch(self, batch_id: bytes) -> BatchRecord:
        """Return a batch; MoveError if no event names it."""
        record = self.ledger.batches.get(batch_id)
        if record is None:
            raise MoveError(f"this core has no batch {to_hex(batch_id)}")
        return record

    def rules(self, record: BatchRecord) -> Rules:
        """Return the rules of a batch's network."""
        return self.ledger.networks[record.batch.network_id].rules

    def need_state(self, record: BatchRecord, *states: State) -> None:
        """Raise MoveError unless the batch is in one of these states."""
        if record.state not in states:
            needed = " or ".join(state.name.lower() for state in states)
            raise MoveError(
                f"batch {to_hex(record.id)} is {record.state.name.lower()}; needed: {needed}"
            )
        lane = self.ledger.lanes[record.batch.network_id, record.batch.operator]
        if lane.slots.get(record.stamp.slot) != record.id:
            raise MoveError(f"another batch has taken the slot of batch {to_hex(record.id)}")

    def need_dispute(self, record: BatchRecord, kind: DisputeKind) -> None:
        """Raise MoveError unless this kind of dispute is pending."""
        self.need_state(record, State.DISPUTED)
        if record.dispute is None or record.dispute.kind is not kind:
            raise MoveError(
                f"batch {to_hex(record.id)} has another dispute; needed: a {kind.name.lower()}"
            )

    def need_before(self, end: int, what: str) -> None:
        """Raise MoveError unless it is earlier than `end`, in Unix seconds."""
        if self.now >= end:
            raise MoveError(f"too late: it is {self.now}, and {what} ended at {end}")

    def need_from(self, start: int, what: str) -> None:
        """Raise MoveError unless it is `start` already, in Unix seconds."""
        if self.now < start:
            raise MoveError(
                f"too early: it is {self.now}; {what} at {start}, in {start - self.now} s"
            )

    def need_credit(self, record: BatchRecord, amount: int, what: str) -> None:
        """Raise MoveError unless the sender's credit pays `amount`, in units of the asset."""
        asset = self.rules(record).asset
        credit = self.ledger.credits.get((asset, self.sender), 0)
        if credit < amount:
            raise MoveError(
                f"{checksummed(self.sender)} has credit {credit}; {what} is {amount}; "
                "add some with `ape run stake deposit --credit-only`"
            )

    def need_arbiter(self, record: BatchRecord) -> None:
        """Raise MoveError unless the network has an arbiter."""
        if self.rules(record).arbiter == ZERO_ADDRESS:
            raise MoveError("the network has no arbiter, so there is no ruling in it")

    def need_leaf(self, record: BatchRecord, index: int) -> None:
        """Raise MoveError unless the batch has a leaf of this index."""
        if not 0 <= index < record.batch.count:
            raise MoveError(f"leaf index is {index}; needed: 0 to {record.batch.count - 1}")


BEFORE_FINAL = (State.OPEN, State.DISPUTED)
"""States in which a batch can still be convicted."""
