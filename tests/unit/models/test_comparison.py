"""Verdicts by a spec: noise is good, a tie convicts nobody, and what is no answer is wrong."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.models.comparison import Comparison
from tallystick.models.graph import Graph
from tallystick.models.maps import MapsSpec
from tallystick.models.spec import OnnxSpec, SpecError
from tallystick.models.tensors import STRING, TensorSpec, encode
from tallystick.protocol.verdicts import Judged, Verdict

F4, F2, F8, I8, I1 = (np.dtype(one) for one in ("<f4", "<f2", "<f8", "<i8", "<i1"))
NAN, INF = float("nan"), float("inf")
GOOD, DOUBTFUL, WRONG = Verdict
BIG = float(np.finfo(np.float32).max)


def tensor(name: str, dtype: np.dtype[Any], *shape: int | str) -> TensorSpec:
    return TensorSpec(name, dtype, shape, 0)


ROW = (tensor("y", F4, 1, 4),)
ODDS = MapsSpec("odds", I8, F4)


def packed(outputs: Sequence[Any], values: list[Any]) -> bytes:
    """Canonical bytes of numbers as they are nearest in the outputs' types."""
    return encode(
        outputs,
        [
            np.array(value, spec.dtype)
            if isinstance(spec, TensorSpec)
            else [{key: spec.value.type(number) for key, number in one.items()} for one in value]
            for spec, value in zip(outputs, values, strict=True)
        ],
    )


def judged(outputs: Sequence[Any], lines: str, claimed: list[Any], own: list[Any]) -> Judged:
    head = "tallystick ONNX-1\ncomparison tolerance\n"
    text = "".join(f"output {place} {one}\n" for place, one in enumerate(lines.split("; ")))
    graph = Graph((tensor("x", F4, 1, "n"),), tuple(outputs))
    comparison = Comparison(graph, OnnxSpec.parse((head + text).encode()))
    return comparison.judge(packed(outputs, claimed), packed(outputs, own))


def of_row(lines: str, claimed: list[float], own: list[float]) -> Verdict:
    return judged(ROW, lines, [[claimed]], [[own]]).verdict


@pytest.mark.parametrize(
    ("claimed", "own", "verdict"),
    [
        ([1, 2, 3, 4], [1, 2, 3, 4], GOOD),
        ([1, 2, 3, 4.004], [1, 2, 3, 4], GOOD),
        ([1, 2, 3, 4.012], [1, 2, 3, 4], DOUBTFUL),
        ([1, 2, 3, 4.1], [1, 2, 3, 4], WRONG),
        ([-0.0, 0, 0, 0], [0, 0, 0, 0], GOOD),
        ([NAN, 0, 0, 0], [NAN, 0, 0, 0], GOOD),
        ([INF, -INF, 0, 0], [INF, -INF, 0, 0], GOOD),
        ([NAN, 0, 0, 0], [1, 0, 0, 0], WRONG),
        ([INF, 0, 0, 0], [1, 0, 0, 0], WRONG),
        ([INF, 0, 0, 0], [BIG, 0, 0, 0], GOOD),
        ([BIG, 0, 0, 0], [INF, 0, 0, 0], DOUBTFUL),
        ([1, 0, 0, 0], [NAN, 0, 0, 0], DOUBTFUL),
        ([1, 9, 0, 0], [NAN, 0, 0, 0], WRONG),
        ([BIG, 0, 0, 0], [-BIG, 0, 0, 0], WRONG),
    ],
)
def test_judge__allclose__three_verdicts_and_numbers_that_are_not_finite(
    claimed: list[float], own: list[float], verdict: Verdict
) -> None:
    assert of_row("allclose 0.001 0.00001 1 4", claimed, own) is verdict


@pytest.mark.parametrize(
    ("claimed", "own", "verdict"),
    [
        ([0, 0, 9, 0], [1, 2, 3, 0], GOOD),
        ([0, 3, 2, 0], [0, 2, 2, 0], GOOD),
        ([1, 2, 2, 0], [1, 2, 2.2, 0], GOOD),
        ([0, 3, 2, 0], [0, 2, 2.05, 0], GOOD),
        ([0, 3, 2, 0], [0, 2, 2.3, 0], DOUBTFUL),
        ([0, 3, 2, 0], [0, 2, 2.6, 0], WRONG),
        ([NAN, 3, 2, 0], [0, 3, 2, 0], WRONG),
        ([0, 3, 2, 0], [0, NAN, 2, 0], DOUBTFUL),
        ([0, 3, 2, 0], [0, 3, INF, 0], DOUBTFUL),
        ([0, INF, 2, 0], [0, INF, 2, 0], GOOD),
        ([INF, 3, 2, 0], [4, 3, 2, 0], GOOD),
        ([0, 3, -INF, -INF], [-INF, 3, 2, -INF], GOOD),
        ([3, 0, -INF, -INF], [-INF, 3, 2, -INF], WRONG),
    ],
)
def test_judge__argmax__ties_convict_nobody(
    claimed: list[float], own: list[float], verdict: Verdict
) -> None:
    assert of_row("argmax 0.1 0.5", claimed, own) is verdict


