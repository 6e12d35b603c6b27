"""The forward pass beside a plain one of Python's integers, number for number.

logits      as the specification says, of models whose numbers are extreme or ordinary
together    the same whatever is computed at once: token by token, in chunks, texts side by side
products    exact at the largest magnitudes, of weights of 8 and of 16 bits
golden      the self-test's hash; a kernel that saturates is noticed
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.llm.engine.errors import SelfTestError
from tallystick.llm.integer import dense, self_test
from tallystick.llm.integer.dense import RESIDUAL, Dense, Fixed
from tallystick.llm.integer.model import IntegerModel, Layer, Matrix, Shape
from tallystick.llm.integer.quantize import quantize
from tallystick.llm.integer.self_test import small_model
from tallystick.llm.integer.transformer import TextState, Transformer
from tests.unit.llm.integer import reference

SMALL = Shape(
    vocabulary=11, context=16, layers=2, width=12, hidden=20, heads=4, groups=2, head=6,
    epsilon=42_950,
)  # fmt: skip
IDS = [3, 1, 4, 1, 5, 9, 2, 6]
EXACT = Fixed(0, 1 << 62)


def ordinary(seed: int) -> IntegerModel:
    """A model as imports make them, of random weights."""
    random = np.random.default_rng(seed)

    def matrix(rows: int, columns: int, bits: int = 8) -> Matrix:
        values = random.normal(0, 1 / columns**0.5, (rows, columns)).astype(np.float32)
        return quantize(values, bits)  # type: ignore[arg-type]

    def norm() -> np.ndarray:  # type: ignore[type-arg]
        return np.rint(random.normal(1, 0.2, SMALL.width) * 65_536).astype(np.int32)

    asked, held = SMALL.heads * SMALL.head, SMALL.groups * SMALL.head
    layers = tuple(
        Layer(
            norm(), matrix(asked, SMALL.width), matrix(held, SMALL.width),
            matrix(held, SMALL.width), matrix(SMALL.width, asked), norm(),
            matrix(SMALL.hidden, SMALL.width), matrix(SMALL.hidden, SMALL.width),
            matrix(SMALL.width, SMALL.hidden),
        )
        for _ in range(SMALL.layers)
    )  # fmt: skip
    angles = np.arange(SMALL.context)[:, None] * 0.3 ** np.arange(SMALL.head // 2)
    turns = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    rotation = np.rint(turns * (1 << 30)).astype(np.int32)
    embedding = matrix(SMALL.vocabulary, SMALL.width, 16)
    return IntegerModel(SMALL, embedding, layers, norm(), embedding, rotation)


def run(model: IntegerModel, ids: list[int], step: int) -> list[list[int]]:
    transformer, text = Transformer(model), TextState(model, len(ids))
    found: list[list[int]] = []
    for begin in range(0, len(ids), step):
        part = ids[begin : begin + step]
        found += transformer.run([(text, part)], np.ones(len(part), bool)).tolist()
    return found


@pytest.mark.parametrize("model", [ordinary(1), ordinary(2), small_model(SMALL)])
def test_run__any_model__logits_of_the_specification(model: IntegerModel) -> None:
    assert run(model, IDS, step=3) == reference.logits(model, IDS)


@settings(max_examples=20)
@given(st.lists(st.integers(0, SMALL.vocabulary - 1), min_size=1, max_size=8), st.integers(1, 8))
def test_run__any_chunks__the_same_logits(ids: list[int], step: int) -> None:
    model = ordinary(3)

    assert run(model, ids, step) == run(model, ids, len(ids))


def test_run__texts_side_by_side__each_as_if_alone() -> None:
    model = ordinary(4)
    transformer = Transformer(model)
    first, second = TextState(model, 8), TextState(model, 8)
    transformer.run([(first, IDS[:2])], np.zeros(2, bool))

    found = transformer.run(
        [(first, IDS[2:5]), (second, IDS[:2])], np.array([False, False, True, True, True])
    )

    assert found.tolist() == [
        run(model, IDS[:5], 5)[-1],
        *run(model, IDS[:2], 2),
    ]


@pytest.mark.parametrize("kind", [np.int8, np.int16])
@pytest.mark.parametrize("columns", [3, 32_768])
def test_dense__largest_magnitudes__exact(kind: type, columns: int) -> None:
    most = np.iinfo(kind).max
    weights = np.full((4, columns), most, kind)
    weights[1], weights[2, ::2] = -most, -most
    rows = np.full((3, columns), 32_767, np.int64)
    rows[1], rows[2, ::3] = -32_767, -32_767
    matrix = Matrix(weights, np.ones(4, np.int32), 0)

    (found,) = Dense(matrix).apply(rows, np.zeros(3, np.int64), (EXACT,))

    assert (found == rows @ weights.astype(np.int64).T).all()


def test_dense__several__each_in_its_form() -> None:
    matrices = [ordinary(5).layers[0].query, ordinary(6).layers[0].gate]
    rows, exponents = np.arange(24).reshape(2, 12), np.array([-12, -9])
    forms = (RESIDUAL, Fixed(3, 9))

    found = Dense(*matrices).apply(rows, exponents, forms)

    for part, matrix, form in zip(found, matrices, forms, strict=True):
        for row, exponent, told in zip(rows.tolist(), exponents.tolist(), part, strict=True):
            assert told.tolist() == reference.product(matrix, row, exponent, *form)


@pytest.mark.parametrize("bits", [8, 16])
def test_quantize__any__nearest_multiples_of_each_rows_step(bits: int) -> None:
    values = np.random.default_rng(1).normal(0, [[1e-9], [3.0], [0.02], [0.0]], (4, 50))

    found = quantize(values.astype(np.float32), bits)  # type: ignore[arg-type]

    steps = found.mantissas * 2.0**found.exponent
    assert np.abs(found.weights * steps[:, None] - values)[1:].max() <= steps[1:].max() * 0.51
    assert np.abs(found.weights[1]).max() == (1 << (bits - 1)) - 1
    assert not found.weights[3].any()


def test_self_test__kernel_that_saturates__refused(monkeypatch: pytest.MonkeyPatch) -> None:
    self_test.self_test()
    built = dense._session

    class Saturating:
        def __init__(self, weights: np.ndarray) -> None:  # type: ignore[type-arg]
            self._session = built(weights)

        def run(self, *asked: object) -> list[np.ndarray]:  # type: ignore[type-arg]
            (sums,) = self._session.run(*asked)
            # What sums of two products of mixed signs come to in 16 bits.
            return [np.clip(sums, -(1 << 20), 1 << 20)]

    monkeypatch.setattr(dense, "_session", Saturating)

    with pytest.raises(SelfTestError, match="must not answer"):
        self_test.self_test()
