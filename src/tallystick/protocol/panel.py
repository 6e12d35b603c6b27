"""A drawn panel: its places, who holds them, and what they sign."""

from collections.abc import Iterable
from dataclasses import dataclass

from tallystick.protocol.eip712 import Domain
from tallystick.protocol.enums import Ruling
from tallystick.protocol.pool import PanelAudit, PanelVerdict, Quorums, Seats, places_of


@dataclass(frozen=True, slots=True)
class Panel:
    """Places that were drawn for a batch's audit, or for a case.

    Of one's word about a batch, the ruling is Undecided: an audit rules on nothing.
    """

    domain: Domain
    """Of the pool."""
    id: bytes
    """Of the batch, or of the case, 32 bytes."""
    seed: bytes
    """Hash of a block, 32 bytes."""
    quorums: Quorums
    is_audit: bool
    entries: tuple[Seats, ...]
    """Of the epoch's list, all of it."""
    places: dict[int, list[int]]
    """By entry."""

    @classmethod
    def drawn(
        cls,
        domain: Domain,
        panel_id: bytes,
        seed: bytes,
        quorums: Quorums,
        entries: Iterable[Seats],
        is_audit: bool,
    ) -> "Panel":
        """Draw a panel from an epoch's list; see the attributes."""
        listed = tuple(entries)
        size = quorums.panel if is_audit else quorums.judges
        places = places_of(listed, seed, panel_id, size)
        return cls(domain, panel_id, seed, quorums, is_audit, listed, places)

    def entry_of(self, key: bytes) -> int | None:
        """Return the entry of a key that holds a place; None: it holds none."""
        return next((one for one in self.places if self.entries[one].key == key), None)

    def count(self, entries: Iterable[int]) -> int:
        """Return how many places these entries hold."""
        return sum(len(self.places[entry]) for entry in entries)

    def needed(self, ruling: Ruling) -> int:
        """Return how many places have to sign alike."""
        if self.is_audit:
            return self.quorums.audit
        rejects = ruling is Ruling.REJECTED
        return self.quorums.reject if rejects else self.quorums.uphold

    @property
    def opens_at(self) -> int:
        """Places whose seals have to be known before anybody shows a signature."""
        return self.quorums.audit if self.is_audit else self.quorums.uphold

    def struct_hash(self, ruling: Ruling) -> bytes:
        """Return EIP-712's hashStruct of what a member signs, 32 bytes."""
        if self.is_audit:
            return PanelAudit(self.id, self.seed).struct_hash()
        return PanelVerdict(self.id, self.seed, ruling).struct_hash()

    def before(self, key: bytes) -> list[bytes]:
        """Return the keys whose turn comes before a key's, all for one without a place.

        Who is first differs from panel to panel.
        """
        order = [self.entries[entry].key for entry in sorted(self.places)]
        if not order:
            return []
        first = int.from_bytes(self.id[:8], "big") % len(order)
        order = order[first:] + order[:first]
        return order[: order.index(key)] if key in order else order
