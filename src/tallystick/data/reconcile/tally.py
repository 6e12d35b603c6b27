"""One network's counters at a block, by both ways."""

from dataclasses import dataclass

from tallystick.data.reconcile.compared import Compared
from tallystick.protocol.totals import Totals


@dataclass(frozen=True, slots=True)
class NetworkTally:
    """A network's."""

    network_id: bytes
    name: str
    block: int
    from_events: Totals
    counters: tuple[Compared, ...]

    @property
    def differences(self) -> list[Compared]:
        """The counters that are not the same; empty when events and contract agree to the unit."""
        return [one for one in self.counters if not one.agrees]
