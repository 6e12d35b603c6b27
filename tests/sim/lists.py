"""Epochs' lists of seats, and who of them holds the places of panels: many panels at once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class SeatList:
    """Keys with their seats, in the order in which they enrolled."""

    keys: Ints
    """Number of the member that an entry is of."""
    firsts: Ints
    """Number of its first seat."""
    seats: int

    @classmethod
    def of(cls, keys: Ints, seats: Ints) -> "SeatList":
        """Return the list of keys with so many seats each; both in the order of their entries."""
        ends = np.cumsum(seats)
        return cls(keys, ends - seats, int(ends[-1]))

    def holders(self, drawn: Ints) -> Ints:
        """Return the members whose seats were drawn."""
        return self.keys[np.searchsorted(self.firsts, drawn, side="right") - 1]

    def panels(self, chance: np.random.Generator, count: int, places: int) -> Ints:
        """Return who holds each place of so many panels: each place a seat, with replacement."""
        return self.holders(chance.integers(0, self.seats, (count, places)))


@dataclass(frozen=True)
class Members:
    """Everybody who has seats."""

    seats: Ints
    turnout: Floats
    """How probable it is that a member signs what it is drawn for."""
    cheats: Flags
    """Those of one holder, who signs its own fakes alone."""

    @classmethod
    def of(cls, chance: np.random.Generator, count: int, share: float) -> "Members":
        """Return members of many sizes, of whom cheats hold a share of the seats.

        Args:
            chance: where sizes and turnouts come from.
            count: of members.
            share: of all seats that is the cheats', about.
        """
        seats = np.minimum(1 + 2 * chance.pareto(1.2, count), 300).astype(np.int64)
        turnout = chance.beta(16, 4, count)
        order = chance.permutation(count)
        upto = np.cumsum(seats[order]) <= share * seats.sum()
        cheats = np.zeros(count, dtype=np.bool_)
        cheats[order[upto]] = True
        return cls(seats, turnout, cheats)

    def enrolled(self, chance: np.random.Generator, returning: float) -> SeatList:
        """Return an epoch's list: every cheat comes again, and most others, in any order."""
        came = self.cheats | (chance.random(len(self.seats)) < returning)
        keys = chance.permutation(np.flatnonzero(came))
        return SeatList.of(keys, self.seats[keys])

    def share(self, listed: SeatList) -> float:
        """Return the cheats' part of a list's seats."""
        mine = self.seats[listed.keys[self.cheats[listed.keys]]].sum()
        return float(mine / listed.seats)

    def signing(self, panels: Ints, first: int) -> Flags:
        """Return which places honest members sign; one word of a member for all of its places.

        Args:
            panels: who holds each place, a row a panel.
            first: number of the first panel: no two have the same.
        """
        says = self._words(panels, first)
        return ~self.cheats[panels] & (says < self.turnout[panels])

    def mistaken(self, panels: Ints, first: int, rate: float) -> Flags:
        """Return which places honest members give a wrong ruling, at a rate of theirs."""
        return ~self.cheats[panels] & (self._words(panels, first) < rate)

    def _words(self, panels: Ints, first: int) -> Floats:
        """Return a number in [0, 1) for each place: the same for all places of a member."""
        numbers = np.uint64(first) + np.arange(len(panels), dtype=np.uint64)[:, None]
        return _mixed(numbers * np.uint64(len(self.seats)) + panels.astype(np.uint64))


def _mixed(values: NDArray[np.uint64]) -> Floats:
    """Return numbers in [0, 1) that don't follow their neighbours': splitmix64."""
    with np.errstate(over="ignore"):
        x = values * np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (x ^ (x >> np.uint64(31))).astype(np.float64) / 2.0**64
