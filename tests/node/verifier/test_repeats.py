"""(requester, nonce) taken before, against a plain search."""

from hypothesis import given
from hypothesis import strategies as st

from tallystick.actions.batch_data import BatchData
from tallystick.node.verifier.repeats import Repeats
from tallystick.protocol.batch import Batch, Stamp
from tallystick.protocol.events import Position
from tallystick.protocol.inference import hash_leaves
from tallystick.protocol.ledger import BatchState
from tallystick.protocol.merkle import Tree
from tallystick.protocol.record import InferenceRecord

keys = st.lists(
    st.tuples(st.sampled_from([bytes(20), b"r" * 20, b"s" * 20]), st.integers(0, 12) | st.just(12))
)


def batch(index: int, taken: list[tuple[bytes, int]]) -> BatchData:
    records = [
        InferenceRecord(
            bytes(32),
            bytes(32),
            requester,
            # Of nobody's request the place is the nonce, or should be: twelve stands for that.
            nonce if any(requester) or nonce < 12 else index << 20 | place,
            9,
        )
        for place, (requester, nonce) in enumerate(taken)
    ]
    model, operator = bytes(32), bytes(20)
    tree = Tree.from_leaves(hash_leaves([one.inference(model, operator) for one in records]))
    made = Batch(bytes(32), operator, index, model, tree.root, len(records), 9)
    stamp = Stamp(index, len(records), 1, 1, 99)
    return BatchData(
        BatchState(made.id(), made, stamp, Position(1, index, bytes(32), bytes(20))), records, tree
    )


@given(taken=st.lists(keys.filter(len), min_size=1, max_size=6), limit=st.sampled_from([3, 1000]))
def test_taken__any_batches__is_what_a_search_finds(
    taken: list[list[tuple[bytes, int]]], limit: int
) -> None:
    made = [batch(index, one) for index, one in enumerate(taken)]
    by_id = {one.record.id: one for one in made}
    known = Repeats(lambda record: by_id[record.id], most=limit)
    for place, one in enumerate(made):
        before = {record.key for other in made[:place] for record in other.records}
        earlier = tuple(other.record for other in made[:place])
        found = known.taken(one, earlier)
        assert found == before & {record.key for record in one.records}


def test_taken__data_of_an_earlier_batch_missing__asked_for_again() -> None:
    first, second = batch(0, [(b"r" * 20, 5)]), batch(1, [(b"r" * 20, 5)])
    found: dict[bytes, BatchData] = {}
    known = Repeats(lambda record: found.get(record.id))
    assert known.taken(second, (first.record,)) == frozenset()
    found[first.record.id] = first
    assert known.taken(second, (first.record,)) == {(b"r" * 20, 5)}


def test_taken__nothing_that_could_repeat__nothing_loaded() -> None:
    asked: list[bytes] = []
    known = Repeats(lambda record: asked.append(record.id))
    first, second = batch(0, [(bytes(20), 12)] * 3), batch(1, [(bytes(20), 12)] * 3)
    assert known.taken(second, (first.record,)) == frozenset()
    assert asked == []
