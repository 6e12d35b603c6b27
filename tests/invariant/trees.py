"""Trees whose count says more than anybody holds leaves for."""

from dataclasses import dataclass

from tallystick.protocol.keccak import keccak256
from tallystick.protocol.merkle import Tree, depth_of


@dataclass(frozen=True)
class Sprig:
    """A tree of `count` places, of which the first few are known; nobody has looked at the rest."""

    tree: Tree
    siblings: tuple[bytes, ...]
    """Right of the known part, from its top up."""
    root: bytes

    @classmethod
    def grow(cls, leaves: list[bytes], count: int) -> "Sprig":
        tree = Tree.from_leaves(leaves)
        root, siblings = tree.root, []
        for height in range(tree.depth, depth_of(count)):
            siblings.append(keccak256(b"unseen" + bytes([height])))
            root = keccak256(root + siblings[-1])
        return cls(tree, tuple(siblings), root)

    def proof(self, place: int) -> tuple[bytes, ...]:
        return self.tree.proof(place) + self.siblings
