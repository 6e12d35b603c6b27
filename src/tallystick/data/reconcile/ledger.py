"""Totals of networks that are named, by a ledger of their events, beside the contract's."""

from collections.abc import Iterable

from tallystick.chain.registry import Registry
from tallystick.chain.rpc.provider import name_of
from tallystick.data.reconcile.compared import compare
from tallystick.data.reconcile.tally import NetworkTally
from tallystick.errors import MissingLogsError
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.ledger import Ledger
from tallystick.protocol.totals import Totals


def tally(
    ledger: Ledger, registry: Registry, block: int, networks: Iterable[bytes]
) -> list[NetworkTally]:
    """Return the counters of networks.

    Args:
        ledger: of all events up to `block`, included.
        registry: read at `block`.
        block: number.
        networks: ids.

    Raises:
        MissingLogsError: the registry knows a named network that no event registers.
        ContractError: the registry doesn't know a named network: NetworkNotFound.
    """
    wanted = list(networks)
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
        found.append(NetworkTally(network_id, name, block, events, tuple(counters)))
    return found
