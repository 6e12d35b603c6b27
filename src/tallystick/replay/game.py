"""Moves of the replay game, which settles an answer of a model of any size by one output element.

Source: docs/replay-game.md; the contract is contracts/replay/ReplayGame.sol.
"""

from dataclasses import dataclass

from tallystick.errors import FieldError
from tallystick.protocol.abi_words import uint
from tallystick.protocol.keccak import keccak256
from tallystick.replay.element import Element, element_of
from tallystick.replay.engine import Engine
from tallystick.replay.model import Model
from tallystick.replay.opening import path_to
from tallystick.replay.trace import CHUNK, TensorTree, trace_root

GAME_SPEC_ID = keccak256(b"QI8-1T")
"""The specHash of a model that the game can be played about."""
MAX_MOVE = 114_688
"""Most bytes of a move of the operator's, of an input and of an output."""
INPUT = 0
NONE = 0xFFFF
"""Instead of a tensor: no root differs, so it is about the output's bytes."""


@dataclass(frozen=True, slots=True)
class GameTrace:
    """All tensors of one inference, as a side of a game holds them."""

    model: Model
    trees: tuple[TensorTree, ...]
    """The input's, and each step's output's."""
    rows: TensorTree

    @classmethod
    def of(cls, model: Model, data: bytes) -> "GameTrace":
        """Run the model on an input.

        Raises:
            FieldError: an input of another size.
        """
        size = model.steps[0].in_size
        if len(data) != size:
            raise FieldError("input", f"{len(data)} bytes", f"{size} bytes")
        import numpy as np

        tensors = Engine(model).trace(np.frombuffer(data, np.uint8)[None])
        return cls.of_tensors(model, [tensor[0].tobytes() for tensor in tensors])

    @classmethod
    def of_tensors(cls, model: Model, tensors: list[bytes]) -> "GameTrace":
        """Return the trace of tensors that were computed before."""
        trees = tuple(TensorTree.of(tensor) for tensor in tensors)
        return cls(model, trees, rows_tree(model))

    @property
    def roots(self) -> bytes:
        """The roots of all tensors, 32 bytes each: the pre-image of traceRoot."""
        return b"".join(tree.root for tree in self.trees)

    @property
    def trace_root(self) -> bytes:
        """A leaf's traceRoot, 32 bytes."""
        return keccak256(self.roots)

    def program(self) -> tuple[bytes, bytes]:
        """Return the contract's GameProgram."""
        return b"".join(step.pack_short() for step in self.model.steps), self.rows.root

    def answer(self, theirs: bytes) -> tuple[bytes, bytes]:
        """Return the roots, and the hashes of the tensor in question; see in_question."""
        tensor = in_question(theirs, self.roots)
        inside = tensor not in (INPUT, NONE)
        return self.roots, self.trees[tensor].levels[0] if inside else b""

    def choose(self, tensor: int, hashes: bytes) -> tuple[int, tuple[bytes, ...]]:
        """Return a chunk that the operator has wrong, and the nodes down to its hash.

        Args:
            tensor: the one in question.
            hashes: of its chunks, the operator's.

        Raises:
            FieldError: all are as computed here.
        """
        ours = self.trees[tensor].levels[0]
        for chunk in range(len(ours) // 32):
            part = slice(32 * chunk, 32 * chunk + 32)
            if ours[part] != hashes[part]:
                return chunk, path_to(hashes, chunk)
        raise FieldError("hashes", "all as computed here", "one that differs")

    def show(self, tensor: int, chunk: int) -> bytes:
        """Return a chunk's bytes."""
        return self.trees[tensor].opening(chunk)[-1]

    def prove(self, tensor: int, chunk: int, shown: bytes) -> tuple[int, Element]:
        """Return the offset of an element that the operator has wrong, and what proves it.

        Args:
            tensor: the one in question, neither INPUT nor NONE.
            chunk: the one chosen.
            shown: its bytes, the operator's.

        Raises:
            FieldError: all are as computed here.
        """
        for offset, (ours, theirs) in enumerate(zip(self.show(tensor, chunk), shown, strict=True)):
            if ours != theirs:
                place = chunk * CHUNK + offset
                return offset, element_of(
                    self.model, tensor - 1, place, list(self.trees), self.rows
                )
        raise FieldError("chunk", "as computed here", "an element that differs")


def infer_traced(engine: Engine, data: bytes) -> tuple[bytes, bytes]:
    """Return the output of an inference, and its traceRoot.

    Args:
        engine: of the model.
        data: the input, of the model's size.
    """
    import numpy as np

    tensors = [one[0].tobytes() for one in engine.trace(np.frombuffer(data, np.uint8)[None])]
    return tensors[-1], trace_root(tensors)


def in_question(theirs: bytes, roots: bytes) -> int:
    """Return the first tensor whose roots differ, or NONE.

    >>> in_question(bytes(64), bytes(32) + b"r" * 32), in_question(b"", b"") == NONE
    (1, True)
    """
    for tensor in range(len(roots) // 32):
        part = slice(32 * tensor, 32 * tensor + 32)
        if theirs[part] != roots[part]:
            return tensor
    return NONE


def rows_tree(model: Model) -> TensorTree:
    """Return the tree of a model's rows; over none, the root is keccak256 of nothing."""
    if not model.rows:
        return TensorTree(b"", (keccak256(b""),))
    return TensorTree.of(model.rows)


def game_content_hash(model: Model) -> bytes:
    """Return keccak256(abi.encode(GAME_SPEC_ID, step hashes, root of the rows)), 32 bytes."""
    hashes = [step.hash() for step in model.steps]
    head = GAME_SPEC_ID + uint(3 * 32) + rows_tree(model).root
    return keccak256(head + uint(len(hashes)) + b"".join(hashes))


def too_large_to_play(model: Model) -> str | None:
    """Return why no game can be opened about a model; None when one can."""
    count = len(model.steps)
    largest = max(step.out_size for step in model.steps)
    answer = 40 * count + 64 * (count + 1) + 32 * -(-largest // CHUNK)
    for what, size in (
        ("an answer of the operator's", answer),
        ("its input", model.steps[0].in_size),
        ("its output", model.steps[-1].out_size),
    ):
        if size > MAX_MOVE:
            return f"{what} has {size:,} bytes; a move holds {MAX_MOVE:,}"
    return None
