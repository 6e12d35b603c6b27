"""Counters of networks by day, in columns: the sums of any days are one difference each."""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tallystick.dashboard.network_key import NetworkKey
from tallystick.data.totals.expression import COUNTS, NETWORK

Ints = npt.NDArray[np.int64]
_DAY_0 = date(1970, 1, 1).toordinal()


class DaysOf(NamedTuple):
    """Some days of a network, those without an event left out."""

    days: Ints
    """Days since 1970-01-01 (UTC), ascending."""
    counts: Ints
    """Inferences, of shape (days, COUNTS)."""


class Flows:
    """How the counters of every network grew, day by day.

    Args:
        table: NETWORK, day and COUNTS, a row for each network and day.
    """

    def __init__(self, table: pa.Table) -> None:
        table = table.sort_by([(name, "ascending") for name in (*NETWORK, "day")])
        self._days = table["day"].cast(pa.int32()).to_numpy().astype(np.int64)
        counts = [table[name].to_numpy() for name in COUNTS]
        self._counts = np.column_stack(counts).astype(np.int64)
        # Of the rows before each: a sum over neighbours is the difference of two.
        self._before = np.zeros((len(self._days) + 1, len(COUNTS)), np.int64)
        np.cumsum(self._counts, axis=0, out=self._before[1:])
        self._rows = dict(_places(table))

    def sums(self, key: NetworkKey, first: date, last: date) -> dict[str, int]:
        """Return the sums of COUNTS over a network's days, both ends included."""
        begin, end = self._place(key, first, last)
        found = self._before[end] - self._before[begin]
        return dict(zip(COUNTS, found.tolist(), strict=True))

    def daily(self, key: NetworkKey, first: date, last: date) -> DaysOf:
        """Return a network's days with an event, both ends included."""
        begin, end = self._place(key, first, last)
        return DaysOf(self._days[begin:end], self._counts[begin:end])

    def _place(self, key: NetworkKey, first: date, last: date) -> tuple[int, int]:
        begin, end = self._rows.get(key, (0, 0))
        bounds = [since_1970(first), since_1970(last) + 1]
        at = begin + np.searchsorted(self._days[begin:end], bounds)
        return int(at[0]), int(at[1])


def since_1970(day: date) -> int:
    """Return a day as the number of days since 1970-01-01.

    >>> since_1970(date(1970, 1, 2))
    1
    """
    return day.toordinal() - _DAY_0


def day_of(since: int) -> date:
    """Return a day from the number of days since 1970-01-01."""
    return date.fromordinal(since + _DAY_0)


def _places(table: pa.Table) -> Iterator[tuple[NetworkKey, tuple[int, int]]]:
    """Yield where the rows of each network stand; they are sorted by it."""
    columns = [table[name].combine_chunks().dictionary_encode() for name in NETWORK]
    if not len(table):
        return
    codes = np.column_stack([one.indices.to_numpy() for one in columns])
    begins = np.flatnonzero(np.r_[True, (codes[1:] != codes[:-1]).any(axis=1)])
    ends = np.r_[begins[1:], len(table)]
    heads = table.select(NETWORK).take(pa.array(begins)).to_pylist()
    for head, begin, end in zip(heads, begins.tolist(), ends.tolist(), strict=True):
        yield NetworkKey(*(head[name] for name in NETWORK)), (begin, end)
