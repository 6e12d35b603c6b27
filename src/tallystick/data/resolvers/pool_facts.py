"""Facts of a pool beside its terms: its seats at a data folder's last block, and its audits."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class EpochSeats:
    """An epoch's list of seats, as a pool had it at a block."""

    block: int
    epoch: int
    seats: int
    accounts: Mapping[str, int]
    """Seats by account, hex text; an account is where its keys' money goes."""
    convicted: int = 0
    """Seats among them of convicted keys: still drawn, but their places count no more."""

    def largest(self) -> tuple[str, int] | None:
        """Return the account with most seats, and how many; None: nobody has any."""
        held = sorted(self.accounts.items(), key=lambda one: (-one[1], one[0]))
        return held[0] if held else None


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """A batch whose audit counts in the registry, and is on record in the pool."""

    count: int
    """Inferences of the batch."""
    at_stake: int
    """Units of the asset that a conviction burns of its signers' stake, by the seats that they had
    in the list from which they were drawn."""


@dataclass(frozen=True, slots=True)
class PoolFacts:
    """A pool, as far as a data folder goes."""

    seats: EpochSeats | None = None
    """None: they were not read at the folder's last block."""
    audits: Mapping[str, tuple[AuditRecord, ...]] = field(default_factory=dict)
    """By network id, hex text."""
    missing: Mapping[str, int] = field(default_factory=dict)
    """By network id: audits that the registry counts, and whose record is not in the folder."""


UNREAD = PoolFacts()
