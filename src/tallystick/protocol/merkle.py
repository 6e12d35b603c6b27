"""Positional Merkle tree over a batch's leaves.

Leaf 0 is leftmost, a node is keccak256(left || right), and the leaves missing on the right are 32
zero bytes. Subtrees of missing leaves only are never built: their tops are known for each level.

Source: docs/protocol.md and contracts/libraries/TreeLib.sol.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tallystick.errors import FieldError, ProofError
from tallystick.protocol.abi_words import ZERO32
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.progress import Progress

MAX_COUNT = 1 << 20
"""Most inferences in a batch."""
_CHUNK = 1 << 13


def depth_of(count: int) -> int:
    """Return ceil(log2(count)), the number of siblings in a proof.

    >>> [depth_of(count) for count in (1, 2, 3, 4, 5)]
    [0, 1, 2, 2, 3]
    """
    if not 1 <= count <= MAX_COUNT:
        raise FieldError("count", count, f"1 to {MAX_COUNT}")
    return (count - 1).bit_length()


def _empty_tops() -> tuple[bytes, ...]:
    tops = [ZERO32]
    for _ in range(depth_of(MAX_COUNT)):
        tops.append(keccak256(tops[-1] + tops[-1]))
    return tuple(tops)


EMPTY_TOPS = _empty_tops()
"""Top of a subtree that has missing leaves only, by its depth."""


@dataclass(frozen=True, slots=True)
class Tree:
    """A batch's tree, with all nodes that cover at least one leaf.

    >>> tree = Tree.from_leaves([b"a" * 32, b"b" * 32, b"c" * 32])
    >>> verify(tree.root, count=3, leaf=b"c" * 32, index=2, proof=tree.proof(2))
    True
    """

    levels: tuple[bytes | bytearray, ...]
    """From the leaves up to the root, the nodes of a level side by side, 32 bytes each."""

    @classmethod
    def from_leaves(
        cls,
        leaves: Sequence[bytes] | bytes | bytearray,
        progress: Progress | None = None,
    ) -> "Tree":
        """Build the tree.

        Args:
            leaves: 1 to 2^20 leaves, 32 bytes each, or all of them side by side.
            progress: called with nodes done and nodes in all.

        Raises:
            FieldError: no leaves, too many, or one of another length.
        """
        level = leaves if isinstance(leaves, bytes | bytearray) else _joined(leaves)
        if len(level) % 32:
            raise FieldError("leaves", f"{len(level)} bytes", "32 bytes each")
        count = len(level) // 32
        depth = depth_of(count)
        total = sum(-(-count >> height) for height in range(1, depth + 1))
        levels, done = [level], 0
        for height in range(depth):
            above = bytearray()
            for start in range(0, len(level), 64 * _CHUNK):
                pairs = level[start : start + 64 * _CHUNK]
                if len(pairs) % 64:
                    pairs = pairs + EMPTY_TOPS[height]
                above += b"".join(
                    [keccak256(pairs[at : at + 64]) for at in range(0, len(pairs), 64)]
                )
                if progress:
                    progress(done + len(above) // 32, total)
            done += len(above) // 32
            level = above
            levels.append(level)
        return cls(tuple(levels))

    @property
    def root(self) -> bytes:
        """The top node, 32 bytes; the leaf itself when there is one."""
        return bytes(self.levels[-1])

    @property
    def count(self) -> int:
        """Number of leaves."""
        return len(self.levels[0]) // 32

    @property
    def depth(self) -> int:
        """Number of siblings in a proof."""
        return len(self.levels) - 1

    def leaf(self, index: int) -> bytes:
        """Return a leaf, 32 bytes, by its index from zero."""
        self._check(index)
        return _node(self.levels[0], index, ZERO32)

    def proof(self, index: int) -> tuple[bytes, ...]:
        """Return the siblings of a leaf's path, from the leaf up; exactly `depth` of them."""
        self._check(index)
        return tuple(
            _node(self.levels[height], index >> height ^ 1, EMPTY_TOPS[height])
            for height in range(self.depth)
        )

    def _check(self, index: int) -> None:
        if not 0 <= index < self.count:
            raise FieldError("leaf index", index, f"0 to {self.count - 1}")


def root_of(leaf: bytes, index: int, proof: Sequence[bytes]) -> bytes:
    """Return the root that a leaf and its siblings lead to.

    The caller checks index and length of the proof against the count, or uses `verify`.
    """
    node = leaf
    for height, sibling in enumerate(proof):
        node = keccak256(sibling + node if index >> height & 1 else node + sibling)
    return node


def check_proof(root: bytes, count: int, leaf: bytes, index: int, proof: Sequence[bytes]) -> None:
    """Raise ProofError with the reason unless the contract would take the proof.

    Args:
        root: 32 bytes.
        count: leaves of the batch.
        leaf: 32 bytes.
        index: of the leaf, from zero.
        proof: siblings from the leaf up, 32 bytes each.
    """
    depth = depth_of(count)
    if not 0 <= index < count:
        raise ProofError(f"leaf index is {index}; needed: below the count {count}")
    if len(proof) != depth:
        raise ProofError(f"the proof has {len(proof)} siblings; needed: {depth} for {count} leaves")
    if any(len(node) != 32 for node in (root, leaf, *proof)):
        raise ProofError("root, leaf and siblings need 32 bytes each")
    found = root_of(leaf, index, proof)
    if found != root:
        raise ProofError(f"the proof leads to 0x{found.hex()}; needed: the root 0x{root.hex()}")


def verify(root: bytes, count: int, leaf: bytes, index: int, proof: Sequence[bytes]) -> bool:
    """Return whether the contract would take the proof; arguments as of check_proof."""
    try:
        check_proof(root, count, leaf, index, proof)
    except ProofError:
        return False
    return True


def _joined(leaves: Sequence[bytes]) -> bytes:
    for index, leaf in enumerate(leaves):
        if len(leaf) != 32:
            raise FieldError(f"leaf {index}", f"{len(leaf)} bytes", "32 bytes")
    return b"".join(leaves)


def _node(level: bytes | bytearray, index: int, missing: bytes) -> bytes:
    return bytes(level[32 * index : 32 * index + 32]) or missing
