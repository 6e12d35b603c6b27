"""The lanes that batches are in, found by the batches' ids alone."""

from collections.abc import Iterable

from tallystick.chain.cache import ChainCache
from tallystick.chain.logs import Filter, decode_log, read_logs, topic_of
from tallystick.chain.origin import first_block_of
from tallystick.chain.registry import Registry
from tallystick.protocol.events import BatchCommitted
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.ledger import LaneKey
from tallystick.protocol.scope import Scope


def find_lanes(
    registry: Registry, batch_ids: Iterable[bytes], cache: ChainCache, first_block: int | None
) -> dict[bytes, LaneKey]:
    """Return network id and operator by batch id; batches that nobody committed are missing.

    A batch's id is a hash over both: they are asked for once, and kept.

    Args:
        registry: the batches'.
        batch_ids: 32 bytes each.
        cache: of the registry.
        first_block: the registry's; None: found by its code.

    Raises:
        LogError: a node gave logs that were not asked for.
        Web3Exception, OSError, ValueError: a node does not answer.
    """
    known = {one: cache.lane_of(one) for one in batch_ids}
    found = {one: lane for one, lane in known.items() if lane is not None}
    new = [to_hex(one) for one in known if one not in found]
    if not new:
        return found
    first = first_block_of(registry, cache) if first_block is None else first_block
    wanted: Filter = [[to_hex(topic_of(BatchCommitted))], None, None, sorted(new)]
    w3 = registry.w3
    for log in read_logs(w3, registry.address, first, w3.eth.block_number, [wanted]):
        event = decode_log(log)
        if isinstance(event, BatchCommitted):
            found[event.batch_id] = event.network_id, event.operator
            cache.note_lane_of(event.batch_id, event.network_id, event.operator)
    return found


def scope_of(lanes: Iterable[LaneKey]) -> Scope:
    """Return the scope of some lanes; of none, nothing but networks and models."""
    kept = list(lanes)
    networks = frozenset(network_id for network_id, _ in kept)
    return Scope(networks or None, frozenset(operator for _, operator in kept))
