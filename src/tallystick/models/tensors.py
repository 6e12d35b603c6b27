"""Named tensors as canonical bytes: one encoding for each value (docs/models.md)."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tallystick.errors import InputRefusedError, RunnerError

STRING = np.dtype(object)
_LENGTH = 4
"""Bytes of a free dimension's size, and of a string's length."""


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One tensor that a model takes or gives.

    >>> TensorSpec("x", np.dtype("<f4"), (1, 2)).encode(np.array([[1, 2]])).hex()
    '0000803f00000040'
    """

    name: str
    dtype: np.dtype[Any]
    """Little-endian; STRING: of text."""
    shape: tuple[int | str, ...]
    """Sizes; a name where the size is free, which an encoding then begins with."""
    least: int = 1
    """Least value of a free size: 0 of what may be empty."""

    def __str__(self) -> str:
        kind = "string" if self.dtype == STRING else self.dtype.name
        return f"{self.name}, {kind} ({', '.join(map(str, self.shape))})"

    @property
    def free(self) -> list[int]:
        """Axes whose size is free."""
        return [axis for axis, size in enumerate(self.shape) if isinstance(size, str)]

    @property
    def size(self) -> int | None:
        """Bytes of every encoding; None where they differ."""
        if self.free or self.dtype == STRING:
            return None
        return self.dtype.itemsize * prod(size for size in self.shape if isinstance(size, int))

    def encode(self, value: Any) -> bytes:
        """Return a tensor's canonical bytes.

        Args:
            value: array, or what numpy makes one of, of this shape.

        Raises:
            RunnerError: it has another shape, or elements that the type does not hold exactly.
        """
        given = np.asarray(value)
        fits = given.ndim == len(self.shape) and all(
            isinstance(size, str) or size == found
            for size, found in zip(self.shape, given.shape, strict=True)
        )
        if not fits:
            raise RunnerError(f"the tensor has the shape {given.shape}; needed: {self}")
        head = b"".join(_length(given.shape[axis]) for axis in self.free)
        if self.dtype == STRING:
            return head + b"".join(_text(one) for one in given.ravel().tolist())
        exact = given.astype(self.dtype)
        if not np.array_equal(exact, given, equal_nan=self.dtype.kind == "f"):
            raise RunnerError(f"the tensor has elements that are no {self.dtype.name}: {self}")
        return head + np.ascontiguousarray(exact).tobytes()

    def decode(self, data: bytes, start: int = 0) -> tuple[NDArray[Any], int]:
        """Return the tensor that begins at a place, and where it ends.

        Args:
            data: canonical bytes, of this tensor and maybe others.
            start: in bytes.

        Raises:
            InputRefusedError: it is cut off, a free size is zero, or text is no UTF-8.
        """
        sizes, place = list(self.shape), start
        for axis in self.free:
            sizes[axis], place = self._number(data, place)
            if int(sizes[axis]) < self.least:
                raise InputRefusedError(f"{self}: size {self.shape[axis]} is 0; needed: above it")
        shape = [int(size) for size in sizes]
        count = prod(shape)
        if self.dtype == STRING:
            return self._texts(data, place, count, shape)
        end = place + count * self.dtype.itemsize
        if end > len(data):
            raise InputRefusedError(
                f"{self}: {len(data) - place} bytes are left; needed: {end - place}, of the shape "
                f"{tuple(shape)}"
            )
        if not count:
            return self._empty(shape), place
        return np.frombuffer(data, self.dtype, count, place).reshape(shape), end

    def _texts(
        self, data: bytes, place: int, count: int, shape: list[int]
    ) -> tuple[NDArray[Any], int]:
        if count * _LENGTH > len(data) - place:
            raise InputRefusedError(f"{self}: cut off; needed: {count} texts")
        if not count:
            return self._empty(shape), place
        found = []
        for _ in range(count):
            size, place = self._number(data, place)
            text = data[place : place + size]
            if len(text) < size:
                raise InputRefusedError(f"{self}: text is cut off; needed: {size} bytes")
            try:
                found.append(text.decode())
            except UnicodeDecodeError as error:
                raise InputRefusedError(f"{self}: text is no UTF-8: {error}") from error
            place += size
        return np.array(found, STRING).reshape(shape), place

    def _empty(self, shape: list[int]) -> NDArray[Any]:
        try:
            return np.empty(shape, self.dtype)
        except ValueError as error:
            raise InputRefusedError(f"{self}: no tensor has the shape {tuple(shape)}") from error

    def _number(self, data: bytes, place: int) -> tuple[int, int]:
        end = place + _LENGTH
        if end > len(data):
            raise InputRefusedError(f"{self}: cut off at byte {len(data)}; needed: {end}")
        return int.from_bytes(data[place:end], "little"), end


class Codec(Protocol):
    """A part of an input or output, with canonical bytes of its own: see TensorSpec."""

    def encode(self, value: Any) -> bytes: ...

    def decode(self, data: bytes, start: int = 0) -> tuple[Any, int]: ...


def encode(specs: Sequence[Codec], values: Sequence[Any]) -> bytes:
    """Return the canonical bytes of tensors, one after another.

    Args:
        specs: in the order of the graph.
        values: one for each.

    Raises:
        RunnerError: a value has another shape or type, or there are too few or too many.

    >>> encode([TensorSpec("n", np.dtype("<u2"), ("t",))], [[7, 8]]).hex()
    '0200000007000800'
    """
    if len(values) != len(specs):
        raise RunnerError(f"there are {len(values)} tensors; needed: {len(specs)}")
    return b"".join(spec.encode(value) for spec, value in zip(specs, values, strict=True))


def decode(specs: Sequence[Codec], data: bytes) -> list[Any]:
    """Return the tensors of canonical bytes, by the order of the graph.

    Raises:
        InputRefusedError: the bytes are not what the specs say; the tensor is named.
    """
    found, place = [], 0
    for spec in specs:
        value, place = spec.decode(data, place)
        found.append(value)
    if place != len(data):
        needed = "; ".join(map(str, specs))
        raise InputRefusedError(f"{len(data)} bytes; needed: {place}, for {needed}")
    return found


def _length(number: int) -> bytes:
    return number.to_bytes(_LENGTH, "little")


def _text(one: Any) -> bytes:
    data = str(one).encode()
    return _length(len(data)) + data
