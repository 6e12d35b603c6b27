"""draw.py: which leaves, and how likely a bad one is among them."""

from collections import Counter

import pytest
from eth_abi import encode
from eth_utils import keccak
from hypothesis import given
from hypothesis import strategies as st

from tallystick.protocol.sampling import catch_probability, draw

bytes32 = st.binary(min_size=32, max_size=32)


@given(bytes32, bytes32, st.integers(0, 50), st.integers(1, 1 << 20))
def test_draw__any_batch__as_the_committee_draws(
    seed: bytes, batch_id: bytes, drawn: int, count: int
) -> None:
    indices = draw(seed, batch_id, drawn, count)

    if drawn >= count:
        assert indices == list(range(count))
    else:
        assert indices == [
            int.from_bytes(keccak(encode(["bytes32", "bytes32", "uint256"], values)), "big") % count
            for values in ([seed, batch_id, number] for number in range(drawn))
        ]


def test_draw__many_batches__every_leaf_about_as_often() -> None:
    seen = Counter(
        index
        for batch in range(2000)
        for index in draw(bytes(32), batch.to_bytes(32, "big"), 5, 10)
    )

    # 1,000 each are expected, with a standard deviation of 30.
    assert sorted(seen) == list(range(10))
    assert all(850 < times < 1150 for times in seen.values())


def test_catch_probability__draws_of_bad_leaves__matches_how_often_they_are_caught() -> None:
    bad = set(range(10))

    caught = sum(
        not bad.isdisjoint(draw(bytes(32), batch.to_bytes(32, "big"), 7, 100))
        for batch in range(4000)
    )

    assert caught / 4000 == pytest.approx(catch_probability(0.1, 7), abs=0.03)


@pytest.mark.parametrize(
    ("share", "drawn", "expected"), [(0, 9, 0), (1, 1, 1), (0.5, 0, 0), (0.5, 3, 0.875)]
)
def test_catch_probability__share_and_draws__returns(
    share: float, drawn: int, expected: float
) -> None:
    assert catch_probability(share, drawn) == pytest.approx(expected)
