"""Totals per network, from events and from the contract at one block, and where they differ."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import NamedTuple

from tallystick.chain.fold import endpoint
from tallystick.chain.registry import Registry
from tallystick.errors import MissingLogsError
from tallystick.hexes import to_hex
from tallystick.ledger import Ledger
from tallystick.totals import Totals


class Difference(NamedTuple):
    """A counter on which events and contract do not agree."""

    network_id: bytes
    counter: str
    block: int
    from_events: int
    from_contract: int

    def __str__(self) -> str:
        return (
            f"network {to_hex(self.network_id)}, counter {self.counter}, block {self.block}: "
            f"events say {self.from_events}, the contract says {self.from_contract}"
        )


@dataclass(frozen=True, slots=True)
class NetworkTally:
    """One network's counters at a block, by both ways."""

    network_id: bytes
    name: str
    block: int
    from_events: Totals
    from_contract: Totals

    @property
    def differences(self) -> list[Difference]:
        """One for each counter that is not the same; empty when both agree to the unit."""
        return [
            Difference(
                self.network_id,
                field.name,
                self.block,
                getattr(self.from_events, field.name),
                getattr(self.from_contract, field.name),
            )
            for field in fields(Totals)
            if getattr(self.from_events, field.name) != getattr(self.from_contract, field.name)
        ]


def tally(
    ledger: Ledger, registry: Registry, block: int, networks: Iterable[bytes] = ()
) -> list[NetworkTally]:
    """Return the counters of networks, all that were registered unless some are named.

    Args:
        ledger: of all events up to `block`, included.
        registry: read at `block`.
        block: number.
        networks: ids.

    Raises:
        MissingLogsError: the core knows a named network that no event registers.
        ContractError: the core doesn't know a named network: NetworkNotFound.
    """
    wanted = list(networks) or list(ledger.networks)
    for network_id in wanted:
        if network_id not in ledger.networks:
            registry.totals(network_id, block)
            raise MissingLogsError(
                f"no event up to block {block} registers network {to_hex(network_id)}, which the "
                f"core knows: logs are missing at {endpoint(registry)}"
            )
    return [
        NetworkTally(
            network_id,
            ledger.networks[network_id].name,
            block,
            ledger.totals.get(network_id, Totals()),
            registry.totals(network_id, block),
        )
        for network_id in wanted
    ]