@pytest.mark.parametrize(
    ("claimed", "own", "verdict"),
    [
        ([4, 3, 2, 1], [3, 4, 2, 1], GOOD),
        ([4, 2, 3, 1], [4, 3, 3, 1], GOOD),
        ([4, 1, 3, 1], [4, 3, 2.95, 1], GOOD),
        ([4, 1, 3, 1], [4, 3, 2.7, 1], DOUBTFUL),
        ([4, 1, 1, 3], [4, 3, 2, 1], WRONG),
        ([2, 2, 2, 2], [4, 3, 2, 1], GOOD),
        ([1, 2, 0, 0], [1, -INF, -INF, -INF], GOOD),
    ],
)
def test_judge__topk__is_of_the_set(
    claimed: list[float], own: list[float], verdict: Verdict
) -> None:
    assert of_row("topk 2 0.1 0.5", claimed, own) is verdict


@pytest.mark.parametrize(
    ("claimed", "own", "verdict"),
    [
        ([[7], [{5: 0.3, 7: 0.7}]], [[7], [{5: 0.3, 7: 0.7}]], GOOD),
        ([[5], [{5: 0.5, 7: 0.5}]], [[7], [{5: 0.5, 7: 0.5}]], GOOD),
        ([[5], [{5: 0.5, 7: 0.5}]], [[7], [{5: 0.4, 7: 0.6}]], WRONG),
        ([[5], [{5: 0.49, 7: 0.51}]], [[7], [{5: 0.49, 7: 0.51}]], DOUBTFUL),
        ([[6], [{5: 0.5, 7: 0.5}]], [[7], [{5: 0.5, 7: 0.5}]], WRONG),
        ([[7], [{5: 0.3, 8: 0.7}]], [[7], [{5: 0.3, 7: 0.7}]], WRONG),
        ([[7], []], [[7], [{5: 0.3, 7: 0.7}]], WRONG),
        ([[5], [{5: NAN, 7: NAN}]], [[7], [{5: NAN, 7: NAN}]], DOUBTFUL),
    ],
)
def test_judge__label_and_its_odds__by_the_scores_of_both(
    claimed: list[Any], own: list[Any], verdict: Verdict
) -> None:
    outputs = (tensor("label", I8, 1), ODDS)
    found = judged(outputs, "label 1 0.001 0.05; allclose 0 0.001 1 2", claimed, own)
    assert found.verdict is verdict


def test_judge__label_as_text__classes_are_the_graphs_own() -> None:
    outputs = (tensor("label", STRING, 1), tensor("odds", F4, 1, 2))
    text = b"tallystick ONNX-1\ncomparison tolerance\noutput 0 label 1 0.01 0.1\noutput 1 same\n"
    graph = Graph((tensor("x", F4, 1),), outputs, ("cat", "dog"))
    comparison, odds = Comparison(graph, OnnxSpec.parse(text)), [[0.499, 0.501]]
    own = packed(outputs, [["dog"], odds])

    assert comparison.judge(packed(outputs, [["cat"], odds]), own).verdict is GOOD
    assert comparison.judge(packed(outputs, [["cow"], odds]), own).verdict is WRONG
    with pytest.raises(SpecError, match="names no classes"):
        Comparison(Graph((), outputs), OnnxSpec.parse(text))


def test_judge__same__a_different_one_is_doubtful() -> None:
    outputs = (tensor("words", STRING, 2), tensor("y", F4, 1))
    assert judged(outputs, "same; same", [["a", "b"], [-0.0]], [["a", "b"], [0.0]]).verdict is GOOD
    assert judged(outputs, "same; same", [["a", "c"], [0.0]], [["a", "b"], [0.0]]).verdict is (
        DOUBTFUL
    )


@pytest.mark.parametrize(
    ("size", "claimed", "own", "verdict"),
    [
        # Boxes that were found: one near the threshold may be there on another machine.
        ("boxes", [[1.0, 2.0]], [[1.0]], DOUBTFUL),
        ("boxes", [[]], [[1.0]], DOUBTFUL),
        ("boxes", [[1.0]], [[]], DOUBTFUL),
        ("boxes", [[]], [[]], GOOD),
        # As long as the input.
        ("n", [[1.0, 2.0]], [[1.0]], WRONG),
    ],
)
def test_judge__another_size__is_wrong_only_where_the_input_has_it(
    size: str, claimed: list[Any], own: list[Any], verdict: Verdict
) -> None:
    outputs = (tensor("y", F4, 1, size),)
    assert judged(outputs, "allclose 0 1 1 2", [claimed], [own]).verdict is verdict
    assert judged(outputs, "argmax 1 2", [claimed], [own]).verdict is verdict


