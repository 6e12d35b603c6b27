"""Models of LLM-I8: shapes, and tensors of integers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tallystick.errors import FieldError


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of a transformer of the llama architecture."""

    vocabulary: int
    """Tokens."""
    context: int
    """Positions that it has rotations for."""
    layers: int
    width: int
    """Of the residual stream."""
    hidden: int
    """Of the feed-forward part."""
    heads: int
    groups: int
    """Heads of keys and values; each serves heads / groups of the queries'."""
    head: int
    """Width of a head, even."""
    epsilon: int
    """Of the norms, 32 bits behind the point."""

    def __post_init__(self) -> None:
        bounds = {
            "vocabulary": 1 << 20, "context": 8192, "layers": 1024, "width": 28_672,
            "hidden": 32_768, "heads": 256, "groups": 256, "head": 256, "epsilon": 1 << 32,
        }  # fmt: skip
        for name, most in bounds.items():
            value = getattr(self, name)
            if not 1 <= value <= most:
                raise FieldError(name, value, f"from 1 to {most}")
        if self.head % 2:
            raise FieldError("head", self.head, "an even number")
        if self.heads % self.groups:
            raise FieldError("heads", self.heads, f"a multiple of groups, {self.groups}")


@dataclass(frozen=True, slots=True)
class Matrix:
    """Rows of weights; row o stands for weights[o] * mantissas[o] * 2^exponent.

    Weights and mantissas have 32 bits together, so that no product with a row leaves 62 bits.
    """

    weights: NDArray[np.int8] | NDArray[np.int16]
    """Rows x columns, -127 to 127, or of 16 bits -32,767 to 32,767."""
    mantissas: NDArray[np.int32]
    """A number a row: 0 to 2^24 - 1, of weights of 16 bits 0 to 2^16 - 1."""
    exponent: int
    """-126 to 64."""

    def __post_init__(self) -> None:
        rows, bits = (self.weights.shape[0],), 8 * self.weights.itemsize
        if self.mantissas.shape != rows:
            raise FieldError("mantissas of a matrix", self.mantissas.shape, f"one a row: {rows}")
        least = 1 - (1 << (bits - 1))
        if self.weights.min(initial=0) < least:
            raise FieldError("weight", least - 1, f"from {least} to {-least}")
        most = 1 << (32 - bits)
        if self.mantissas.min(initial=0) < 0 or self.mantissas.max(initial=0) >= most:
            raise FieldError("mantissa", "another number", f"from 0 to {most - 1}")
        if not -126 <= self.exponent <= 64:
            raise FieldError("exponent", self.exponent, "from -126 to 64")


@dataclass(frozen=True, slots=True)
class Layer:
    """Tensors of a layer; norms are int32 with 16 bits behind the point."""

    attention_norm: NDArray[np.int32]
    query: Matrix
    key: Matrix
    value: Matrix
    attention_output: Matrix
    feed_forward_norm: NDArray[np.int32]
    gate: Matrix
    up: Matrix
    down: Matrix


@dataclass(frozen=True, slots=True)
class IntegerModel:
    """A model; see docs/llm-integer.md."""

    shape: Shape
    embedding: Matrix
    """vocabulary x width, of 16 bits: what is lost here is lost twice."""
    layers: tuple[Layer, ...]
    norm: NDArray[np.int32]
    output: Matrix
    """vocabulary x width, of 16 bits; may be the embedding itself."""
    rotation: NDArray[np.int32]
    """context x 2 x (head / 2): cosines, then sines, 30 bits behind the point."""
