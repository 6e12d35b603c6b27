"""requantize.py: F32RNE in integers is float32 arithmetic.

values   a million at random, ties, above 2^24, powers of two and their neighbours
scales   random normals of every exponent, the least and the greatest
forms    plain integers = numpy's integers = numpy's float32
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.replay.requantize import (
    is_normal,
    requantize,
    requantize_float32,
    requantize_one,
    scale_bits,
)

LIMIT = 2**31 - 1
accumulators = st.integers(-LIMIT, LIMIT)
normal_bits = st.integers(0x00800000, 0x7F7FFFFF)


def in_float32(acc, bits, zero_point, lo, hi):
    """The rule by its definition, kept apart from the package's own."""
    with np.errstate(over="ignore", under="ignore"):
        product = acc.astype(np.float32) * bits.view(np.float32)
    nearest = np.rint(product).astype(np.float64)
    return np.clip(nearest + zero_point, lo, hi).astype(np.uint8)


def assert_alike(acc, bits, zero_point=0, lo=0, hi=255):
    bits = np.broadcast_to(bits, acc.shape).astype(np.uint32)
    expected = in_float32(acc, bits, zero_point, lo, hi)

    np.testing.assert_array_equal(requantize(acc, bits, zero_point, lo, hi), expected)
    fast = requantize_float32(acc.astype(np.float32), bits.view(np.float32), zero_point, lo, hi)
    np.testing.assert_array_equal(fast, expected)


def test_requantize__a_million_values__is_float32_arithmetic():
    rng = np.random.default_rng(1)
    acc = rng.integers(-LIMIT, LIMIT, 1_000_000)
    # Scales that bring the accumulators to where bytes are: elsewhere all would be clamped.
    reach = rng.uniform(-300, 300, acc.size).astype(np.float32)
    bits = np.abs(reach / acc.astype(np.float32)).view(np.uint32)

    assert np.unique(requantize(acc, bits, 128, 0, 255)).size == 256
    assert (np.abs(acc) > 2**24).mean() > 0.9
    assert_alike(acc, bits, zero_point=128)


@pytest.mark.parametrize("zero_point", [0, 7, 128, 255])
def test_requantize__ties__go_to_even(zero_point):
    acc = np.arange(-700, 700)

    # By a half every odd accumulator is a tie.
    assert_alike(acc, scale_bits(0.5), zero_point)
    halves = requantize(np.array([1, 3, 5]), np.uint32([scale_bits(0.5)]), 0, 0, 255)
    assert halves.tolist() == [0, 2, 2]


def test_requantize__accumulators_around_2_to_24_and_up__round_as_float32_does():
    edges = [(1 << power) + step for power in range(22, 31) for step in range(-300, 301)]
    acc = np.array(edges + [-edge for edge in edges] + [LIMIT, -LIMIT])

    for reach in (1.0, 99.5, 254.5):
        assert_alike(acc, np.abs(np.float32(reach) / acc.astype(np.float32)).view(np.uint32), 3)


def test_requantize__every_exponent_of_a_scale__is_float32_arithmetic():
    rng = np.random.default_rng(2)
    exponents = np.repeat(np.arange(1, 255), 200).astype(np.uint32)
    bits = exponents << 23 | rng.integers(0, 1 << 23, exponents.size).astype(np.uint32)
    acc = rng.integers(-LIMIT, LIMIT, exponents.size) >> rng.integers(0, 31, exponents.size)

    assert_alike(acc, bits, zero_point=100)


def test_requantize__clamp_within_a_byte__bounds_the_output():
    acc = np.arange(-500, 500)

    assert_alike(acc, scale_bits(1.0), zero_point=20, lo=20, hi=200)
    assert requantize(acc, np.uint32([scale_bits(1.0)]), 20, 20, 200).min() == 20


@given(accumulators, normal_bits, st.integers(0, 255), st.integers(0, 255), st.integers(0, 255))
def test_requantize_one__any__is_what_numpy_says(acc, bits, zero_point, one, other):
    lo, hi = sorted((one, other))
    value = requantize_one(acc, bits, zero_point, lo, hi)

    several = requantize(np.array([acc]), np.array([bits], np.uint32), zero_point, lo, hi)
    expected = in_float32(np.array([acc]), np.array([bits], np.uint32), zero_point, lo, hi)
    assert value == several[0] == expected[0]


@given(st.integers(-255, 255), st.integers(-(2**12), 2**12))
def test_requantize_one__scale_of_a_power_of_two__is_exact_division(quarters, noise):
    acc = quarters * 4096 + noise

    assert requantize_one(acc, scale_bits(2.0**-12), 128, 0, 255) == min(
        max(round(acc / 4096) + 128, 0), 255
    )


@pytest.mark.parametrize(
    ("value", "normal"),
    [
        (1.0, True),
        (2.0**-126, True),
        (3.4028235e38, True),
        (2.0**-127, False),
        (0.0, False),
        (-1.0, False),
        (float("inf"), False),
        (float("nan"), False),
    ],
)
def test_is_normal__any_float32__is_so_for_positive_normal_ones(value, normal):
    assert is_normal(scale_bits(value)) is normal
