"""Weights of 8 or 16 bits: a scale a row, an integer times the matrix's power of two."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tallystick.llm.integer.model import Matrix


def quantize(values: NDArray[np.float32], bits: Literal[8, 16] = 8) -> Matrix:
    """Return a matrix whose rows are rounded, by their largest magnitude.

    Args:
        values: rows x columns, finite.
        bits: of a weight.

    >>> found = quantize(np.array([[0.5, -1.27], [0, 0]], np.float32))
    >>> found.weights.tolist()
    [[50, -127], [0, 0]]
    >>> np.round(found.mantissas * 2.0**found.exponent, 6).tolist()
    [0.01, 0.0]
    """
    most = (1 << (bits - 1)) - 1
    scales = np.abs(values).max(axis=1).astype(np.float64) / most
    exponent = max(int(np.frexp(scales.max())[1]) - (32 - bits), -126)
    if np.rint(np.ldexp(scales.max(), -exponent)) == 1 << (32 - bits):
        exponent += 1
    mantissas = np.rint(np.ldexp(scales, -exponent))
    # By what the mantissas are, not by what they should be.
    exact = np.ldexp(mantissas, exponent)[:, None]
    rounded = np.where(exact > 0, np.rint(values / np.where(exact > 0, exact, 1)), 0)
    clipped = np.clip(rounded, -most, most)
    weights = clipped.astype(np.int8) if bits == 8 else clipped.astype(np.int16)
    return Matrix(weights, mantissas.astype(np.int32), exponent)
