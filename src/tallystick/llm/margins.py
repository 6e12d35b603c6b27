"""Margins: how far a verifier's logits must move for a claimed token to be the rule's."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tallystick.errors import FieldError
from tallystick.llm.noise import UNIT, Integers, noise
from tallystick.llm.sampler import Candidates, Sampling, candidates, fixed_logits

LOGIT = 1000 * UNIT
"""Units of a margin in a logit."""


def margin(logits: ArrayLike, token: int, sampling: Sampling, step: int) -> int:
    """Return the margin of a claimed token, in units of 1 / (1000 * 2^20) logits.

    It is the greatest of zero, of what the token lacks to the floor, and, over the other tokens,
    of the least of what their score is above the token's, and their logit above the floor. The
    rule's token has none; another one has none only where the rule decides between equals.
    Where no Z differs by more than d units of 2^-20, no margin of a rule's token is above 2 d.

    Args:
        logits: the verifier's, of every token by id.
        token: the claimed one.
        sampling: of the answer.
        step: the token's place in the answer, from 0.

    Raises:
        FieldError: there is no such token, or there are no logits.

    >>> greedy = Sampling(bytes(32), temperature=0)
    >>> [margin([1.0, 0.5], token, greedy, step=0) / LOGIT for token in (0, 1)]
    [0.0, 0.5]
    """
    fixed = fixed_logits(logits)
    return margin_of(fixed, candidates(fixed, sampling, step), token, sampling, step)


def margin_of(fixed: Integers, found: Candidates, token: int, sampling: Sampling, step: int) -> int:
    """Return the margin of a claimed token, its step's candidates being known; see `margin`.

    Args:
        fixed: Z of every token, by id.
        found: the candidates of the step.
        token: the claimed one.
        sampling: of the answer.
        step: the token's place in the answer, from 0.
    """
    if not 0 <= token < fixed.size:
        raise FieldError("token", token, f"one of {fixed.size}")
    own = 1000 * int(fixed[token])
    score = _score(own, token, sampling, step)
    # Who is below the floor is no rival: its least is negative.
    rivals = np.minimum(found.scores - score, found.logits - found.floor)
    return max(0, found.floor - own, int(rivals.max()))


def _score(own: int, token: int, sampling: Sampling, step: int) -> int:
    if not sampling.temperature:
        return own
    return own + sampling.temperature * int(noise(sampling.seed, step, np.array([token]))[0])


@dataclass(frozen=True, slots=True)
class Measured:
    """Margins of one answer or of many, summed up; sums of integers, so in no order."""

    tokens: int
    """N: margins that were summed."""
    total: int
    """Of min(margin, 1 logit), in units of 1 / (1000 * 2^20) logits."""
    largest: int
    """X, in the same units."""

    @classmethod
    def of(cls, margins: Iterable[int]) -> "Measured":
        """Sum margins up.

        >>> Measured.of([0, 3 * LOGIT]).mean
        0.5
        """
        found = list(margins)
        return cls(len(found), sum(min(one, LOGIT) for one in found), max(found, default=0))

    @classmethod
    def pooled(cls, answers: Iterable["Measured"]) -> "Measured":
        """Pool answers, each token as heavy as any other."""
        found = list(answers)
        return cls(
            sum(one.tokens for one in found),
            sum(one.total for one in found),
            max((one.largest for one in found), default=0),
        )

    @property
    def mean(self) -> float:
        """M in logits, to show; verdicts are in integers."""
        return self.total / (LOGIT * self.tokens) if self.tokens else 0.0

    @property
    def largest_logits(self) -> float:
        """X in logits, to show."""
        return self.largest / LOGIT
