"""Integer arithmetic beside exact fractions: on its edges, and everywhere between.

round_shift, scale_by   to the nearest, ties to even; clamped however far it is shifted
normalize               as many bits as fit, one exponent a row
divide, root            the nearest, ties upwards | rounded down
power_of_half, silu     the specification's numbers, near the functions that they stand for
"""

from fractions import Fraction
from math import exp, isqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.llm.integer import arithmetic
from tests.unit.llm.integer import reference

WIDE = st.integers(-(1 << 61), 1 << 61)
SHIFT = st.integers(0, 62)


def column(*values: int) -> np.ndarray:  # type: ignore[type-arg]
    return np.array([values], np.int64)


@given(WIDE, SHIFT)
def test_round_shift__any__nearest_with_ties_to_even(value: int, shift: int) -> None:
    found = arithmetic.round_shift(column(value), shift)

    assert found.item() == round(Fraction(value, 1 << shift))


@given(WIDE, st.integers(-100, 100), st.sampled_from([arithmetic.LIMIT, 1 << 40, 127]))
def test_scale_by__any__nearest_within_the_limit(value: int, exponent: int, limit: int) -> None:
    found = arithmetic.scale_by(column(value), exponent, limit)

    # Beyond 62 bits nothing is left of a value below 2^61.
    assert found.item() == reference.scaled(value, max(exponent, -62), limit)


@given(st.lists(WIDE, min_size=1, max_size=5), st.integers(-64, 64), st.sampled_from([15, 23]))
def test_normalize__any_row__as_the_reference(row: list[int], exponent: int, width: int) -> None:
    found, exponents = arithmetic.normalize(column(*row), exponent, width)

    assert (found[0].tolist(), exponents.item()) == reference.normalized(row, exponent, width)


@given(st.integers(-(1 << 60), 1 << 60), st.integers(1, 1 << 60))
def test_divide__any__nearest_with_ties_upwards(value: int, by: int) -> None:
    assert arithmetic.divide(column(value), column(by)).item() == reference.divided(value, by)


@given(st.one_of(st.integers(0, 1 << 60), st.integers(0, 1 << 30).map(lambda one: one * one)))
def test_root__any__rounded_down(value: int) -> None:
    for one in (max(value - 1, 0), value):
        assert arithmetic.root(column(one)).item() == isqrt(one)


@given(st.integers(0, 1 << 40), st.sampled_from([18, 24]))
def test_power_of_half__any__as_the_reference_and_near_the_power(value: int, bits: int) -> None:
    found = arithmetic.power_of_half(column(value), bits).item()

    assert found == reference.power_of_half(value, bits)
    assert found == pytest.approx(2.0 ** (bits - value / 65_536), abs=0.6)


@given(st.integers(-arithmetic.LIMIT, arithmetic.LIMIT))
def test_silu__any__as_the_reference_and_near_the_function(value: int) -> None:
    found = arithmetic.silu(column(value)).item()

    assert found == reference.silu(value)
    real = value / 65_536
    # exp overflows where its inverse is nothing.
    near = real / (1 + exp(-real)) if real > -700 else 0.0
    assert found / 65_536 == pytest.approx(near, rel=1e-6, abs=4e-5)
