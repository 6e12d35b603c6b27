"""Integer arithmetic of LLM-I8: what each function returns is fixed to the bit.

Source: docs/llm-integer.md. Arrays are int64 unless said otherwise; no value leaves its range, so
nothing wraps.
"""

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

FRACTION = 16
"""Bits behind the point of the residual stream and of what matrices give."""
LIMIT = (1 << 31) - 1
"""Largest magnitude of a tensor's element."""
WIDTH = 15
"""Bits of an activation's magnitude that go into a matrix."""
_SIGMOID = 24
_LOG2_E = 94_548
"""log2 e, 16 bits behind the point."""


def round_shift(values: Integers, shift: Integers | int) -> Integers:
    """Return values / 2^shift, rounded to the nearest integer, ties to even; shift from 0 to 62.

    >>> round_shift(np.array([5, 6, 7, -5, -6, -7]), 2).tolist()
    [1, 2, 2, -1, -2, -2]
    >>> round_shift(np.array([3, -3]), 0).tolist()
    [3, -3]
    """
    shift = np.asarray(shift, np.int64)
    some = np.minimum(shift, 1)
    below_half = ((np.int64(1) << shift) >> 1) - some
    found: Integers = values >> shift
    # An odd quotient's half goes up, an even one's stays below.
    found &= some
    found += values
    found += below_half
    found >>= shift
    return found


def scale_by(values: Integers, exponent: Integers | int, limit: int = LIMIT) -> Integers:
    """Return values * 2^exponent, rounded as `round_shift` does and clamped to +-limit.

    >>> scale_by(np.array([3, 3, 3, -3, 1 << 40]), np.array([1, -1, 40, 90, -20])).tolist()
    [6, 2, 2147483647, -2147483647, 1048576]
    """
    exponent = np.asarray(exponent, np.int64)
    found = round_shift(values, np.clip(-exponent, 0, 62))
    if exponent.max(initial=0) > 0:
        left = np.clip(exponent, 0, 62)
        over = (exponent > 0) & (np.abs(values) > (limit >> left))
        found = np.where(over, np.sign(values) * limit, found << left)
    return _clamp(found, limit)


def _clamp(values: Integers, limit: int) -> Integers:
    np.minimum(values, limit, out=values)
    np.maximum(values, -limit, out=values)
    return values


def bit_length(values: Integers) -> Integers:
    """Return the bits of non-negative values: 0 of 0.

    >>> bit_length(np.array([0, 1, 2, 255, 256, (1 << 62) - 1])).tolist()
    [0, 1, 2, 8, 9, 62]
    """
    # Doubles hold 53 bits: the upper half is looked at by itself.
    upper = values >> 31
    part = np.where(upper > 0, upper, values)
    bits: Integers = np.frexp(part.astype(np.float64))[1].astype(np.int64)
    return bits + 31 * (upper > 0)


def normalize(
    values: Integers, exponent: Integers | int, width: int = WIDTH
) -> tuple[Integers, Integers]:
    """Return rows as `width` bits and a power of two each: values * 2^exponent, nearly.

    Args:
        values: rows x columns, below 2^62 in magnitude.
        exponent: one number a row, or one for all.
        width: bits of a magnitude.

    Returns:
        Magnitudes up to 2^width - 1, and an exponent a row. A row of zeros has the exponent 0.

    >>> [x.tolist() for x in normalize(np.array([[3, -70_000], [0, 0]]), -16)]
    [[[1, -17500], [0, 0]], [-14, 0]]
    """
    bits = bit_length(np.abs(values).max(axis=1))
    shift = bits - width
    rows = scale_by(values, -shift[:, None], (1 << width) - 1)
    return rows, np.where(bits > 0, exponent + shift, 0)


def root(values: Integers) -> Integers:
    """Return the integer square roots, rounded down, of values from 0 to 2^60.

    >>> root(np.array([0, 1, 3, 4, 8, (1 << 60) - 1, 1 << 60])).tolist()
    [0, 1, 1, 2, 2, 1073741823, 1073741824]
    """
    found = np.sqrt(values.astype(np.float64)).astype(np.int64)
    found -= found * found > values
    found += (found + 1) * (found + 1) <= values
    return found


def divide(values: Integers, by: Integers) -> Integers:
    """Return values / by to the nearest integer, ties upwards; by from 1.

    >>> divide(np.array([5, 6, -5, -6, 7]), np.array([2, 4, 2, 4, 4])).tolist()
    [3, 2, -2, -1, 2]
    """
    return (2 * values + by) // (2 * by)


def power_of_half(values: Integers, bits: int) -> Integers:
    """Return 2^bits * 2^-(values / 2^16), rounded; values from 0.

    Args:
        values: the exponent, 16 bits behind the point.
        bits: behind the point of the result, at most 24.

    >>> power_of_half(np.array([0, 1 << 16, 1 << 15, 99 << 16]), 24).tolist()
    [16777216, 8388608, 11863283, 0]
    """
    whole = np.minimum(values >> 16, bits + 2)
    upper, lower = _POWERS[0][(values >> 8) & 255], _POWERS[1][values & 255]
    return round_shift(upper * lower, 60 - bits + whole)


def silu(values: Integers) -> Integers:
    """Return x / (1 + e^-x), of numbers and as numbers with 16 bits behind the point.

    >>> silu(np.array([0, 1 << 16, -(1 << 16), 40 << 16, -(40 << 16)])).tolist()
    [0, 47911, -17625, 2621440, 0]
    """
    power = power_of_half(round_shift(np.abs(values) * _LOG2_E, 16), _SIGMOID)
    one = np.int64(1 << _SIGMOID)
    share = np.where(values < 0, power, one)
    return round_shift(values * divide(share << _SIGMOID, one + power), _SIGMOID)


def _powers() -> tuple[Integers, Integers]:
    """Return round(2^30 * 2^(-i / 256)) and round(2^30 * 2^(-i / 65536)), i below 256."""
    steps = np.arange(256, dtype=np.float64)
    return tuple(
        np.rint(2.0**30 * np.exp2(-steps / parts)).astype(np.int64) for parts in (256, 65_536)
    )


_POWERS = _powers()
