"""Noise of the sampler: an integer for each step and token, from the seed alone.

Integers are Gumbel noise in units of 2^-20, correctly rounded: the token that is greatest in logit
over temperature plus noise is a draw from the softmax.
"""

from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import cache

import numpy as np
from numpy.typing import NDArray

from tallystick.protocol.keccak import keccak256

UNIT = 1 << 20
"""Units in a logit."""
_BLOCK = 8
"""Words in a hash."""
_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)
_NEAR = 1e-6
"""Distance from a half below which doubles are not trusted; they err by less than 1e-7."""

Integers = NDArray[np.int64]
Words = NDArray[np.uint32]


def noise_words(seed: bytes, step: int, tokens: Integers) -> Words:
    """Return x of tokens at a step: word id mod 8 of keccak256(seed | step | id div 8).

    Args:
        seed: 32 bytes.
        step: tokens that the answer has already.
        tokens: ids, ascending.

    >>> hex(noise_words(bytes.fromhex("e978f7b249b145f89712ae76ea71493314e7927d0aff66b357684ad50a36"
    ...     "7aba"), 0, np.array([0]))[0])
    '0x2cd464cb'
    """
    blocks, places = np.unique(tokens // _BLOCK, return_inverse=True)
    head = seed + step.to_bytes(4, "big")
    hashes = b"".join(keccak256(head + int(block).to_bytes(4, "big")) for block in blocks)
    words = np.frombuffer(hashes, ">u4").reshape(-1, _BLOCK)
    found: Words = words[places.reshape(-1), tokens % _BLOCK].astype(np.uint32)
    return found


def gumbel(words: Words) -> Integers:
    """Return G of words: 2^20 * -ln(-ln((2x + 1) / 2^33)), rounded to the nearest integer.

    >>> gumbel(np.array([2**31, 2**32 - 2], np.uint32)).tolist()
    [384317, 22832999]
    """
    odd = 2 * words.astype(np.int64) + 1
    upper = odd > 1 << 32
    # Above a half the distance to one is what a double holds exactly.
    inner = np.where(
        upper,
        -np.log1p(-np.where(upper, (1 << 33) - odd, 0) / (1 << 33)),
        -np.log(np.where(upper, 1, odd) / (1 << 33)),
    )
    values = -np.log(inner) * UNIT
    found: Integers = np.rint(values).astype(np.int64)
    for place in np.flatnonzero(np.abs(np.abs(values - np.trunc(values)) - 0.5) < _NEAR):
        found[place] = exact_gumbel(int(words[place]))
    return found


def exact_gumbel(word: int) -> int:
    """Return G of one word by 60 decimal digits.

    >>> exact_gumbel(0), exact_gumbel(2**32 - 1)
    (-3282037, 23984977)
    """
    share = _EXACT.divide(Decimal(2 * word + 1), Decimal(1 << 33))
    inner = _EXACT.minus(_EXACT.ln(share))
    return _rounded(_EXACT.multiply(Decimal(-UNIT), _EXACT.ln(inner)))


@cache
def log_floor(p: int) -> int:
    """Return L of min_p in thousandths: -2^20 ln(1000 / p), rounded to the nearest integer.

    Args:
        p: 1 to 1000.

    >>> log_floor(1), log_floor(50), log_floor(999), log_floor(1000)
    (-7243306, -3141253, -1049, 0)
    """
    ratio = _EXACT.divide(Decimal(1000), Decimal(p))
    return -_rounded(_EXACT.multiply(Decimal(UNIT), _EXACT.ln(ratio)))


def noise(seed: bytes, step: int, tokens: Integers) -> Integers:
    """Return G(x(step, id)) of tokens; the arguments are those of `noise_words`."""
    return gumbel(noise_words(seed, step, tokens))


def _rounded(value: Decimal) -> int:
    return int(_EXACT.to_integral_value(value))
