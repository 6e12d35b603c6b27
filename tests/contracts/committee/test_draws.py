"""Which leaves an audit draws: as many as the terms say, whoever signs."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.protocol.sampling import draw
from tests.support.chain import Chain
from tests.support.committee import found


@pytest.fixture(scope="module")
def drawn_by(shared_chain: Chain) -> dict[int, Any]:
    """Committees by how many leaves they draw."""
    return {
        drawn: found(shared_chain, 1, 1, staked=False, min_drawn=drawn).contract
        for drawn in (1, 3, 12, 256)
    }


@settings(max_examples=25, deadline=None)
@given(
    seed=st.binary(min_size=32, max_size=32),
    drawn=st.sampled_from([1, 3, 12]),
    count=st.integers(1, 40),
)
def test_draws__any_seed__holds_the_librarys_leaves(
    drawn_by: dict[int, Any], seed: bytes, drawn: int, count: int
) -> None:
    batch_id = bytes(reversed(seed))
    ours = set(draw(seed, batch_id, drawn, count))

    functions = drawn_by[drawn].functions
    theirs = {
        index for index in range(count + 2) if functions.draws(seed, batch_id, count, index).call()
    }

    assert theirs == ours


def test_draws__most_leaves_of_the_largest_batch__takes_little_gas(
    drawn_by: dict[int, Any],
) -> None:
    call = drawn_by[256].functions.draws(b"s" * 32, b"b" * 32, 1 << 20, 1 << 20)

    assert not call.call()
    assert call.estimate_gas() < 150_000
