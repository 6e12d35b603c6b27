"""A batch is judged by a written rule: few doubtful leaves, none of them near to wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.protocol.verdicts import GOOD, Judged, Verdict, judge_batch, worst

ways = st.floats(0, 1)
leaves = st.one_of(st.just(GOOD), st.builds(Judged, st.just(Verdict.DOUBTFUL), ways))


def doubtful(way: float = 0.5) -> Judged:
    return Judged(Verdict.DOUBTFUL, way)


@pytest.mark.parametrize(
    ("distance", "verdict", "way"),
    [
        (0, Verdict.GOOD, 0),
        (1, Verdict.GOOD, 0),
        (2, Verdict.DOUBTFUL, 0.5),
        (3, Verdict.DOUBTFUL, 1),
        (3.01, Verdict.WRONG, 1.005),
        (float("inf"), Verdict.WRONG, float("inf")),
    ],
)
def test_of__distance__a_threshold_belongs_to_its_better_side(
    distance: float, verdict: Verdict, way: float
) -> None:
    found = Judged.of(distance, 1, 3)
    assert (found.verdict, found.way) == (verdict, pytest.approx(way))


def test_of__equal_thresholds__nothing_is_doubtful() -> None:
    assert Judged.of(1, 1, 1).verdict is Verdict.GOOD
    assert Judged.of(1.1, 1, 1).verdict is Verdict.WRONG


def test_of__no_number__raises() -> None:
    with pytest.raises(ValueError, match="not a number"):
        Judged.of(float("nan"), 1, 3)


@pytest.mark.parametrize(
    ("count", "doubts", "verdict"),
    [
        (1, [0.5], Verdict.GOOD),
        (1, [0.51], Verdict.DOUBTFUL),
        (63, [0.1, 0.1], Verdict.DOUBTFUL),
        (64, [0.1, 0.1], Verdict.GOOD),
        (256, [0.5] * 8, Verdict.GOOD),
        (256, [0.1] * 9, Verdict.DOUBTFUL),
        (256, [0.1, 0.6], Verdict.DOUBTFUL),
        (0, [], Verdict.GOOD),
    ],
)
def test_judge_batch__doubtful_leaves__few_and_near_to_good(
    count: int, doubts: list[float], verdict: Verdict
) -> None:
    found = [doubtful(way) for way in doubts] + [GOOD] * (count - len(doubts))
    assert judge_batch(found) is verdict


@given(st.lists(leaves), st.integers(0, 300))
def test_judge_batch__one_wrong_leaf__is_wrong_whatever_the_others(
    found: list[Judged], place: int
) -> None:
    wrong = Judged(Verdict.WRONG, 1.1)
    assert judge_batch([*found[:place], wrong, *found[place:]]) is Verdict.WRONG
    assert judge_batch(found) is not Verdict.WRONG


@given(st.lists(leaves, min_size=1))
def test_worst__parts__is_one_of_them_and_none_is_worse(found: list[Judged]) -> None:
    assert worst(found) in found
    assert worst(found).way == max(one.way for one in found)
