"""The forward pass of LLM-I8: ids in, logits out, the same on every machine."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tallystick.llm.integer.arithmetic import (
    FRACTION,
    LIMIT,
    Integers,
    divide,
    normalize,
    power_of_half,
    root,
    round_shift,
    scale_by,
    silu,
)
from tallystick.llm.integer.dense import RESIDUAL, Dense, Fixed
from tallystick.llm.integer.model import IntegerModel, Layer, Matrix

LOGIT_FRACTION = 20
"""Bits behind the point of a logit: as many as LLM-1's sampler reckons with."""
_LOGITS = Fixed(LOGIT_FRACTION, 1 << 40)
_HEAD = Fixed(14, 1 << 22)
"""Of queries and keys after rotation: magnitudes up to 256."""
_VALUE = Fixed(15, 1 << 22)
"""Of values: magnitudes up to 128."""
_ATTENTION_INPUT = RESIDUAL, RESIDUAL, _VALUE
_NORM_WIDTH = 23
"""Bits of a magnitude in a norm: some elements are thousands of times the others."""
_SHARE = 18
"""Bits of a position's share, before it is divided by the sum of all."""


class TextState:
    """Keys and values of a text's positions so far.

    Args:
        model: whose they are.
        most: positions.
    """

    def __init__(self, model: IntegerModel, most: int) -> None:
        shape = model.shape
        size = (shape.layers, shape.groups, most, shape.head)
        # Doubles, which hold them exactly, are what they are multiplied as.
        self.keys, self.values = np.zeros(size), np.zeros(size)
        self.length = 0


class Transformer:
    """A model, ready to run."""

    def __init__(self, model: IntegerModel) -> None:
        self.model = model
        shape = model.shape
        self._layers = [_Layer(one) for one in model.layers]
        self._output = Dense(model.output)
        self._score = round((1 << 20) * 1.4426950408889634 / shape.head**0.5)

    def run(
        self, chunks: Sequence[tuple[TextState, Sequence[int]]], wanted: NDArray[np.bool_]
    ) -> Integers:
        """Add ids to texts, and return the logits after those that are wanted.

        Args:
            chunks: texts, each once, and the ids that follow what they have.
            wanted: of the ids, chunk after chunk, those whose logits are returned.

        Returns:
            Wanted ids x vocabulary, LOGIT_FRACTION bits behind the point.
        """
        ids = np.array([token for _, tokens in chunks for token in tokens])
        places = np.concatenate(
            [np.arange(text.length, text.length + len(tokens)) for text, tokens in chunks]
        )
        residual = _rows(self.model.embedding, ids)
        rotation = self.model.rotation[places].astype(np.int64)
        for number, layer in enumerate(self._layers):
            residual = self._attend(residual, layer, number, chunks, rotation)
            residual = _feed_forward(residual, layer, self.model.shape.epsilon)
        for text, tokens in chunks:
            text.length += len(tokens)
        if not wanted.any():
            return np.zeros((0, self.model.shape.vocabulary), np.int64)
        last = _norm(residual[wanted], self.model.norm, self.model.shape.epsilon)
        (logits,) = self._output.apply(*normalize(last, -FRACTION), (_LOGITS,))
        return logits

    def _attend(
        self,
        residual: Integers,
        layer: "_Layer",
        number: int,
        chunks: Sequence[tuple[TextState, Sequence[int]]],
        rotation: Integers,
    ) -> Integers:
        shape = self.model.shape
        normed = _norm(residual, layer.source.attention_norm, shape.epsilon)
        given = normalize(normed, -FRACTION)
        heads = len(residual), -1, shape.head
        asked, keyed, valued = layer.attention_input.apply(*given, _ATTENTION_INPUT)
        queries = _rotate(asked.reshape(heads), rotation)
        keys, values = _rotate(keyed.reshape(heads), rotation), valued.reshape(heads)
        found = np.empty((len(residual), shape.heads * shape.head), np.int64)
        begin = 0
        for text, tokens in chunks:
            rows = slice(begin, begin + len(tokens))
            begin = rows.stop
            held = slice(text.length, text.length + len(tokens))
            text.keys[number, :, held] = keys[rows].transpose(1, 0, 2)
            text.values[number, :, held] = values[rows].transpose(1, 0, 2)
            found[rows] = self._mix(queries[rows], text, number)
        (added,) = layer.attention_output.apply(*normalize(found, -_VALUE.fraction), (RESIDUAL,))
        return np.clip(residual + added, -LIMIT, LIMIT)

    def _mix(self, queries: Integers, text: TextState, number: int) -> Integers:
        """Return the values of a text's positions, each weighed by how its key fits the query."""
        shape, (rows, heads, width) = self.model.shape, queries.shape
        length = text.length + rows
        each = heads // shape.groups
        later = np.arange(length) > np.arange(text.length, length)[:, None]
        found = np.empty((rows, shape.groups, each, width), np.int64)
        for group in range(shape.groups):
            asked = queries[:, group * each : (group + 1) * each].reshape(-1, width)
            fit = asked.astype(np.float64) @ text.keys[number, group, :length].T
            scores = round_shift(fit.astype(np.int64), 12) * self._score
            scores = round_shift(scores, 20).reshape(rows, each, length)
            scores[np.broadcast_to(later[:, None], scores.shape)] = np.iinfo(np.int64).min // 2
            shares = power_of_half(scores.max(axis=2, keepdims=True) - scores, _SHARE)
            mixed = (
                shares.reshape(-1, length).astype(np.float64) @ text.values[number, group, :length]
            )
            total = shares.sum(axis=2)[..., None]
            found[:, group] = divide(mixed.astype(np.int64).reshape(rows, each, width), total)
        return found.reshape(rows, heads * width)


