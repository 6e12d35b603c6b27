"""Verdicts on answers and on batches of them.

Thresholds are in thousandths, and all comparisons in integers: M <= a + b / sqrt(N) is squared.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tallystick.errors import FieldError
from tallystick.llm.margins import Measured
from tallystick.llm.noise import UNIT
from tallystick.protocol.verdicts import SHARE, Verdict

FEW_TOKENS = 32
"""Below so many tokens, the largest margin decides alone."""


@dataclass(frozen=True, slots=True)
class Mean:
    """A bound of M that depends on the number of tokens: a + b / sqrt(N), in thousandths."""

    a: int
    b: int

    def holds(self, measured: Measured) -> bool:
        """Return whether M is at most the bound; of no tokens it is.

        >>> Mean(5, 250).holds(Measured(tokens=100, total=3 * 1000 * UNIT, largest=0))
        True
        """
        count = measured.tokens
        above = measured.total - self.a * count * UNIT
        return above <= 0 or above * above <= self.b * self.b * count * UNIT * UNIT


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Bounds of a tolerance, in thousandths.

    Up to the first an answer is good, above the second it is wrong.
    """

    m1: Mean
    m2: Mean
    x1: int
    x2: int

    def __post_init__(self) -> None:
        for name, first, second in (
            ("m1 a", self.m1.a, self.m2.a),
            ("m1 b", self.m1.b, self.m2.b),
            ("x1", self.x1, self.x2),
        ):
            if not 0 <= first <= second:
                raise FieldError(name, first, f"0 to {second}, what {name.replace('1', '2')} is")


DRAFT = Thresholds(Mean(5, 250), Mean(40, 400), 1500, 3000)
"""m1 = .005 + .25 / sqrt N, m2 = .04 + .4 / sqrt N, x1 = 1.5, x2 = 3; not calibrated yet."""


def judge_answer(measured: Measured, thresholds: Thresholds) -> Verdict:
    """Return the verdict on an answer whose form is right.

    >>> judge_answer(Measured.of([0] * 31 + [1501 * UNIT]), DRAFT)
    <Verdict.DOUBTFUL: 'doubtful'>
    """
    if not _holds(measured, thresholds.m2, thresholds.x2):
        return Verdict.WRONG
    good = _holds(measured, thresholds.m1, thresholds.x1)
    return Verdict.GOOD if good else Verdict.DOUBTFUL


def judge_twice(first: Sequence[int], second: Sequence[int], thresholds: Thresholds) -> Verdict:
    """Return the verdict on an answer that verifiers of two kernel classes measured.

    It is wrong if both say so, and agree on every token within x1; kernels that part on a prompt
    convict nobody.

    Args:
        first: margins of the answer's tokens, in units of 1 / (1000 * 2^20) logits.
        second: those by the other kernel class.
        thresholds: of the spec.

    Raises:
        FieldError: they are of another number of tokens.
    """
    if len(first) != len(second):
        raise FieldError("margins", len(second), f"{len(first)} of them")
    verdicts = {judge_answer(Measured.of(one), thresholds) for one in (first, second)}
    if verdicts == {Verdict.GOOD}:
        return Verdict.GOOD
    near = all(abs(a - b) <= thresholds.x1 * UNIT for a, b in zip(first, second, strict=True))
    return Verdict.WRONG if verdicts == {Verdict.WRONG} and near else Verdict.DOUBTFUL


@dataclass(frozen=True, slots=True)
class Judged:
    """A drawn leaf: its verdict, and its margins where its form is right."""

    verdict: Verdict
    measured: Measured


def judge_batch(drawn: Sequence[Judged], thresholds: Thresholds) -> Verdict:
    """Return the verdict on a batch by its drawn leaves.

    Good: no leaf is wrong, M of all their tokens is at most m1 (of 32 tokens or more), and at most
    one in 32 is doubtful, or one, none of them above half the way from the first bounds to the
    second. Wrong: a leaf is. Doubtful is neither signed nor challenged.

    Args:
        drawn: the leaves that the draw names, each once.
        thresholds: of the spec.

    Raises:
        FieldError: no leaf was drawn.
    """
    if not drawn:
        raise FieldError("drawn", "no leaf", "one at least")
    if any(one.verdict is Verdict.WRONG for one in drawn):
        return Verdict.WRONG
    doubtful = [one.measured for one in drawn if one.verdict is Verdict.DOUBTFUL]
    pooled = Measured.pooled(one.measured for one in drawn)
    good = (
        len(doubtful) <= max(1, len(drawn) // SHARE)
        and (pooled.tokens < FEW_TOKENS or thresholds.m1.holds(pooled))
        and all(_nearly_good(one, thresholds) for one in doubtful)
    )
    return Verdict.GOOD if good else Verdict.DOUBTFUL


def judge_exact(prefill: bool, decoded: bool | None = None, second: bool | None = None) -> Verdict:
    """Return the verdict on an answer under an exact spec, whose form is right.

    Args:
        prefill: all its tokens are the rule's, by one forward pass under the profile.
        decoded: they are by decoding token by token; None: not tried.
        second: they are by a second build; None: not tried.

    >>> judge_exact(True), judge_exact(False), judge_exact(False, decoded=False, second=False)
    (<Verdict.GOOD: 'good'>, <Verdict.DOUBTFUL: 'doubtful'>, <Verdict.WRONG: 'wrong'>)
    """
    if prefill:
        return Verdict.GOOD
    return Verdict.WRONG if decoded is False and second is False else Verdict.DOUBTFUL


def _holds(measured: Measured, mean: Mean, largest: int) -> bool:
    if measured.largest > largest * UNIT:
        return False
    return measured.tokens < FEW_TOKENS or mean.holds(measured)


def _nearly_good(measured: Measured, thresholds: Thresholds) -> bool:
    """Return whether a leaf is within half the way; everything is doubled to stay whole."""
    doubled = Measured(measured.tokens, 2 * measured.total, 2 * measured.largest)
    mean = Mean(thresholds.m1.a + thresholds.m2.a, thresholds.m1.b + thresholds.m2.b)
    return _holds(doubled, mean, thresholds.x1 + thresholds.x2)
