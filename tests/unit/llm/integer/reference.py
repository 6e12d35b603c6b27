"""LLM-I8 as docs/llm-integer.md says it, number by number, in Python's integers alone."""

from fractions import Fraction
from math import isqrt

from tallystick.llm.integer.model import IntegerModel, Matrix

LIMIT = (1 << 31) - 1
Row = list[int]


def nearest(value: Fraction) -> int:
    """Halves to even."""
    return round(value)


def clamp(value: int, limit: int) -> int:
    return max(-limit, min(limit, value))


def scaled(value: int, exponent: int, limit: int) -> int:
    return clamp(nearest(Fraction(value) * Fraction(2) ** exponent), limit)


def divided(value: int, by: int) -> int:
    """To the nearest, ties upwards."""
    return (2 * value + by) // (2 * by)


def normalized(row: Row, exponent: int, width: int) -> tuple[Row, int]:
    bits = max(abs(one) for one in row).bit_length()
    if not bits:
        return row, 0
    shift = bits - width
    return [scaled(one, -shift, (1 << width) - 1) for one in row], exponent + shift


def power_of_half(value: int, bits: int) -> int:
    whole = min(value >> 16, bits + 2)
    upper = round(2**30 * 2 ** (-((value >> 8) & 255) / 256))
    lower = round(2**30 * 2 ** (-(value & 255) / 65_536))
    return nearest(Fraction(upper * lower, 1 << (60 - bits + whole)))


def silu(value: int) -> int:
    power = power_of_half(nearest(Fraction(abs(value) * 94_548, 1 << 16)), 24)
    share = power if value < 0 else 1 << 24
    return nearest(Fraction(value * divided(share << 24, (1 << 24) + power), 1 << 24))


def product(matrix: Matrix, row: Row, exponent: int, fraction: int = 16, limit: int = LIMIT) -> Row:
    found = []
    for weights, mantissa in zip(matrix.weights.tolist(), matrix.mantissas.tolist(), strict=True):
        exact = sum(a * b for a, b in zip(row, weights, strict=True)) * mantissa
        found.append(scaled(exact, exponent + matrix.exponent + fraction, limit))
    return found


def norm(row: Row, weights: Row, epsilon: int) -> Row:
    wide, exponent = normalized(row, -16, 23)
    squares = sum(one * one for one in wide) // len(row)
    least = scaled(epsilon, -20 - 2 * exponent, 1 << 59)
    mean = max(isqrt((squares << 12) + least), 1)
    return [
        clamp(divided((one * of) << 6, mean), LIMIT) for one, of in zip(wide, weights, strict=True)
    ]


def rotated(head: Row, cosines: Row, sines: Row) -> Row:
    found = []
    for first, second, cosine, sine in zip(head[::2], head[1::2], cosines, sines, strict=True):
        pair = first * cosine - second * sine, second * cosine + first * sine
        found += [clamp(nearest(Fraction(one, 1 << 32)), 1 << 22) for one in pair]
    return found


def logits(model: IntegerModel, ids: Row) -> list[Row]:
    """Return the logits after each id."""
    return _Reference(model).run(ids)


class _Reference:
    def __init__(self, model: IntegerModel) -> None:
        self._model, self._shape = model, model.shape
        self._keys: list[list[list[Row]]] = [[] for _ in model.layers]
        self._values: list[list[list[Row]]] = [[] for _ in model.layers]

    def run(self, ids: Row) -> list[Row]:
        return [self._one(place, token) for place, token in enumerate(ids)]

    def _one(self, place: int, token: int) -> Row:
        model, shape = self._model, self._shape
        embedding = model.embedding
        mantissa = int(embedding.mantissas[token])
        residual = [
            scaled(one * mantissa, embedding.exponent + 16, LIMIT)
            for one in embedding.weights[token].tolist()
        ]
        for number, layer in enumerate(model.layers):
            given = normalized(
                norm(residual, layer.attention_norm.tolist(), shape.epsilon), -16, 15
            )
            turn = model.rotation[place].tolist()
            queries = [rotated(one, *turn) for one in self._heads(product(layer.query, *given))]
            self._keys[number].append(
                [rotated(one, *turn) for one in self._heads(product(layer.key, *given))]
            )
            self._values[number].append(
                self._heads(product(layer.value, *given, fraction=15, limit=1 << 22))
            )
            mixed = [
                one
                for head, query in enumerate(queries)
                for one in self._mixed(number, head // (shape.heads // shape.groups), query)
            ]
            added = product(layer.attention_output, *normalized(mixed, -15, 15))
            residual = self._sum(residual, added)
            given = normalized(
                norm(residual, layer.feed_forward_norm.tolist(), shape.epsilon), -16, 15
            )
            hidden = [
                silu(gate) * up
                for gate, up in zip(
                    product(layer.gate, *given), product(layer.up, *given), strict=True
                )
            ]
            residual = self._sum(residual, product(layer.down, *normalized(hidden, -32, 15)))
        last = norm(residual, model.norm.tolist(), shape.epsilon)
        return product(model.output, *normalized(last, -16, 15), fraction=20, limit=1 << 40)

    def _heads(self, row: Row) -> list[Row]:
        width = self._shape.head
        return [row[begin : begin + width] for begin in range(0, len(row), width)]

    def _mixed(self, number: int, group: int, query: Row) -> Row:
        factor = round((1 << 20) * 1.4426950408889634 / self._shape.head**0.5)
        scores = []
        for keys in self._keys[number]:
            fit = sum(a * b for a, b in zip(query, keys[group], strict=True))
            fit = nearest(Fraction(fit, 1 << 12)) * factor
            scores.append(nearest(Fraction(fit, 1 << 20)))
        shares = [power_of_half(max(scores) - one, 18) for one in scores]
        values = [one[group] for one in self._values[number]]
        return [
            divided(sum(share * one[place] for share, one in zip(shares, values, strict=True)),
                    sum(shares))
            for place in range(self._shape.head)
        ]  # fmt: skip

    @staticmethod
    def _sum(first: Row, second: Row) -> Row:
        return [clamp(a + b, LIMIT) for a, b in zip(first, second, strict=True)]