class _Layer:
    """A layer; matrices of the same input are one."""

    def __init__(self, source: Layer) -> None:
        self.source = source
        self.attention_input = Dense(source.query, source.key, source.value)
        self.attention_output = Dense(source.attention_output)
        self.hidden = Dense(source.gate, source.up)
        self.down = Dense(source.down)


def _feed_forward(residual: Integers, layer: _Layer, epsilon: int) -> Integers:
    normed = _norm(residual, layer.source.feed_forward_norm, epsilon)
    given = normalize(normed, -FRACTION)
    gate, up = layer.hidden.apply(*given, (RESIDUAL, RESIDUAL))
    (added,) = layer.down.apply(*normalize(silu(gate) * up, -2 * FRACTION), (RESIDUAL,))
    return np.clip(residual + added, -LIMIT, LIMIT)


def _rows(matrix: Matrix, rows: NDArray[np.int64]) -> Integers:
    """Return rows of a matrix as numbers, FRACTION bits behind the point."""
    exact = matrix.weights[rows].astype(np.int64) * matrix.mantissas[rows, None]
    return scale_by(exact, matrix.exponent + FRACTION)


def _norm(values: Integers, weights: NDArray[np.int32], epsilon: int) -> Integers:
    """Return rows divided by their root mean square, times the weights; FRACTION bits."""
    rows, exponents = normalize(values, -FRACTION, _NORM_WIDTH)
    squares = (rows * rows).sum(axis=1) // values.shape[1]
    least = scale_by(np.full(len(rows), epsilon, np.int64), -20 - 2 * exponents, 1 << 59)
    # 6 bits behind the point, hence 12 of the squares, of which epsilon has 32.
    mean = np.maximum(root((squares << 12) + least), 1)
    return np.clip(divide((rows * weights) << 6, mean[:, None]), -LIMIT, LIMIT)


def _rotate(heads: Integers, rotation: Integers) -> Integers:
    """Turn pairs of each head by its position's angles; 14 bits behind the point."""
    cosine, sine = rotation[:, None, 0], rotation[:, None, 1]
    first, second = heads[..., ::2], heads[..., 1::2]
    found = np.empty_like(heads)
    found[..., ::2] = first * cosine - second * sine
    found[..., 1::2] = second * cosine + first * sine
    shift = FRACTION + 30 - _HEAD.fraction
    return np.clip(round_shift(found, shift), -_HEAD.limit, _HEAD.limit)
