"""audit.judge: each item counts once, the first time that it holds, beside a plain reckoning."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.opengradient.audit import NEEDED, Audited, Shown, judge
from tallystick.opengradient.blob_audit import INNER_NODE, ITEMS, LEAF, WRONG_LEAF
from tallystick.opengradient.registry import Validity
from tallystick.opengradient.relay import Settlement

TEE, OTHER = b"t" * 32, b"u" * 32
REGISTERED, DISABLED, SETTLED = 100, 200, 300
VALIDITY = Validity({TEE: [(REGISTERED, True), (DISABLED, False)]}, {TEE: 1}, {1: [(50, True)]})

ITEM = st.fixed_dictionaries(
    {
        "identity": st.integers(0, 5).map(lambda number: bytes([number]) * 32),
        "tee_id": st.sampled_from([TEE, TEE, TEE, OTHER]),
        "timestamp": st.sampled_from([99, 100, 150, 199, 200, 601]),
        "place": st.sampled_from([LEAF, LEAF, LEAF, INNER_NODE, WRONG_LEAF]),
        "known": st.just(True),
        "signed": st.sampled_from([True, True, False]),
    }
)
BATCH = st.tuples(st.lists(ITEM, max_size=8), st.booleans(), st.integers(0, 9))


def shown(items: list[dict[str, object]], root_right: bool) -> Shown:
    schema = pa.schema([ITEMS.field(name) for name in NEEDED])
    return Shown(pa.Table.from_pylist(items, schema=schema), root_right, "read", "")


def settlement(number: int, claimed: int) -> Settlement:
    return Settlement(number, SETTLED, 0, 0, "0x" + "00" * 32, claimed, bytes(32), b"", None)


@settings(deadline=None)
@given(st.lists(BATCH, max_size=6))
def test_judge__any_settlements__as_reckoned_one_by_one(
    batches: list[tuple[list[dict[str, object]], bool, int]],
) -> None:
    found = judge(
        [settlement(number, claimed) for number, (_, _, claimed) in enumerate(batches)],
        [shown(items, right) for items, right, _ in batches],
        VALIDITY,
    )

    seen: set[object] = set()
    for one, (items, right, claimed) in zip(found, batches, strict=True):
        counted, good, duplicates = [], 0, 0
        for place, item in enumerate(items):
            duplicates += item["identity"] in seen
            holds = (
                right
                and item["tee_id"] == TEE
                and item["timestamp"] in (100, 150, 199)
                and item["place"] == LEAF
                and item["signed"]
            )
            good += bool(holds)
            if holds and good <= claimed and item["identity"] not in seen:
                seen.add(item["identity"])
                counted.append(place)
        assert (one.counted.tolist(), one.duplicates) == (counted, duplicates)
        assert one.verified == len(counted) <= claimed
        reckoned(one, items)


def reckoned(one: Audited, items: list[dict[str, object]]) -> None:
    """What is wrong with items by themselves is counted, whatever else is."""
    times = [item["timestamp"] for item in items if item["tee_id"] == TEE]
    others = sum(item["tee_id"] == OTHER for item in items)
    expected = {
        "inner_node": sum(item["place"] == INNER_NODE for item in items),
        "wrong_leaf": sum(item["place"] == WRONG_LEAF for item in items),
        "bad_signature": sum(not item["signed"] for item in items),
        "key_not_valid": others + sum(time not in (100, 150, 199) for time in times),
        "ahead_of_time": sum(item["timestamp"] == 601 for item in items),
    }
    assert {name: one.lies.get(name, 0) for name in expected} == expected


def test_valid__times_around_each_change__second_by_second() -> None:
    times = np.array([0, 49, 99, 100, 199, 200, 2**63 - 1])

    assert VALIDITY.valid(TEE, times).tolist() == [False] * 3 + [True] * 2 + [False] * 2
    assert not VALIDITY.valid(OTHER, times).any()
