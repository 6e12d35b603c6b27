"""Actions on an open batch: attest, challenge, demand."""

from tallystick.actions.chain_view import ActionError, ChainView
from tallystick.chain.call import Call
from tallystick.chain.registry import Registry
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.enums import Grade, State
from tallystick.protocol.opening import Opening


def attest(
    view: ChainView, registry: Registry, batch_id: bytes, grade: Grade, evidence: bytes
) -> Call:
    """Return the call that raises a batch's grade; evidence in the attestor's own encoding."""
    record = view.batch(batch_id)
    view.need_state(record, State.OPEN)
    view.need_before(record.stamp.closes_at, "the challenge window")
    if grade <= record.grade:
        raise ActionError(f"the grade is {record.grade.name.lower()} already; it can only rise")
    if view.rules(record).attestors[grade - 1] == ZERO_ADDRESS:
        raise ActionError(f"the network has no attestor for {grade.name.lower()}")
    stamp = record.stamp.pack()
    return registry.call("attest", record.batch.abi(), stamp, int(grade), evidence)


def challenge(view: ChainView, registry: Registry, batch_id: bytes, opening: Opening) -> Call:
    """Return the call that has the arbiter rule on a leaf; the sender's credit pays the bond."""
    record = view.batch(batch_id)
    view.need_arbiter(record)
    view.need_state(record, State.OPEN)
    if record.grade is Grade.PROVEN:
        raise ActionError("the batch is proven; a proven batch cannot be challenged")
    view.need_before(record.stamp.closes_at, "the challenge window")
    view.need_credit(record, view.rules(record).challenge_bond, "the challenge bond")
    opening.check(record.batch)
    return registry.call("challenge", record.batch.abi(), record.stamp.pack(), opening.abi())


def demand(
    view: ChainView, registry: Registry, batch_id: bytes, leaf_index: int, with_bytes: bool
) -> Call:
    """Return the call that demands a leaf be revealed; the sender's credit pays the bond."""
    record = view.batch(batch_id)
    view.need_leaf(record, leaf_index)
    view.need_state(record, State.OPEN)
    if with_bytes and not view.rules(record).max_bytes:
        raise ActionError("the network lets no bytes be demanded (max_bytes is 0)")
    view.need_before(record.stamp.closes_at, "the challenge window")
    view.need_credit(record, view.rules(record).demand_bond, "the demand bond")
    stamp = record.stamp.pack()
    return registry.call("demand", record.batch.abi(), stamp, leaf_index, with_bytes)
