"""Utility of a network over a period: accessibility * verifiability * scalability.

Each part lies in [0, 1], and is shown beside the product.
"""

from dataclasses import dataclass
from math import log10

REFERENCE = 1_000_000_000
"""Verified inferences a day at which scalability is 1."""


@dataclass(frozen=True, slots=True)
class Utility:
    """A network's, with what each part is made of.

    >>> one = Utility(days=1.0, verified=9, left_open=10, asked=4, answered=2, reference=99)
    >>> one.accessibility, one.verifiability, one.scalability, one.utility
    (0.5, 0.9, 0.5, 0.225)
    >>> Utility(days=1.0, verified=9, left_open=10, asked=0, answered=0).utility is None
    True
    """

    days: float
    """Length of the period."""
    verified: int
    """Inferences with positive evidence that became final in the period."""
    left_open: int
    """Inferences whose batches left open in the period: final, unresolved or rejected."""
    asked: int
    """Probes of the period in the named log."""
    answered: int
    reference: int = REFERENCE

    @property
    def accessibility(self) -> float | None:
        """answered / asked; None without a probe."""
        return self.answered / self.asked if self.asked else None

    @property
    def verifiability(self) -> float | None:
        """verified / left_open; None when no batch left open."""
        return self.verified / self.left_open if self.left_open else None

    @property
    def scalability(self) -> float:
        """min(1, log10(1 + verified per day) / log10(1 + reference))."""
        daily = self.verified / self.days if self.days else 0.0
        return min(1.0, log10(1 + daily) / log10(1 + self.reference))

    @property
    def utility(self) -> float | None:
        """The product; None when a part is missing: a missing log is not a zero."""
        if self.accessibility is None or self.verifiability is None:
            return None
        return self.accessibility * self.verifiability * self.scalability
