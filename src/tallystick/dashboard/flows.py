"""Counters of networks by day, in columns: the sums of any days are one difference each."""

from datetime import date
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tallystick.dashboard.network_key import NetworkKey
from tallystick.data.totals.expression import COUNTS

Ints = npt.NDArray[np.int64]
_DAY_0 = date(1970, 1, 1).toordinal()


class DaysOf(NamedTuple):
    """Some days of a network, those without an event left out."""

    days: Ints
    """Days since 1970-01-01 (UTC), ascending."""
    counts: Ints
    """Inferences, of shape (days, COUNTS)."""


class Flows:
    """Growth of the counters of every network, day by day.

    Args:
        moved: of expression.moves, split by day.
        before: what `moved` comes on top of.
    """

    def __init__(self, moved: pa.Table, before: "Flows | None" = None) -> None:
        self._keys: list[NetworkKey] = list(before._keys) if before else []
        self._networks: Ints
        """Of each row, ascending: a place in _keys."""
        self._days: Ints
        self._counts: Ints
        networks, days, counts = self._named(moved)
        if before:
            networks = np.concatenate([before._networks, networks])
            days = np.concatenate([before._days, days])
            counts = np.concatenate([before._counts, counts])
        order = np.lexsort([days, networks])
        networks, days, counts = networks[order], days[order], counts[order]
        begins = _begins(networks, days)
        self._networks, self._days = networks[begins], days[begins]
        self._counts = np.add.reduceat(counts, begins) if len(begins) else counts
        # Of the rows before each: a sum over neighbours is the difference of two.
        self._before = np.zeros((len(self._days) + 1, len(COUNTS)), np.int64)
        np.cumsum(self._counts, axis=0, out=self._before[1:])
        ends = np.searchsorted(self._networks, np.arange(len(self._keys)), side="right").tolist()
        self._rows = dict(zip(self._keys, zip([0, *ends], ends, strict=False), strict=True))

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

    def _named(self, moved: pa.Table) -> tuple[Ints, Ints, Ints]:
        """Return each row's network, as a place in _keys, its day and what it adds to COUNTS."""
        counters = moved["counter"].cast(pa.string()).combine_chunks().dictionary_encode()
        places = {key: place for place, key in enumerate(self._keys)}
        network_of, column_of = [], []
        for counter in counters.dictionary.to_pylist():
            chain_id, address, network_id, name = counter.split(":")
            key = NetworkKey(int(chain_id), address, network_id)
            network_of.append(places.setdefault(key, len(places)))
            column_of.append(COUNTS.index(name) if name in COUNTS[1:] else len(COUNTS))
        self._keys = list(places)
        which = counters.indices.to_numpy()
        # The last column, of what burns, is counted elsewhere.
        counts = np.zeros((len(moved), len(COUNTS) + 1), np.int64)
        columns = np.array(column_of, np.int64)[which]
        counts[np.arange(len(moved)), columns] = moved["moved"].to_numpy()
        counts[:, COUNTS.index("committed")] += moved["committed"].to_numpy()
        days = moved["day"].cast(pa.int32()).to_numpy().astype(np.int64)
        return np.array(network_of, np.int64)[which], days, counts[:, :-1]


def since_1970(day: date) -> int:
    """Return a day as the number of days since 1970-01-01.

    >>> since_1970(date(1970, 1, 2))
    1
    """
    return day.toordinal() - _DAY_0


def day_of(since: int) -> date:
    """Return a day from the number of days since 1970-01-01."""
    return date.fromordinal(since + _DAY_0)


def _begins(networks: Ints, days: Ints) -> Ints:
    """Return where the rows of each network and day begin; they are sorted by both."""
    if not len(days):
        return np.zeros(0, np.int64)
    other = (networks[1:] != networks[:-1]) | (days[1:] != days[:-1])
    return np.flatnonzero(np.r_[True, other])
