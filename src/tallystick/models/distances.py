"""Distances between a claimed output and one's own, computed in float64 from the canonical values.

Own numbers that are not finite are no ground to measure from: `measured` is False then, unless the
claimed ones are the same. A claimed infinity counts as the largest number of its type, for one
machine may overflow where another just does not; a claimed NaN beside an own finite number is
infinitely far. -0 equals 0, and any NaN any other.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Distance(NamedTuple):
    """Distance of one output."""

    value: float
    """0 or more; of what could be measured."""
    measured: bool = True


def as_floats(values: NDArray[Any]) -> Floats:
    """Return numbers as float64, with infinities as they are; (...) as given."""
    return np.asarray(values).astype(np.float64)


def allclose(claimed: NDArray[Any], own: NDArray[Any], rtol: float, atol: float) -> Distance:
    """Return the largest |claimed - own| / (atol + rtol |own|), as numpy's allclose has it.

    Args:
        claimed, own: numbers of one type and shape.
        rtol: share of the own number, 0 or more.
        atol: in units of the numbers, above 0.
    """
    top = np.finfo(own.dtype).max if own.dtype.kind == "f" else np.inf
    given, mine = as_floats(claimed), as_floats(own)
    differs = (given != mine) & ~(np.isnan(given) & np.isnan(mine))
    given, mine = np.clip(given[differs], -float(top), float(top)), mine[differs]
    finite = np.isfinite(mine)
    given, mine = given[finite], mine[finite]
    with np.errstate(over="ignore"):
        found = np.abs(given - mine) / (atol + rtol * np.abs(mine))
    found[np.isnan(given)] = np.inf
    return Distance(float(found.max(initial=0.0)), bool(finite.all()))


def top(claimed: NDArray[Any], own: NDArray[Any], k: int) -> Distance:
    """Return by how much own numbers must move for the claimed k greatest to be the k greatest.

    That is the k-th greatest own number, less the least own number at the claimed places; of the
    rows along the last axis, the largest. Equal claimed numbers at the edge count for those of
    them that are greatest by the own: no tie is held against anybody.

    Args:
        claimed, own: numbers of one shape; a scalar is a row of one.
        k: 1 or more; rows that are no longer have all places among the greatest.
    """
    size = own.shape[-1] if own.ndim else 1
    if not own.size:
        return Distance(0.0)
    given, mine = as_floats(claimed).reshape(-1, size), as_floats(own).reshape(-1, size)
    differs = ((given != mine) & ~(np.isnan(given) & np.isnan(mine))).any(axis=1)
    given, mine = given[differs], mine[differs]
    # No machine can say by how much a NaN, or a number that overflowed, is ahead of others.
    steady = ~np.isnan(mine).any(axis=1) & ~(mine == np.inf).any(axis=1)
    given, mine = given[steady], mine[steady]
    k = min(k, size)
    order = np.lexsort((-mine, -given), axis=-1)[:, :k]
    least = np.take_along_axis(mine, order, axis=1).min(axis=1)
    edge = np.sort(mine, axis=1)[:, -k]
    with np.errstate(invalid="ignore"):
        found = np.where(least >= edge, 0.0, edge - least)
    found[np.isnan(given).any(axis=1)] = np.inf
    return Distance(float(found.max(initial=0.0)), bool(steady.all()))


def label(
    claimed: Sequence[Any], own: Sequence[Any], scores: Floats, classes: Sequence[Any]
) -> Distance:
    """Return by how much own scores must move for the claimed labels to be the own ones.

    That is how far the own score of the claimed label is from that of the own label.

    Args:
        claimed, own: label of each row.
        scores: own, (rows, classes).
        classes: label of each column.
    """
    places = {one: place for place, one in enumerate(classes)}
    largest, measured = 0.0, True
    for row, (given, mine) in enumerate(zip(claimed, own, strict=True)):
        if given == mine:
            continue
        if given not in places:
            largest = np.inf
        elif mine not in places or not np.isfinite(scores[row]).all():
            measured = False
        else:
            largest = max(
                largest, float(abs(scores[row, places[mine]] - scores[row, places[given]]))
            )
    return Distance(largest, measured)
