"""The state that an action looks at: the ledger, the clock, and its sender's address."""

from dataclasses import dataclass

from tallystick.chain.registry import Registry
from tallystick.errors import ActionError as ActionError
from tallystick.errors import CreditError as CreditError
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.enums import DisputeKind, State
from tallystick.protocol.hexes import checksummed, to_hex
from tallystick.protocol.ledger import BatchState, Ledger
from tallystick.protocol.rules import Rules


@dataclass(frozen=True, slots=True)
class ChainView:
    """The chain as it stands."""

    ledger: Ledger
    now: int
    """Unix seconds; time of a block mined now."""
    sender: bytes
    """The action's sender, 20 bytes."""
    registry: Registry | None = None
    """Asked for the sender's credit where the ledger is one of a part."""

    def batch(self, batch_id: bytes) -> BatchState:
        """Return a batch; ActionError if no event names it."""
        record = self.ledger.batches.get(batch_id)
        if record is None:
            raise ActionError(f"this registry has no batch {to_hex(batch_id)}")
        return record

    def rules(self, record: BatchState) -> Rules:
        """Return the rules of a batch's network."""
        return self.ledger.networks[record.batch.network_id].rules

    def need_state(self, record: BatchState, *states: State) -> None:
        """Raise ActionError unless the batch is in one of these states."""
        if record.state not in states:
            needed = " or ".join(state.name.lower() for state in states)
            raise ActionError(
                f"batch {to_hex(record.id)} is {record.state.name.lower()}; needed: {needed}"
            )
        lane = self.ledger.lanes[record.batch.network_id, record.batch.operator]
        if lane.slots.get(record.stamp.slot) != record.id:
            raise ActionError(f"another batch has taken the slot of batch {to_hex(record.id)}")

    def need_dispute(self, record: BatchState, kind: DisputeKind) -> None:
        """Raise ActionError unless this kind of dispute is pending."""
        self.need_state(record, State.DISPUTED)
        if record.dispute is None or record.dispute.kind is not kind:
            raise ActionError(
                f"batch {to_hex(record.id)} has another dispute; needed: a {kind.name.lower()}"
            )

    def need_before(self, end: int, what: str) -> None:
        """Raise ActionError unless it is earlier than `end`, in Unix seconds."""
        if self.now >= end:
            raise ActionError(f"too late: it is {self.now}, and {what} ended at {end}")

    def need_from(self, start: int, what: str) -> None:
        """Raise ActionError unless it is `start` already, in Unix seconds."""
        if self.now < start:
            raise ActionError(
                f"too early: it is {self.now}; {what} at {start}, in {start - self.now} s"
            )

    def need_credit(self, record: BatchState, amount: int, what: str) -> None:
        """Raise CreditError unless the sender's credit pays `amount`, in units of the asset."""
        asset = self.rules(record).asset
        if self.ledger.scope.is_whole or self.registry is None:
            credit = self.ledger.credits.get((asset, self.sender), 0)
        else:
            credit = self.registry.credit(asset, self.sender)
        if credit < amount:
            raise CreditError(checksummed(self.sender), credit, amount, what)

    def need_arbiter(self, record: BatchState) -> None:
        """Raise ActionError unless the network has an arbiter."""
        if self.rules(record).arbiter == ZERO_ADDRESS:
            raise ActionError("the network has no arbiter, so there is no ruling in it")

    def need_leaf(self, record: BatchState, index: int) -> None:
        """Raise ActionError unless the batch has a leaf of this index."""
        if not 0 <= index < record.batch.count:
            raise ActionError(f"leaf index is {index}; needed: 0 to {record.batch.count - 1}")


BEFORE_FINAL = (State.OPEN, State.DISPUTED)
"""States in which a batch can still be convicted."""
