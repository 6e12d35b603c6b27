"""Verdicts beside those that bounds decide: two kernel classes, exact specs, wrong thresholds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.errors import FieldError
from tallystick.llm.margins import LOGIT, Measured
from tallystick.llm.noise import UNIT
from tallystick.llm.verdicts import (
    DRAFT,
    Judged,
    Mean,
    Thresholds,
    judge_answer,
    judge_batch,
    judge_exact,
    judge_twice,
)
from tallystick.protocol.verdicts import Verdict

WRONG = [0] * 63 + [3001 * UNIT]
NEAR = [0] * 63 + [4501 * UNIT]
FAR = [0] * 63 + [4501 * UNIT + 1]
GOOD = [0] * 64
DOUBTFUL = [0] * 63 + [1501 * UNIT]


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [
        (WRONG, WRONG, Verdict.WRONG),
        (WRONG, NEAR, Verdict.WRONG),
        (WRONG, FAR, Verdict.DOUBTFUL),
        (WRONG, GOOD, Verdict.DOUBTFUL),
        (WRONG, DOUBTFUL, Verdict.DOUBTFUL),
        (WRONG, WRONG[::-1], Verdict.DOUBTFUL),
        (GOOD, DOUBTFUL, Verdict.DOUBTFUL),
        (GOOD, GOOD, Verdict.GOOD),
    ],
)
def test_judge_twice__two_kernel_classes__are_wrong_where_they_agree(
    first: list[int], second: list[int], verdict: Verdict
) -> None:
    assert judge_twice(first, second, DRAFT) is verdict
    assert judge_twice(second, first, DRAFT) is verdict


def test_judge_twice__other_numbers_of_tokens__are_refused() -> None:
    with pytest.raises(FieldError, match="^margins is 63"):
        judge_twice(GOOD, GOOD[1:], DRAFT)


@pytest.mark.parametrize(
    ("asked", "verdict"),
    [
        ((True,), Verdict.GOOD),
        ((False,), Verdict.DOUBTFUL),
        ((False, False), Verdict.DOUBTFUL),
        ((False, None, False), Verdict.DOUBTFUL),
        ((False, True, False), Verdict.DOUBTFUL),
        ((False, False, True), Verdict.DOUBTFUL),
        ((False, False, False), Verdict.WRONG),
    ],
)
def test_judge_exact__runs__are_wrong_where_all_disagree(
    asked: tuple[bool, ...], verdict: Verdict
) -> None:
    assert judge_exact(*asked) is verdict


def test_judge_batch__leaf_of_wrong_form__is_wrong() -> None:
    broken = Judged(Verdict.WRONG, Measured.of([]))

    assert judge_batch([broken], DRAFT) is Verdict.WRONG


def test_judge_batch__nothing_drawn__is_refused() -> None:
    with pytest.raises(FieldError, match="^drawn is no leaf"):
        judge_batch([], DRAFT)


@given(st.lists(st.lists(st.integers(0, 2 * LOGIT), min_size=1, max_size=40), min_size=1))
def test_judge_batch__order_of_leaves__does_not_matter(leaves: list[list[int]]) -> None:
    measured = [Measured.of(leaf) for leaf in leaves]
    drawn = [Judged(judge_answer(one, DRAFT), one) for one in measured]

    assert judge_batch(drawn, DRAFT) is judge_batch(drawn[::-1], DRAFT)


@given(st.integers(1, 10**4), st.integers(0, 10**4 * LOGIT), st.integers(0, 4 * LOGIT))
def test_judge_answer__less__is_no_worse(tokens: int, total: int, largest: int) -> None:
    order = [Verdict.GOOD, Verdict.DOUBTFUL, Verdict.WRONG]
    more = order.index(judge_answer(Measured(tokens, total, largest), DRAFT))

    assert order.index(judge_answer(Measured(tokens, total // 2, largest), DRAFT)) <= more
    assert order.index(judge_answer(Measured(tokens, total, largest // 2), DRAFT)) <= more


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ((Mean(41, 250), Mean(40, 400), 1500, 3000), "m1 a"),
        ((Mean(5, 401), Mean(40, 400), 1500, 3000), "m1 b"),
        ((Mean(5, 250), Mean(40, 400), 3001, 3000), "x1"),
        ((Mean(-1, 250), Mean(40, 400), 1500, 3000), "m1 a"),
    ],
)
def test_thresholds__wrong_way_round__are_refused(changed: tuple, name: str) -> None:
    with pytest.raises(FieldError, match=f"^{name} is"):
        Thresholds(*changed)
