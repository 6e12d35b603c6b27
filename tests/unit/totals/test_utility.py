"""Utility's parts, and when there is no product."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.data.totals.utility import Utility

COUNTS = st.integers(0, 10**12)


@given(COUNTS, COUNTS, COUNTS, COUNTS, st.floats(0.01, 4000), st.integers(1, 10**12))
def test_utility__any_counts__parts_and_product_lie_between_0_and_1(
    verified: int, lost: int, answered: int, silent: int, days: float, reference: int
) -> None:
    one = Utility(days, verified, verified + lost, answered + silent, answered, reference)

    parts = [one.accessibility, one.verifiability, one.scalability, one.utility]
    assert all(part is None or 0 <= part <= 1 for part in parts)
    missing = answered + silent == 0 or verified + lost == 0
    assert (one.utility is None) == missing


def test_scalability__reference_reached__is_one() -> None:
    assert Utility(1.0, 10**9, 10**9, 1, 1).scalability == pytest.approx(1.0)
    assert Utility(1.0, 10**12, 10**12, 1, 1).scalability == 1.0
    assert Utility(1.0, 0, 5, 1, 1).scalability == 0.0


def test_utility__everything_rejected__is_zero_not_missing() -> None:
    assert Utility(1.0, 0, 5, 4, 4).utility == 0.0
