"""Terms of the lane as the chain had them at the last look; read by many, never changed."""

import time
from dataclasses import dataclass

from tallystick.chain.follower import Head
from tallystick.node.operator.errors import RefusedError
from tallystick.protocol.ledger import Ledger
from tallystick.protocol.rules import Rules


@dataclass(frozen=True, slots=True)
class LaneTerms:
    """One lane at one block."""

    head: Head
    rules: Rules
    capacity: int | None
    """Inferences that the stake lets be open at once; None: any number."""
    open_inferences: int
    accepting: bool
    """The lane may commit: the network is open to it, and its owner has not closed it."""
    key_holds: bool = True
    """The node may commit for the operator."""

    @classmethod
    def of(
        cls, ledger: Ledger, head: Head, network_id: bytes, operator: bytes, sender: bytes
    ) -> "LaneTerms":
        """Return a lane's terms; KeyError for an unknown network.

        Args:
            ledger: of the registry.
            head: where the ledger stands.
            network_id: the lane's.
            operator: the lane's.
            sender: who commits, 20 bytes: the operator, or its key.
        """
        rules = ledger.networks[network_id].rules
        lane = ledger.lanes[network_id, operator]
        each = rules.stake_per_inference
        return cls(
            head,
            rules,
            lane.stake // each if each else None,
            lane.open_inferences,
            (rules.permissionless or lane.admitted) and not lane.closed,
            sender in (operator, ledger.key_of(operator)),
        )

    def room(self, waiting: int) -> int | None:
        """Return how many more inferences the stake covers; None: any number."""
        if self.capacity is None:
            return None
        return max(0, self.capacity - self.open_inferences - waiting)

    def check_deadline(self, deadline: int, margin: float) -> None:
        """Raise RefusedError (422) unless a batch can hold the deadline, whenever it is committed.

        Args:
            deadline: Unix seconds.
            margin: seconds that it must be away.
        """
        first = self.head.now + int(margin)
        last = self.rules.latest_deadline(self.head.now)
        if not first <= deadline <= last:
            raise RefusedError(
                422,
                f"deadline is {deadline}; needed: {first} to {last} (time to commit, and half the "
                "challenge window)",
            )

    def check_fresh(self, longest: float) -> None:
        """Raise RefusedError (503) when the chain was last seen too long ago, in seconds."""
        age = time.monotonic() - self.head.seen_at
        if age > longest:
            raise RefusedError(503, f"the chain was last seen {age:.0f} s ago; try again later")
