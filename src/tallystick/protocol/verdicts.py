"""Verdicts on answers that are measured, and the rule by which a batch of them is judged.

A spec with a tolerance has two thresholds for each distance: up to the first an answer is good,
beyond the second it is wrong, and between them nobody signs for it and nobody is convicted of it.
Whoever measures a little more than another must not turn a signature into a false one: so a batch
may have a few doubtful leaves, none beyond half way.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from math import isnan

SHARE = 32
"""One in so many of the leaves run again may be doubtful, and one always."""
HALF = 0.5
"""Half of the way from the good threshold to the wrong one."""


class Verdict(StrEnum):
    """The verdicts, the best first."""

    GOOD = "good"
    DOUBTFUL = "doubtful"
    """Neither signed nor challenged; nobody is convicted for it."""
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Judged:
    """A leaf's verdict, and how far between the thresholds it lies."""

    verdict: Verdict
    way: float = 0.0
    """0 at the good threshold or within it, 1 at the wrong one, more beyond; infinite where nothing
    could be measured."""
    reason: str = ""

    @classmethod
    def of(cls, distance: float, good: float, wrong: float, reason: str = "") -> "Judged":
        """Return the verdict on a distance; both thresholds belong to the better side.

        Args:
            distance: 0 or more; infinite: beyond every threshold.
            good: threshold, 0 or more.
            wrong: threshold, at least `good`.
            reason: names what was measured, unless it is good.

        Raises:
            ValueError: the distance is no number.

        >>> Judged.of(1.5, 1, 3)
        Judged(verdict=<Verdict.DOUBTFUL: 'doubtful'>, way=0.25, reason='')
        """
        if isnan(distance):
            raise ValueError("a distance is not a number")
        if distance <= good:
            return GOOD
        way = (distance - good) / (wrong - good) if wrong > good else float("inf")
        return cls(Verdict.WRONG if distance > wrong else Verdict.DOUBTFUL, way, reason)

    def doubted(self, reason: str = "") -> "Judged":
        """Return the verdict that stands where the wrong one can't be confirmed."""
        if self.verdict is not Verdict.WRONG:
            return self
        return Judged(Verdict.DOUBTFUL, float("inf"), reason or self.reason)


GOOD = Judged(Verdict.GOOD)
_ORDER = list(Verdict)


def worst(parts: Iterable[Judged]) -> Judged:
    """Return the worst of the verdicts on one leaf's parts, by verdict and then by its way.

    >>> worst([]).verdict
    <Verdict.GOOD: 'good'>
    """
    return max(parts, key=lambda one: (_ORDER.index(one.verdict), one.way), default=GOOD)


def judge_batch(leaves: Iterable[Judged]) -> Verdict:
    """Return the verdict on a batch by those of its leaves that were run again.

    WRONG: one of them is. GOOD: at most max(1, leaves / 32) are doubtful, and none of these lies
    beyond half of the way to the wrong threshold. DOUBTFUL else.

    >>> doubtful = Judged(Verdict.DOUBTFUL, 0.4)
    >>> judge_batch([GOOD] * 30 + [doubtful]), judge_batch([GOOD] * 30 + [doubtful] * 2)
    (<Verdict.GOOD: 'good'>, <Verdict.DOUBTFUL: 'doubtful'>)
    """
    found = list(leaves)
    if any(one.verdict is Verdict.WRONG for one in found):
        return Verdict.WRONG
    doubtful = [one for one in found if one.verdict is Verdict.DOUBTFUL]
    few = len(doubtful) <= max(1, len(found) // SHARE)
    return Verdict.GOOD if few and all(one.way <= HALF for one in doubtful) else Verdict.DOUBTFUL
