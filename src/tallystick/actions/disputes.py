"""Actions on a disputed batch: reveal, resolve, timeout, lapse."""

from tallystick.actions.batch_data import BatchData
from tallystick.actions.chain_view import ActionError, ChainView
from tallystick.chain.call import Call
from tallystick.chain.registry import Registry
from tallystick.protocol.enums import DisputeKind
from tallystick.protocol.inference import Inference


def reveal(view: ChainView, registry: Registry, batch_id: bytes, data: BatchData) -> Call:
    """Return the call that answers a demand with what the store has of its leaf."""
    record = view.batch(batch_id)
    view.need_dispute(record, DisputeKind.DEMAND)
    assert record.dispute is not None
    view.need_before(record.dispute.due + 1, "the time to reveal")
    index = record.dispute.leaf_index
    opening, kept = data.opening(index), data.records[index]
    if kept.solicited:
        opening.inference.request().check(registry.domain, kept.signature)
    answer = (b"", b"")
    if record.dispute.with_bytes:
        if kept.input is None or kept.output is None:
            raise ActionError(f"the demand asks for bytes; the store has none of leaf {index}")
        answer = kept.input, kept.output
    return registry.call("reveal", record.pre_image.abi(), opening.abi(), kept.signature, *answer)


def resolve(
    view: ChainView, registry: Registry, batch_id: bytes, leaf: Inference, evidence: bytes
) -> Call:
    """Return the call that has the arbiter rule; evidence in the arbiter's own encoding."""
    record = view.batch(batch_id)
    view.need_dispute(record, DisputeKind.CHALLENGE)
    assert record.dispute is not None
    view.need_before(record.dispute.due + 1, "the time to rule")
    if leaf.leaf() != record.dispute.leaf:
        raise ActionError(f"the leaf is not the challenged one, {record.dispute.leaf_index}")
    return registry.call("resolve", record.pre_image.abi(), leaf.abi_leaf(), evidence)


def timeout(view: ChainView, registry: Registry, batch_id: bytes) -> Call:
    """Return the call that rejects a batch whose demand stayed unanswered."""
    return _over(view, registry, batch_id, DisputeKind.DEMAND, "timeout")


def lapse(view: ChainView, registry: Registry, batch_id: bytes) -> Call:
    """Return the call that ends a challenge on which no ruling came."""
    return _over(view, registry, batch_id, DisputeKind.CHALLENGE, "lapse")


def _over(
    view: ChainView, registry: Registry, batch_id: bytes, kind: DisputeKind, name: str
) -> Call:
    record = view.batch(batch_id)
    view.need_dispute(record, kind)
    assert record.dispute is not None
    view.need_from(record.dispute.due + 1, f"{name} is possible")
    return registry.call(name, record.pre_image.abi())
