"""A network's counters."""

from dataclasses import dataclass, replace

from tallystick.protocol.enums import Outcome


@dataclass(frozen=True, slots=True)
class Totals:
    """Counters of a network, in inferences, but `burned` in units of its asset; they only grow.

    Source: `Totals` in contracts/interfaces/Types.sol.

    >>> totals = Totals().commit(5).finalize(Outcome.AUDITED, 3)
    >>> totals.verified, totals.open
    (3, 2)
    """

    committed: int = 0
    unchallenged: int = 0
    audited: int = 0
    enclave: int = 0
    proven: int = 0
    rejected: int = 0
    unresolved: int = 0
    burned: int = 0

    @property
    def verified(self) -> int:
        """Inferences with positive evidence; to be shown with its split only."""
        return self.audited + self.enclave + self.proven

    @property
    def open(self) -> int:
        """Inferences committed and neither final nor rejected."""
        over = self.unchallenged + self.verified + self.rejected + self.unresolved
        return self.committed - over

    def commit(self, count: int) -> "Totals":
        """Return the counters after a commit of `count` inferences."""
        return replace(self, committed=self.committed + count)

    def finalize(self, outcome: Outcome, count: int) -> "Totals":
        """Return the counters after `count` inferences became final with this outcome."""
        counter = outcome.name.lower()
        return replace(self, **{counter: getattr(self, counter) + count})

    def reject(self, count: int, burned: int) -> "Totals":
        """Return the counters after a rejection."""
        return replace(self, rejected=self.rejected + count, burned=self.burned + burned)

    def burn(self, amount: int) -> "Totals":
        """Return the counters after a part of a bond was burned."""
        return replace(self, burned=self.burned + amount)
