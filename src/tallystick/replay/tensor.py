"""Places of an ONNX tensor's elements among the bytes of a QI8-1 tensor."""

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """A quantized tensor on its way through the graph."""

    name: str
    """In the ONNX graph."""
    signed: bool
    """int8 in ONNX; else uint8."""
    shape: tuple[int, ...]
    """In ONNX, less the batch dimension: (k,) or (c, h, w)."""
    order: NDArray[np.int64]
    """(elements,): the byte at which each element lies, elements in ONNX's order."""
    stored: tuple[int, int, int]
    """Height, width, channels of the bytes."""

    @classmethod
    def image(cls, name: str, signed: bool, shape: tuple[int, ...]) -> "Tensor":
        """Return a tensor of (c, h, w) whose bytes are in the order h, w, c."""
        c, h, w = shape
        order = np.arange(prod(shape)).reshape(h, w, c).transpose(2, 0, 1).ravel()
        return cls(name, signed, shape, order, (h, w, c))

    @classmethod
    def flat(cls, name: str, signed: bool, shape: tuple[int, ...]) -> "Tensor":
        """Return a tensor of any shape whose bytes are in ONNX's own order."""
        size = prod(shape)
        return cls(name, signed, shape, np.arange(size), (1, 1, size))

    @property
    def in_order(self) -> bool:
        """True if the bytes are in ONNX's own order."""
        return bool((self.order == np.arange(self.order.size)).all())

    @property
    def dtype(self) -> type[np.signedinteger[Any] | np.unsignedinteger[Any]]:
        """numpy's type of the ONNX tensor."""
        return np.int8 if self.signed else np.uint8

    def to_stored(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """Return the bytes, (n, bytes), of ONNX's values, (n, *shape) int8 or uint8."""
        flat = values.reshape(len(values), -1).view(np.uint8)
        out = np.empty_like(flat)
        out[:, self.order] = flat ^ 0x80 if self.signed else flat
        return out

    def from_stored(self, stored: NDArray[np.uint8]) -> NDArray[Any]:
        """Return ONNX's values, (n, *shape) int8 or uint8, of bytes, (n, bytes)."""
        flat = stored[:, self.order]
        return (flat ^ 0x80 if self.signed else flat).view(self.dtype).reshape(-1, *self.shape)
