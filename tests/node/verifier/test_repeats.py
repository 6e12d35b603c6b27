"""(requester, nonce) taken before, against a plain search."""

from hypothesis import given
from hypothesis import strategies as st

from tallystick.batch import Batch, Stamp
from tallystick.events import Position
from tallystick.inference import hash_leaves
from tallystick.ledger import BatchRecord
from tallystick.moves.data import BatchData
from tallystick.node.verifier.repeats import Repeats
from tallystick.record import Record
from tallystick.tree import Tree

keys = st.lists(
    st.tuples(st.sampled_from([bytes(20), b"r" * 20, b"s" * 20]), st.integers(0, 12) | st.just(12))
)


def batch(index: int, taken: list[tuple[bytes, int]]) -> BatchData:
    records = [
        Record(
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
        BatchRecord(made.id(), made, stamp, Position(1, index, bytes(32), bytes(20))), records, tree
    )


@given(taken=st.lists(keys.filter(len), min_size=1, max_size=6), limit=st.sampled_from([3, 1000]))
def test_first__any_batches__is_what_a_search_finds(taken, limit):
    made = [batch(index, one) for index, one in enumerate(taken)]
    by_id = {one.record.id: one for one in made}
    known = Repeats(lambda record: by_id[record.id], most=limit)
    for place, one in enumerate(made):
        before = {(r.requester, r.nonce) for other in made[:place] for r in other.records}
        places = (i for i, r in enumerate(one.records) if (r.requester, r.nonce) in before)
        earlier = tuple(other.record for other in made[:place])
        assert known.first(one, earlier) == next(places, None)


def test_first__data_of_an_earlier_batch_missing__asked_for_again():
    first, second = batch(0, [(b"r" * 20, 5)]), batch(1, [(b"r" * 20, 5)])
    found: dict[bytes, BatchData] = {}
    known = Repeats(lambda record: found.get(record.id))
    assert known.first(second, (first.record,)) is None
    found[first.record.id] = first
    assert known.first(second, (first.record,)) == 0


def test_first__nothing_that_could_repeat__nothing_loaded():
    asked: list[bytes] = []
    known = Repeats(lambda record: asked.append(record.id))
    first, second = batch(0, [(bytes(20), 12)] * 3), batch(1, [(bytes(20), 12)] * 3)
    assert known.first(second, (first.record,)) is None
    assert asked == []
