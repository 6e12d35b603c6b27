"""Openings of bytes under a root: the nodes and chunks that a contract needs to read parts of them.

Source: `Qi8OpeningLib` in contracts/replay/Qi8OpeningLib.sol.
"""

from tallystick.errors import FieldError
from tallystick.replay.trace import ARITY, CHUNK, TensorTree, levels_over

_NODE = 32 * ARITY


class OpeningReader:
    """Reads bytes of a tree, and notes what a contract has to be shown for it.

    Args:
        tree: of all the bytes.

    >>> reader = OpeningReader(TensorTree.of(bytes(3000)))
    >>> reader.read(1000, 48) == bytes(48)
    True
    >>> [len(node) for node in reader.nodes]
    [96, 1024, 1024]
    """

    def __init__(self, tree: TensorTree) -> None:
        self._tree = tree
        self._held = [-1] * len(tree.levels)
        self.nodes: list[bytes] = []
        """Pre-images, each before what lies under it, in the order of the first reads."""

    def read(self, start: int, length: int) -> bytes:
        """Return some bytes.

        Raises:
            FieldError: not all of them are there.
        """
        size = len(self._tree.data)
        if not 0 <= start <= start + length <= size:
            raise FieldError("bytes", f"{start} to {start + length}", f"0 to {size}")
        for chunk in range(start // CHUNK, -(-(start + length) // CHUNK)):
            self._take(0, chunk)
        return self._tree.data[start : start + length]

    def _take(self, level: int, index: int) -> None:
        if self._held[level] == index:
            return
        if level + 1 < len(self._held):
            self._take(level + 1, index // ARITY)
        self._held[level] = index
        data, width = (
            (self._tree.data, CHUNK) if level == 0 else (self._tree.levels[level - 1], _NODE)
        )
        self.nodes.append(data[index * width : (index + 1) * width])


def path_to(hashes: bytes, chunk: int) -> tuple[bytes, ...]:
    """Return the nodes from the root down to the one that has a chunk's hash; none under one chunk.

    Args:
        hashes: of all chunks, side by side.
        chunk: its index.

    Raises:
        FieldError: there is no such chunk.
    """
    count = len(hashes) // 32
    if not 0 <= chunk < count:
        raise FieldError("chunk", chunk, f"0 to {count - 1}")
    path = []
    for level in levels_over(hashes)[:-1]:
        chunk //= ARITY
        path.append(level[chunk * _NODE : (chunk + 1) * _NODE])
    return tuple(reversed(path))
