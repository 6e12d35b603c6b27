"""One counter of one network by both ways: from events and from the contract."""

from dataclasses import dataclass, fields

from tallystick.protocol.totals import Totals


@dataclass(frozen=True, slots=True)
class Compared:
    """A counter at a block."""

    chain_id: int
    address: str
    """The registry's, lower-case hex text."""
    network_id: str
    """32 bytes, lower-case hex text."""
    counter: str
    block: int
    """Number."""
    from_events: int
    from_contract: int

    @property
    def agrees(self) -> bool:
        """True if both are the same to the unit."""
        return self.from_events == self.from_contract

    def __str__(self) -> str:
        return (
            f"chain {self.chain_id}, registry {self.address}, network {self.network_id}, "
            f"counter {self.counter}, block {self.block}: events say {self.from_events}, "
            f"the contract says {self.from_contract}"
        )


def compare(
    chain_id: int,
    address: str,
    network_id: str,
    block: int,
    from_events: Totals,
    from_contract: Totals,
) -> list[Compared]:
    """Return every counter of a network by both ways, in the order of Totals."""
    return [
        Compared(
            chain_id,
            address,
            network_id,
            field.name,
            block,
            getattr(from_events, field.name),
            getattr(from_contract, field.name),
        )
        for field in fields(Totals)
    ]
