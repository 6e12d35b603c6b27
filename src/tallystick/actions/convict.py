"""Actions that convict a batch without a bond: disprove, and the faults that its data show."""

from collections.abc import Container, Iterable, Iterator

from tallystick.actions.batch_data import BatchData
from tallystick.actions.chain_view import BEFORE_FINAL, ActionError, ChainView
from tallystick.chain.call import Call
from tallystick.chain.registry import Registry
from tallystick.errors import StoreError
from tallystick.protocol.enums import State
from tallystick.protocol.faults import Key, LeafRule, find_convictions, openable
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.ledger import BatchState
from tallystick.protocol.opening import Opening
from tallystick.storage.batch_store import BatchStore


def disprove(
    view: ChainView, registry: Registry, batch_id: bytes, opening: Opening, evidence: bytes
) -> Call:
    """Return the call that rejects a batch on evidence by which a leaf is wrong at once."""
    record = view.batch(batch_id)
    view.need_arbiter(record)
    view.need_state(record, *BEFORE_FINAL)
    opening.check(record.batch)
    return registry.call("disprove", record.pre_image.abi(), opening.abi(), evidence)


def fault(view: ChainView, registry: Registry, batch_id: bytes, store: BatchStore) -> Call:
    """Return the call that convicts a batch of the cheapest fault that its data show.

    Looked for in turn: a deadline out of range, leaves out of order, a (requester, nonce) of an
    earlier batch of the lane that its slot still holds.

    Raises:
        ActionError: there is no fault to be seen.
        StoreError: the batch's data cannot be read.
    """
    record = view.batch(batch_id)
    view.need_state(record, *BEFORE_FINAL)
    data = BatchData.load(store, record)
    shared: dict[Key, tuple[BatchData, int]] = {}

    def taken() -> Container[Key]:
        shared.update(_shared(data, _earlier(view, record), store))
        return shared

    rules = view.rules(record)
    found = next(
        find_convictions(record.batch, record.stamp, data.records, rules, taken),
        None,
    )
    if found is None:
        raise ActionError(f"no fault is to be seen in the data of batch {to_hex(batch_id)}")
    pre_image, opening = record.pre_image.abi(), data.opening(found.leaf_index)
    if found.rule is LeafRule.DEADLINE:
        return registry.call("faultDeadline", pre_image, opening.abi())
    if found.rule is LeafRule.ORDER:
        before = data.opening(found.leaf_index - 1)
        return registry.call("faultOrder", pre_image, before.abi(), opening.abi())
    other, place = shared[opening.inference.key]
    earlier = other.record.pre_image.abi(), other.opening(place).abi()
    return registry.call("faultRepeat", pre_image, opening.abi(), *earlier)


def _shared(
    data: BatchData, earlier: Iterable[BatchState], store: BatchStore
) -> dict[Key, tuple[BatchData, int]]:
    """Return which keys of a batch one that was before it has, and where."""
    own = {one.key for one in data.records}
    for record in earlier:
        try:
            other = BatchData.load(store, record)
        except StoreError:
            continue  # Without data there is nothing to be shown of that batch.
        places = enumerate(openable(record.batch, other.records))
        shared = {one.key: (other, place) for place, one in places if one.key in own}
        if shared:
            return shared
    return {}


def _earlier(view: ChainView, record: BatchState) -> Iterator[BatchState]:
    """Yield the lane's earlier batches that their slots still hold, rejected ones excepted."""
    lane = view.ledger.lanes[record.batch.network_id, record.batch.operator]
    for batch_id in lane.slots.values():
        other = view.ledger.batches[batch_id]
        if other.batch.index < record.batch.index and other.state is not State.REJECTED:
            yield other
