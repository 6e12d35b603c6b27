"""Moves at a batch's end: finalize, archive."""

from collections.abc import Sequence

from tallystick.chain.call import Call
from tallystick.chain.registry import Registry
from tallystick.enums import State
from tallystick.moves.board import Board, MoveError


def finalize(board: Board, registry: Registry, batch_ids: Sequence[bytes]) -> Call:
    """Return the call that makes open batches of one lane final, all or none."""
    records = [board.batch(batch_id) for batch_id in batch_ids]
    lanes = {(record.batch.network_id, record.batch.operator) for record in records}
    if len(lanes) != 1:
        raise MoveError(f"the batches are of {len(lanes)} lanes; needed: one lane at a time")
    for record in records:
        board.need_state(record, State.OPEN)
        board.need_from(record.stamp.closes_at, "it can be finalized")
    refs = [(record.id, record.stamp.pack()) for record in records]
    return registry.call("finalize", refs, *lanes.pop())


def archive(board: Board, registry: Registry, batch_id: bytes) -> Call:
    """Return the call that keeps a final batch's status for good."""
    record = board.batch(batch_id)
    board.need_state(record, State.FINAL)
    if record.archived:
        raise MoveError("the batch is archived already")
    ref = record.id, record.stamp.pack()
    return registry.call("archive", record.batch.network_id, record.batch.operator, ref)
