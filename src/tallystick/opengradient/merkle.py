"""OpenZeppelin's StandardMerkleTree: sorted pairs, leaves hashed twice, the tree as one array.

Of n leaves the array has 2n - 1 nodes: the root first, the children of node i at 2i + 1 and 2i + 2,
so the leaves are the last n. A tree is built with its leaves in descending order of their hashes.
"""

from collections.abc import Sequence

from tallystick.errors import FieldError
from tallystick.protocol.keccak import keccak256


def node_of(left: bytes, right: bytes) -> bytes:
    """Return the parent of two nodes, whichever stands left."""
    return keccak256(left + right if left < right else right + left)


def build(leaves: Sequence[bytes]) -> list[bytes]:
    """Return all nodes of the tree over leaves that are in their places already.

    Args:
        leaves: 32 bytes each, in the order of the array.

    >>> root, left, right = build([b"b" * 32, b"a" * 32])
    >>> root == keccak256(right + left)
    True
    """
    if not leaves:
        raise FieldError("leaves", 0, "1 or more")
    inner = len(leaves) - 1
    nodes = [b""] * inner + list(leaves)
    for place in range(inner - 1, -1, -1):
        nodes[place] = node_of(nodes[2 * place + 1], nodes[2 * place + 2])
    return nodes


def standard_tree(leaves: Sequence[bytes]) -> list[bytes]:
    """Return all nodes of the tree that StandardMerkleTree.of builds over leaves of any order."""
    return build(sorted(leaves, reverse=True))
