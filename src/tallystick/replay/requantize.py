"""F32RNE: from an accumulator to a byte, as float32 arithmetic that rounds half to even does it.

Thrice: in plain integers, as the contract does it; in numpy's integers; and in numpy's float32,
which is the same by IEEE 754 (one conversion, one product, one rounding: nothing to fuse or to
reorder) and the fastest.

Source: docs/replay.md, "Requantization".
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_ACCUMULATOR = (1 << 53) - 1
"""Greatest magnitude that the vectorised form takes; a model's own stay below 2^31."""


def is_normal(bits: int) -> bool:
    """Return whether the bits of a float32 are those of a positive normal number.

    >>> is_normal(0x3F800000), is_normal(0), is_normal(0x007FFFFF), is_normal(0x7F800000)
    (True, False, False, False)
    """
    return 0x00800000 <= bits < 0x7F800000


def scale_bits(value: float | np.floating[Any]) -> int:
    """Return the bits of a number as float32.

    >>> hex(scale_bits(1.0))
    '0x3f800000'
    """
    return int(np.float32(value).view(np.uint32))


def requantize_one(acc: int, bits: int, zero_point: int, lo: int, hi: int) -> int:
    """Return the byte for one accumulator, in integers alone.

    Args:
        acc: the accumulator.
        bits: of the scale, a positive normal float32.
        zero_point: of the output, 0 to 255.
        lo: least output, 0 to 255.
        hi: greatest output, lo to 255.

    >>> requantize_one(5, 0x3F000000, 0, 0, 255), requantize_one(-7, 0x3F000000, 10, 0, 255)
    (2, 6)
    """
    m = abs(acc)
    exponent = (bits >> 23) - 150
    m, exponent = _normalised(m, exponent)
    p, exponent = _normalised(m * (0x800000 | bits & 0x7FFFFF), exponent)
    v = p << exponent if exponent >= 0 else _rne(p, -exponent)
    return min(max((-v if acc < 0 else v) + zero_point, lo), hi)


def _normalised(m: int, exponent: int) -> tuple[int, int]:
    spare = m.bit_length() - 24
    return (_rne(m, spare), exponent + spare) if spare > 0 else (m, exponent)


def _rne(x: int, s: int) -> int:
    """Return x / 2^s, rounded half to even; s at least 1."""
    quotient, rest, half = x >> s, x & (1 << s) - 1, 1 << s - 1
    return quotient + (rest > half or (rest == half and quotient & 1 == 1))


def requantize(
    acc: NDArray[np.int64], bits: NDArray[np.uint32], zero_point: int, lo: int, hi: int
) -> NDArray[np.uint8]:
    """Return the bytes for many accumulators, in numpy's integers.

    Args:
        acc: int64 of any shape, magnitudes up to MAX_ACCUMULATOR.
        bits: uint32 that broadcast against acc, each of a positive normal float32.
        zero_point: of the output, 0 to 255.
        lo: least output, 0 to 255.
        hi: greatest output, lo to 255.
    """
    scales = bits.astype(np.int64)
    m, exponent = _narrowed(np.abs(acc), (scales >> 23) - 150)
    p, exponent = _narrowed(m * (0x800000 | scales & 0x7FFFFF), exponent)
    # p is 0 or at least 2^23, so any left shift leaves the range of a byte: a small one will do.
    raised = p << np.clip(exponent, 0, 8)
    lowered = np.where(exponent < -60, 0, _rounded(p, np.clip(-exponent, 0, 60)))
    v = np.where(exponent >= 0, raised, lowered)
    return np.clip(np.where(acc < 0, -v, v) + zero_point, lo, hi).astype(np.uint8)


def _narrowed(
    m: NDArray[np.int64], exponent: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    # Below 2^53 the conversion to float64 is exact, so frexp's exponent is the length in bits.
    spare = np.maximum(np.frexp(m.astype(np.float64))[1].astype(np.int64) - 24, 0)
    return _rounded(m, spare), exponent + spare


def _rounded(x: NDArray[np.int64], s: NDArray[np.int64]) -> NDArray[np.int64]:
    quotient, rest = x >> s, x & (1 << s) - 1
    half = (1 << s) >> 1
    up = (s > 0) & ((rest > half) | ((rest == half) & (quotient & 1 == 1)))
    rounded: NDArray[np.int64] = quotient + up
    return rounded


def requantize_float32(
    acc: NDArray[np.float32], scale: NDArray[np.float32], zero_point: int, lo: int, hi: int
) -> NDArray[np.uint8]:
    """Return the bytes for accumulators that were already converted to float32; overwrites them.

    Args:
        acc: float32 of any shape, each the exact accumulator rounded half to even.
        scale: float32 that broadcast against acc, positive and normal.
        zero_point: of the output, 0 to 255.
        lo: least output, 0 to 255.
        hi: greatest output, lo to 255.
    """
    with np.errstate(over="ignore", under="ignore"):
        np.multiply(acc, scale, out=acc)
    # Clamped before the zero point is added: beyond 2^24 the sum would round, and infinity is hi.
    np.clip(acc, lo - zero_point, hi - zero_point, out=acc)
    np.rint(acc, out=acc)
    np.add(acc, zero_point, out=acc)
    return acc.astype(np.uint8)
