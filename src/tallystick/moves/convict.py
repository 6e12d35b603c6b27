"""Moves that convict a batch without a bond: disprove, and the faults that its data show."""

from collections.abc import Iterator

from tallystick.chain.call import Call
from tallystick.chain.registry import Registry
from tallystick.enums import State
from tallystick.errors import StoreError
from tallystick.hexes import to_hex
from tallystick.ledger import BatchRecord
from tallystick.moves.board import BEFORE_FINAL, Board, MoveError
from tallystick.moves.data import BatchData
from tallystick.opening import Opening
from tallystick.store import BatchStore


def disprove(
    board: Board, registry: Registry, batch_id: bytes, opening: Opening, evidence: bytes
) -> Call:
    """Return the call that rejects a batch on evidence by which a leaf is wrong at once."""
    record = board.batch(batch_id)
    board.need_arbiter(record)
    board.need_state(record, *BEFORE_FINAL)
    opening.check(record.batch)
    return registry.call("disprove", record.pre_image.abi(), opening.abi(), evidence)


def fault(board: Board, registry: Registry, batch_id: bytes, store: BatchStore) -> Call:
    """Return the call that convicts a batch of the first fault that its data show.

    Looked for in turn: leaves out of order, a deadline out of range, a (requester, nonce) of an
    earlier batch of the lane that its slot still holds.

    Raises:
        MoveError: there is no fault to be seen.
        StoreError: the batch's data cannot be read.
    """
    record = board.batch(batch_id)
    board.need_state(record, *BEFORE_FINAL)
    data = BatchData.load(store, record)
    call = (
        _order(registry, data)
        or _deadline(board, registry, data)
        or _repeat(board, registry, data, store)
    )
    if call is None:
        raise MoveError(f"no fault is to be seen in the data of batch {to_hex(batch_id)}")
    return call


def _order(registry: Registry, data: BatchData) -> Call | None:
    keys = [(one.requester, one.nonce or 0) for one in data.records]
    for index in range(len(keys) - 1):
        if keys[index] >= keys[index + 1]:
            pair = data.opening(index).abi(), data.opening(index + 1).abi()
            return registry.call("faultOrder", data.record.pre_image.abi(), *pair)
    return None


def _deadline(board: Board, registry: Registry, data: BatchData) -> Call | None:
    first = data.record.stamp.committed_at
    last = first + board.rules(data.record).challenge_window // 2
    for index, one in enumerate(data.records):
        if not first <= (one.deadline or 0) <= last:
            opening = data.opening(index).abi()
            return registry.call("faultDeadline", data.record.pre_image.abi(), opening)
    return None


def _repeat(board: Board, registry: Registry, data: BatchData, store: BatchStore) -> Call | None:
    keys = {(one.requester, one.nonce): index for index, one in enumerate(data.records)}
    for earlier in _earlier(board, data.record):
        try:
            other = BatchData.load(store, earlier)
        except StoreError:
            continue  # Without data there is nothing to be shown of that batch.
        for place, one in enumerate(other.records):
            index = keys.get((one.requester, one.nonce))
            if index is not None:
                return registry.call(
                    "faultRepeat",
                    data.record.pre_image.abi(),
                    data.opening(index).abi(),
                    earlier.pre_image.abi(),
                    other.opening(place).abi(),
                )
    return None


def _earlier(board: Board, record: BatchRecord) -> Iterator[BatchRecord]:
    """Yield the lane's earlier batches that their slots still hold, rejected ones excepted."""
    lane = board.ledger.lanes[record.batch.network_id, record.batch.operator]
    for batch_id in lane.slots.values():
        other = board.ledger.batches[batch_id]
        if other.batch.index < record.batch.index and other.state is not State.REJECTED:
            yield other
