"""Moves on an open batch: attest, challenge, demand."""

from tallystick.chain.call import Call
from tallystick.chain.registry import Registry
from tallystick.enums import Grade, State
from tallystick.moves.board import Board, MoveError
from tallystick.opening import Opening
from tallystick.words import ZERO_ADDRESS


def attest(
    board: Board, registry: Registry, batch_id: bytes, grade: Grade, evidence: bytes
) -> Call:
    """Return the call that raises a batch's grade; evidence in the attestor's own encoding."""
    record = board.batch(batch_id)
    board.need_state(record, State.OPEN)
    board.need_before(record.stamp.closes_at, "the challenge window")
    if grade <= record.grade:
        raise MoveError(f"the grade is {record.grade.name.lower()} already; it can only rise")
    if board.rules(record).attestors[grade - 1] == ZERO_ADDRESS:
        raise MoveError(f"the network has no attestor for {grade.name.lower()}")
    stamp = record.stamp.pack()
    return registry.call("attest", record.batch.abi(), stamp, int(grade), evidence)


def challenge(board: Board, registry: Registry, batch_id: bytes, opening: Opening) -> Call:
    """Return the call that has the arbiter rule on a leaf; the sender's credit pays the bond."""
    record = board.batch(batch_id)
    board.need_arbiter(record)
    board.need_state(record, State.OPEN)
    if record.grade is Grade.PROVEN:
        raise MoveError("the batch is proven; a proven batch cannot be challenged")
    board.need_before(record.stamp.closes_at, "the challenge window")
    board.need_credit(record, board.rules(record).challenge_bond, "the challenge bond")
    opening.check(record.batch)
    return registry.call("challenge", record.batch.abi(), record.stamp.pack(), opening.abi())


def demand(
    board: Board, registry: Registry, batch_id: bytes, leaf_index: int, with_bytes: bool
) -> Call:
    """Return the call that demands a leaf be revealed; the sender's credit pays the bond."""
    record = board.batch(batch_id)
    board.need_leaf(record, leaf_index)
    board.need_state(record, State.OPEN)
    if with_bytes and not board.rules(record).max_bytes:
        raise MoveError("the network lets no bytes be demanded (max_bytes is 0)")
    board.need_before(record.stamp.closes_at, "the challenge window")
    board.need_credit(record, board.rules(record).demand_bond, "the demand bond")
    stamp = record.stamp.pack()
    return registry.call("demand", record.batch.abi(), stamp, leaf_index, with_bytes)
