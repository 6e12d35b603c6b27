"""Odds of a pool's panels, exactly: places are drawn with replacement, so they are binomial.

Source: docs/security.md, A pool's panels.
"""

from dataclasses import dataclass
from math import comb

from tallystick.errors import FieldError
from tallystick.protocol.pool import FINDERS, Quorums


def at_least(needed: int, places: int, share: float) -> float:
    """Return how probable it is that a share of the seats holds so many of the places.

    >>> round(at_least(5, 9, 0.1), 5)
    0.00089
    """
    return sum(
        comb(places, held) * share**held * (1 - share) ** (places - held)
        for held in range(needed, places + 1)
    )


@dataclass(frozen=True, slots=True)
class Odds:
    """Odds of a share of all seats; each a probability, of one panel.

    >>> odds = Odds.of(15, 0.1)
    >>> f"{odds.audits:.0e}", f"{odds.upholds:.0e}", f"{odds.rejects:.0e}"
    ('3e-05', '7e-09', '4e-12')
    """

    share: float
    audits: float
    """It gets k of n: it audits its own fake."""
    upholds: float
    """It gets U of m: its fake is upheld."""
    rejects: float
    """It gets R of m: it rejects an honest leaf."""

    @classmethod
    def of(cls, panel: int, share: float) -> "Odds":
        """Return the odds of a holder.

        Args:
            panel: places of an audit's panel, n.
            share: of all seats, 0 to 1.

        Raises:
            FieldError: the panel or the share is out of range.
        """
        places, part = Quorums.of(panel), _probability("share", share)
        return cls(
            share,
            at_least(places.audit, panel, part),
            at_least(places.uphold, places.judges, part),
            at_least(places.reject, places.judges, part),
        )

    @property
    def commits(self) -> float | None:
        """Batches until a panel is lucky, on average, each open to everybody's challenge."""
        return 1 / self.audits if self.audits else None


@dataclass(frozen=True, slots=True)
class Turnout:
    """Odds that panels get done where so many of the places sign; each a probability.

    >>> found = Turnout.of(15, 0.7)
    >>> round(found.audited, 2), round(found.rejected, 2)
    (0.95, 0.89)
    """

    audited: float
    """An audit of a good batch completes."""
    rejected: float
    """A wrong leaf is rejected by the first panel."""

    @classmethod
    def of(cls, panel: int, turnout: float) -> "Turnout":
        """Return them for a panel of n places; FieldError as of Odds.of."""
        places, part = Quorums.of(panel), _probability("turnout", turnout)
        return cls(
            at_least(places.audit, panel, part), at_least(places.reject, places.judges, part)
        )


def stake_at_risk(panel: int, seat_stake: int) -> int:
    """Return what a false audit burns at least where each place is another seat's, in units.

    Args:
        panel: places of an audit's panel, n.
        seat_stake: units of the asset that a seat costs.
    """
    stake = Quorums.of(panel).audit * seat_stake
    return stake - stake // FINDERS


def capture(seats: int, seat_stake: int) -> int:
    """Return what half of all seats costs, in units of the asset."""
    return -(-seats // 2) * seat_stake


def _probability(name: str, value: float) -> float:
    if not 0 <= value <= 1:
        raise FieldError(name, value, "0 to 1")
    return value
