"""Self-test of LLM-I8: a small model's logits, whose hash is known."""

import numpy as np

from tallystick.llm.engine.errors import SelfTestError
from tallystick.llm.integer.model import IntegerModel, Layer, Matrix, Shape
from tallystick.llm.integer.transformer import TextState, Transformer
from tallystick.protocol.keccak import keccak256

GOLDEN = "62014ba34737f8309f3618e763bbd46595019abcb5f433b6fcfd557324a36054"
"""keccak256 of the logits of `small_model` after (7 j + 3) mod 61, j < 48, int64 little-endian."""
_SHAPE = Shape(
    vocabulary=61, context=64, layers=2, width=48, hidden=1536, heads=6, groups=2, head=8,
    epsilon=42_950,
)  # fmt: skip
_IDS = 48


def self_test() -> None:
    """Refuse a machine whose libraries add up otherwise: by prefill, and token by token.

    Raises:
        SelfTestError: logits are not those of LLM-I8.
    """
    transformer = Transformer(small_model())
    found = {
        "prefill": logits_hash(transformer, _IDS, step=_IDS),
        "decoding": logits_hash(transformer, _IDS, step=1),
    }
    for way, one in found.items():
        if one.hex() != GOLDEN:
            raise SelfTestError(
                f"integers by {way}: the self-test's logits hash to {one.hex()}, not to {GOLDEN}; "
                "this engine must not answer"
            )


def logits_hash(transformer: Transformer, ids: int, step: int) -> bytes:
    """Return keccak256 of a model's logits after (7 j + 3) mod vocabulary, j below `ids`.

    Args:
        transformer: the model.
        ids: of the text, 1 or more.
        step: ids that are computed together.
    """
    size = transformer.model.shape.vocabulary
    text = [(7 * j + 3) % size for j in range(ids)]
    state, hashed = TextState(transformer.model, ids), bytearray()
    for begin in range(0, ids, step):
        part = text[begin : begin + step]
        logits = transformer.run([(state, part)], np.ones(len(part), bool))
        hashed += logits.astype("<i8").tobytes()
    return keccak256(hashed)


def small_model(shape: Shape = _SHAPE) -> IntegerModel:
    """Return a model whose numbers come from a small generator, the same for ever.

    Its extremes are those of the arithmetic: weights of +-127 in whole rows, a row without a scale.
    """
    numbers = _Numbers()
    asked, held = shape.heads * shape.head, shape.groups * shape.head
    layers = tuple(
        Layer(
            numbers.norm(shape.width),
            numbers.matrix(asked, shape.width),
            numbers.matrix(held, shape.width),
            numbers.matrix(held, shape.width),
            numbers.matrix(shape.width, asked),
            numbers.norm(shape.width),
            numbers.matrix(shape.hidden, shape.width),
            numbers.matrix(shape.hidden, shape.width),
            numbers.matrix(shape.width, shape.hidden),
        )
        for _ in range(shape.layers)
    )
    embedding = numbers.wide_matrix(shape.vocabulary, shape.width)
    angles = numbers.take(shape.context * shape.head // 2).reshape(shape.context, shape.head // 2)
    turns = np.stack([angles >> 2, (1 << 30) - (angles >> 2)], axis=1)
    return IntegerModel(
        shape, embedding, layers, numbers.norm(shape.width), embedding, turns.astype(np.int32)
    )


class _Numbers:
    """x' = (1664525 x + 1013904223) mod 2^32, from 1; of Numerical Recipes."""

    def __init__(self) -> None:
        self._last = 1

    def take(self, count: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        found = np.empty(count, np.int64)
        last = self._last
        for place in range(count):
            last = (1_664_525 * last + 1_013_904_223) & 0xFFFFFFFF
            found[place] = last
        self._last = last
        return found

    def matrix(self, rows: int, columns: int) -> Matrix:
        weights = (self.take(rows * columns) >> 16).reshape(rows, columns) % 255 - 127
        weights[0], weights[1] = 127, -127
        mantissas = (self.take(rows) >> 9) | (1 << 23)
        mantissas[2] = 0
        return Matrix(weights.astype(np.int8), mantissas.astype(np.int32), -33)

    def wide_matrix(self, rows: int, columns: int) -> Matrix:
        weights = (self.take(rows * columns) >> 8).reshape(rows, columns) % 65_535 - 32_767
        weights[0], weights[1] = 32_767, -32_767
        mantissas = self.take(rows) >> 16
        return Matrix(weights.astype(np.int16), mantissas.astype(np.int32), -33)

    def norm(self, width: int) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
        return ((self.take(width) >> 14) - (1 << 16)).astype(np.int32)
