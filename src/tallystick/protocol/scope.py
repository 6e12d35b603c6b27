"""The part of a registry that is read: all of it, some networks, or some operators' lanes."""

from dataclasses import dataclass

from tallystick.protocol.events import (
    Event,
    KeySet,
    LaneEvent,
    ModelRegistered,
    NetworkEvent,
    NetworkRegistered,
)

DIRECTORY = frozenset({NetworkRegistered, ModelRegistered})
"""Events that say what there is, before anybody has done anything in it."""

Ids = frozenset[bytes] | None


@dataclass(frozen=True, slots=True)
class Scope:
    """Networks, and operators' lanes in them, that a ledger covers.

    Networks and their models are always read; what else there is follows from `operators`. With
    None, all that happened in the networks, so that their totals are known. With some, their lanes
    and keys alone. With none at all, nothing but networks and models.

    >>> lane = Scope.lane(b"n" * 32, b"o" * 20)
    >>> lane.has_lane((b"n" * 32, b"o" * 20)), lane.has_totals(b"n" * 32)
    (True, False)
    """

    networks: Ids = None
    """Ids, 32 bytes each; None: all there are."""
    operators: Ids = None
    """20 bytes each; None: all there are."""

    @classmethod
    def network(cls, *network_ids: bytes) -> "Scope":
        """Return all that happened in these networks."""
        return cls(frozenset(network_ids))

    @classmethod
    def lane(cls, network_id: bytes, *operators: bytes) -> "Scope":
        """Return these operators' lanes in a network."""
        return cls(frozenset({network_id}), frozenset(operators))

    @classmethod
    def directory(cls, *network_ids: bytes) -> "Scope":
        """Return networks and models, of all unless some are named, without their lanes."""
        return cls(frozenset(network_ids) or None, frozenset())

    @property
    def is_whole(self) -> bool:
        """True when nothing is left out: only then credits are known."""
        return self.networks is None and self.operators is None

    def has_network(self, network_id: bytes) -> bool:
        """Return whether a network and its models are known."""
        return self.networks is None or network_id in self.networks

    def has_totals(self, network_id: bytes) -> bool:
        """Return whether a network's totals are known: all of its lanes are."""
        return self.operators is None and self.has_network(network_id)

    def has_lane(self, key: tuple[bytes, bytes]) -> bool:
        """Return whether a lane is known, by its network id and operator."""
        return self.has_network(key[0]) and (self.operators is None or key[1] in self.operators)

    def has_key(self, operator: bytes) -> bool:
        """Return whether it is known who may commit for an operator."""
        return self.is_whole or (self.operators is not None and operator in self.operators)

    def has_event(self, event: Event) -> bool:
        """Return whether an event belongs to what is read."""
        if isinstance(event, LaneEvent):
            return self.has_lane((event.network_id, event.operator))
        if isinstance(event, NetworkEvent):
            known = self.has_network if type(event) in DIRECTORY else self.has_totals
            return known(event.network_id)
        if isinstance(event, KeySet):
            return self.has_key(event.operator)
        return self.is_whole

    @property
    def name(self) -> str:
        """Text that no other scope has."""
        return f"networks={_named(self.networks)} operators={_named(self.operators)}"


WHOLE = Scope()
"""All of a registry."""


def _named(ids: Ids) -> str:
    return "*" if ids is None else ",".join(sorted(one.hex() for one in ids))
