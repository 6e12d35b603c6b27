"""Roots of an inference's tensors, by which a dispute about one step or element is opened.

Source: docs/replay.md, "Traces".
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tallystick.errors import FieldError
from tallystick.protocol.keccak import keccak256

CHUNK = 1024
"""Bytes of a tensor under one hash."""
ARITY = 8
"""Hashes under one hash: few, for an opening brings all of them."""


@dataclass(frozen=True, slots=True)
class TensorTree:
    """A tensor's tree.

    >>> tree = TensorTree.of(bytes(3000))
    >>> [len(level) // 32 for level in tree.levels]
    [3, 1]
    >>> TensorTree.of(b"abc").root == keccak256(b"abc")
    True
    """

    data: bytes
    levels: tuple[bytes, ...]
    """From the chunks' hashes up to the root, the hashes of a level side by side."""

    @classmethod
    def of(cls, data: bytes) -> "TensorTree":
        """Build the tree of a tensor's bytes, one or more.

        Raises:
            FieldError: no bytes.
        """
        if not data:
            raise FieldError("tensor", "0 bytes", "1 or more")
        return cls(data, levels_over(_hashes(data, CHUNK)))

    @property
    def root(self) -> bytes:
        """The top hash, 32 bytes."""
        return self.levels[-1]

    def opening(self, chunk: int) -> tuple[bytes, ...]:
        """Return the pre-images from the root down to a chunk, the chunk itself last.

        Args:
            chunk: its index from zero.

        Raises:
            FieldError: there is no such chunk.
        """
        count = len(self.levels[0]) // 32
        if not 0 <= chunk < count:
            raise FieldError("chunk", chunk, f"0 to {count - 1}")
        path = [self.data[chunk * CHUNK : (chunk + 1) * CHUNK]]
        for level in self.levels[:-1]:
            chunk //= ARITY
            path.append(level[chunk * 32 * ARITY : (chunk + 1) * 32 * ARITY])
        return tuple(reversed(path))


def levels_over(hashes: bytes) -> tuple[bytes, ...]:
    """Return a tree's levels by its chunks' hashes side by side, one or more, up to the root."""
    levels = [hashes]
    while len(levels[-1]) > 32:
        levels.append(_hashes(levels[-1], 32 * ARITY))
    return tuple(levels)


def trace_root(tensors: Sequence[bytes]) -> bytes:
    """Return the leaf's traceRoot, 32 bytes.

    Args:
        tensors: one sample's input and each step's output, as bytes.
    """
    return keccak256(b"".join(TensorTree.of(tensor).root for tensor in tensors))


def _hashes(data: bytes, width: int) -> bytes:
    return b"".join(keccak256(data[at : at + width]) for at in range(0, len(data), width))
