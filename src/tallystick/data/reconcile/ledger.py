"""Totals per network, from events and from the contract at one block, and where they differ."""

from collections.abc import Iterable
from dataclasses import dataclass

from tallystick.chain.registry import Registry
from tallystick.chain.rpc.provider import name_of
from tallystick.data.reconcile.compared import Compared, compare
from tallystick.errors import MissingLogsError
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.ledger import Ledger
from tallystick.protocol.totals import Totals


@dataclass(frozen=True, slots=True)
class NetworkTally:
    """One network's counters at a block, by both ways."""

    network_id: bytes
    name: str
    block: int
    from_events: Totals
    from_contract: Totals
    counters: tuple[Compared, ...]

    @property
    def differences(self) -> list[Compared]:
        """The counters that are not the same; empty when events and contract agree to the unit."""
        return [one for one in self.counters if not one.agrees]


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
        MissingLogsError: the registry knows a named network that no event registers.
        ContractError: the registry doesn't know a named network: NetworkNotFound.
    """
    wanted = list(networks) or list(ledger.networks)
    for network_id in wanted:
        if network_id not in ledger.networks:
            registry.totals(network_id, block)
            raise MissingLogsError(
                f"no event up to block {block} registers network {to_hex(network_id)}, which the "
                f"registry knows: logs are missing at {name_of(registry.w3)}"
            )
    chain_id, address = registry.w3.eth.chain_id, to_hex(registry.address)
    found = []
    for network_id in wanted:
        events = ledger.totals.get(network_id, Totals())
        told = registry.totals(network_id, block)
        counters = compare(chain_id, address, to_hex(network_id), block, events, told)
        name = ledger.networks[network_id].name
        found.append(NetworkTally(network_id, name, block, events, told, tuple(counters)))
    return found
