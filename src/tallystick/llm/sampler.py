"""The rule that says which token follows, in integers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tallystick.errors import FieldError
from tallystick.llm.noise import UNIT, Integers, log_floor, noise

_MOST = 1 << 40


@dataclass(frozen=True, slots=True)
class Sampling:
    """Chance of one answer: its seed, and temperature and min_p of its body."""

    seed: bytes
    """32 bytes, `answer_seed`."""
    temperature: int = 1000
    """t, in thousandths; 0: the greatest logit."""
    min_p: int = 1
    """p, in thousandths, 1 to 1000."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Tokens of a step that are likely enough, ascending, and their scores.

    All values are in units of 1 / (1000 * 2^20) logits.
    """

    tokens: Integers
    logits: Integers
    """1000 Z of each."""
    scores: Integers
    """S of each."""
    floor: int
    """F: what 1000 Z must be at least."""

    @property
    def token(self) -> int:
        """The rule's token: the greatest score, of equal ones the lowest id."""
        return int(self.tokens[np.argmax(self.scores)])


def fixed_logits(logits: ArrayLike) -> Integers:
    """Return Z: logits in units of 2^-20, halves to even, within 2^40; NaN is -2^40.

    Args:
        logits: float32 or float64, of any shape.

    >>> fixed_logits([0.5 / 2**20, 1.5 / 2**20, float("nan"), float("inf")]).tolist()
    [0, 2, -1099511627776, 1099511627776]
    """
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = np.rint(np.asarray(logits, np.float64) * UNIT)
    within = np.clip(np.nan_to_num(scaled, nan=-_MOST), -_MOST, _MOST)
    fixed: Integers = within.astype(np.int64)
    return fixed


def candidates(fixed: Integers, sampling: Sampling, step: int) -> Candidates:
    """Return the candidates of a step.

    Args:
        fixed: Z of every token, by id.
        sampling: of the answer.
        step: tokens that the answer has already.

    Raises:
        FieldError: there are no logits.
    """
    if fixed.ndim != 1 or not fixed.size:
        raise FieldError("logits", f"an array of shape {fixed.shape}", "one for each token")
    values = 1000 * fixed
    floor = int(values.max()) + sampling.temperature * log_floor(sampling.min_p)
    tokens = np.flatnonzero(values >= floor)
    scores = values[tokens]
    if sampling.temperature:
        scores = scores + sampling.temperature * noise(sampling.seed, step, tokens)
    return Candidates(tokens, values[tokens], scores, floor)


def choose(logits: ArrayLike, sampling: Sampling, step: int) -> int:
    """Return the token that follows.

    >>> choose([0.25, 1.0, 1.0], Sampling(bytes(32), temperature=0), step=0)
    1
    """
    return candidates(fixed_logits(logits), sampling, step).token
