"""A pool as who acts in it finds it, and what is made of that: a call, and what it moves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tallystick.actions.chain_view import ActionError
from tallystick.chain.call import Call
from tallystick.chain.pool import Pool, PoolTerms
from tallystick.protocol.hexes import checksummed
from tallystick.protocol.pool import Seats, epoch_of


class Move(NamedTuple):
    """A call that the pool would take now."""

    call: Call
    facts: Mapping[str, Any]
    """Whom and how much it moves, by name."""


@dataclass(frozen=True, slots=True)
class PoolView:
    """A pool at the latest block, for one who acts."""

    pool: Pool
    now: int
    """Unix seconds; time of a block mined now."""
    sender: bytes
    """20 bytes."""
    terms: PoolTerms = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "terms", self.pool.terms())

    @property
    def epoch(self) -> int:
        """The epoch that it is now."""
        return epoch_of(self.now)

    def need_credit(self, amount: int, what: str) -> None:
        """Raise ActionError unless the sender's credit pays an amount, in units of the asset."""
        credit = self.pool.credit(self.sender)
        if credit < amount:
            raise ActionError(
                f"{checksummed(self.sender)} has credit {credit} in the pool; {what} is {amount}; "
                "add some with `ape tallystick pool deposit`"
            )

    def need_registry(self, registry: bytes) -> None:
        """Raise ActionError unless the pool audits the batches of a registry, 20 bytes."""
        core = self.pool.core()
        if core != registry:
            raise ActionError(
                f"the pool is of the registry {checksummed(core)}, not of {checksummed(registry)}"
            )

    def need_list(self, epoch: int) -> list[Seats]:
        """Return the list of an epoch; ActionError where no panel is drawn from it."""
        self.need_drawn_from(epoch)
        return self.pool.entries(epoch)

    def need_drawn_from(self, epoch: int) -> None:
        """Raise ActionError unless panels are drawn from the list of an epoch."""
        if epoch + 3 <= self.epoch:
            raise ActionError(
                f"too late: the list of epoch {epoch} is kept no more; the oldest that is kept is "
                f"that of {self.epoch - 2}"
            )
        seats = self.pool.header(epoch).seats
        if seats < self.terms.min_seats:
            raise ActionError(
                f"the pool is too small: epoch {epoch} has {seats} seats; needed: "
                f"{self.terms.min_seats}"
            )
