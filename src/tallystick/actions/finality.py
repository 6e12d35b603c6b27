"""Actions at a batch's end: finalize, archive."""

from collections.abc import Sequence

from tallystick.actions.chain_view import ActionError, ChainView
from tallystick.actions.phase import Phase, phase_of
from tallystick.chain.call import Call
from tallystick.chain.registry import Registry
from tallystick.protocol.enums import State


def finalize(view: ChainView, registry: Registry, batch_ids: Sequence[bytes]) -> Call:
    """Return the call that makes open batches of one lane final, all or none."""
    records = [view.batch(batch_id) for batch_id in batch_ids]
    lanes = {(record.batch.network_id, record.batch.operator) for record in records}
    if len(lanes) != 1:
        raise ActionError(f"the batches are of {len(lanes)} lanes; needed: one lane at a time")
    for record in records:
        view.need_state(record, State.OPEN)
        view.need_from(record.stamp.closes_at, "it can be finalized")
    refs = [(record.id, record.stamp.pack()) for record in records]
    return registry.call("finalize", refs, *lanes.pop())


MOST = 200
"""Batches of one transaction: well below a transaction's cap of 2^24 gas."""


def finalizable(
    view: ChainView, network_id: bytes | None = None, operator: bytes | None = None
) -> list[list[bytes]]:
    """Return the ids of open batches whose window is over, as groups that one call finalizes each.

    Args:
        view: the chain as it stands.
        network_id: only in this network, 32 bytes; None: in any.
        operator: only of this one, 20 bytes; None: of any.
    """
    lanes: dict[tuple[bytes, bytes], list[bytes]] = {}
    for (network, owner), lane in view.ledger.lanes.items():
        if network_id in (None, network) and operator in (None, owner):
            for batch_id in lane.slots.values():
                if phase_of(view.batch(batch_id), view.now) is Phase.FINALIZABLE:
                    lanes.setdefault((network, owner), []).append(batch_id)
    return [
        ids[start : start + MOST] for ids in lanes.values() for start in range(0, len(ids), MOST)
    ]


def archive(view: ChainView, registry: Registry, batch_id: bytes) -> Call:
    """Return the call that keeps a final batch's status for good."""
    record = view.batch(batch_id)
    view.need_state(record, State.FINAL)
    if record.archived:
        raise ActionError("the batch is archived already")
    ref = record.id, record.stamp.pack()
    return registry.call("archive", record.batch.network_id, record.batch.operator, ref)
