"""Actions at a batch's end: finalize, archive."""

from collections.abc import Iterable, Sequence

from tallystick.actions.chain_view import ActionError, ChainView
from tallystick.actions.phase import Phase, phase_of
from tallystick.chain.call import Call
from tallystick.chain.registry import Registry
from tallystick.protocol.enums import State
from tallystick.protocol.ledger import BatchState, LaneKey


def finalize(view: ChainView, registry: Registry, batch_ids: Sequence[bytes]) -> Call:
    """Return the call that makes open batches of one lane final, all or none."""
    records = [view.batch(batch_id) for batch_id in batch_ids]
    lanes = {(record.batch.network_id, record.batch.operator) for record in records}
    if len(lanes) != 1:
        raise ActionError(f"the batches are of {len(lanes)} lanes; needed: one lane at a time")
    for record in records:
        view.need_state(record, State.OPEN)
        view.need_from(record.stamp.closes_at, "it can be finalized")
    return finalize_all(registry, records)


def finalize_all(registry: Registry, records: Sequence[BatchState]) -> Call:
    """Return the call that makes finalizable batches of one lane final; at least one."""
    refs = [(record.id, record.stamp.pack()) for record in records]
    batch = records[0].batch
    return registry.call("finalize", refs, batch.network_id, batch.operator)


MOST = 200
"""Batches of one transaction: well below a transaction's cap of 2^24 gas."""


def finalizable(batches: Iterable[BatchState], now: int) -> list[list[BatchState]]:
    """Return the open batches whose window is over, as groups that one call finalizes each.

    Args:
        batches: as they stand.
        now: Unix seconds; time of a block mined now.
    """
    lanes: dict[LaneKey, list[BatchState]] = {}
    for record in batches:
        if phase_of(record, now) is Phase.FINALIZABLE:
            key = record.batch.network_id, record.batch.operator
            lanes.setdefault(key, []).append(record)
    return [
        found[start : start + MOST]
        for found in lanes.values()
        for start in range(0, len(found), MOST)
    ]


def archive(view: ChainView, registry: Registry, batch_id: bytes) -> Call:
    """Return the call that keeps a final batch's status for good."""
    record = view.batch(batch_id)
    view.need_state(record, State.FINAL)
    if record.archived:
        raise ActionError("the batch is archived already")
    ref = record.id, record.stamp.pack()
    return registry.call("archive", record.batch.network_id, record.batch.operator, ref)