@pytest.mark.parametrize(
    "claimed",
    [b"", b"\0" * 15, b"\0" * 17, b"\0" * 12, b"\0\0\0\0" + b"\xff" * 4 + b"\0" * 4],
)
def test_judge__no_output__is_wrong(claimed: bytes) -> None:
    graph = Graph((), (tensor("y", F4, "a", "b"),))
    text = b"tallystick ONNX-1\ncomparison tolerance\noutput 0 same\n"
    own = encode(graph.outputs, [[[1.0, 2.0]]])

    found = Comparison(graph, OnnxSpec.parse(text)).judge(claimed, own)

    empty = claimed[:4] == b"\0" * 4 and len(claimed) == 8
    assert found.verdict is (DOUBTFUL if empty else WRONG)


def test_judge__exact__bytes_decide() -> None:
    comparison = Comparison(Graph((), ROW), OnnxSpec())
    assert comparison.judge(b"\1" * 16, b"\1" * 16).verdict is GOOD
    assert comparison.judge(b"\0" * 16, b"\0" * 12 + b"\0\0\0\x80").verdict is WRONG


@pytest.mark.parametrize(
    ("outputs", "lines", "reason"),
    [
        (ROW, "same; same", "2 outputs; needed: 1"),
        (ROW, "topk 4 0 1", "every answer has the greatest 4 of 4"),
        ((tensor("y", F4),), "argmax 0 1", "of 1; needed: a longer axis"),
        ((tensor("y", STRING, 2),), "argmax 0 1", "needed for texts"),
        ((tensor("y", F4, 1), ODDS), "label 1 0 1; same", "a whole number or a text"),
        ((tensor("y", I8, 1), tensor("t", STRING, 2)), "label 1 0 1; same", "has no scores"),
    ],
)
def test_comparison__spec_of_another_graph__is_refused(
    outputs: Sequence[Any], lines: str, reason: str
) -> None:
    with pytest.raises(SpecError, match=reason):
        judged(outputs, lines, [], [])


floats = st.floats(width=32, allow_nan=True, allow_infinity=True)
rows = st.lists(floats, min_size=4, max_size=4)
RULES = ["allclose 0.001 0.00001 1 4", "argmax 0.1 0.5", "topk 2 0.1 0.5", "same"]


@given(rows, st.sampled_from(RULES))
def test_judge__an_answer_beside_itself__is_good(row: list[float], lines: str) -> None:
    assert of_row(lines, row, list(row)) is GOOD


@given(rows, rows, st.sampled_from(RULES))
def test_judge__any_numbers__have_a_verdict_and_a_reason(
    claimed: list[float], own: list[float], lines: str
) -> None:
    found = judged(ROW, lines, [[claimed]], [[own]])
    assert (found.verdict is GOOD) == (found.reason == "")
    assert found.way >= 0
    if not np.isfinite(np.array(own, np.float32)).any():
        assert found.verdict is not WRONG or lines.startswith(("argmax", "topk"))


@given(st.lists(st.floats(-9, 9, width=32), min_size=4, max_size=4), st.integers(0, 3), st.data())
def test_judge__numbers_that_moved_by_less_than_half_of_good__are_good(
    own: list[float], place: int, data: st.DataObject
) -> None:
    moves = st.lists(st.floats(-0.049, 0.049), min_size=4, max_size=4)
    claimed = [value + move for value, move in zip(own, data.draw(moves), strict=True)]
    assert of_row("argmax 0.1 0.5", claimed, own) is GOOD
    assert of_row("topk 2 0.1 0.5", claimed, own) is GOOD
    assert of_row("allclose 0 0.05 1 2", claimed, own) is GOOD


@given(rows, st.permutations(range(4)))
def test_judge__all_claimed_equal__a_tie_is_good(row: list[float], order: list[int]) -> None:
    # Whoever says that all places are equal has named the greatest among them.
    own = [value if np.isfinite(value) else 0.0 for value in row]
    assert of_row("argmax 0 0", [1.0] * 4, own) is GOOD


@pytest.mark.parametrize("dtype", [F2, F8, I8, I1, np.dtype("?")])
def test_judge__types__are_compared_as_numbers(dtype: np.dtype[Any]) -> None:
    outputs = (tensor("y", dtype, 3),)
    low, high = ([0, 0, 1], [0, 1, 0])
    assert judged(outputs, "allclose 0 0.5 1 1", [low], [low]).verdict is GOOD
    assert judged(outputs, "allclose 0 0.5 1 1", [low], [high]).verdict is WRONG
    assert judged(outputs, "argmax 0.5 0.75", [low], [high]).verdict is WRONG
