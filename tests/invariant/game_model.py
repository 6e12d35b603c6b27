"""A replay game as docs/replay-game.md tells it: whose turn it is, until when, and what counts.

Whole traces stand for roots, hashes and openings: what one side brings is right or it isn't.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from tallystick.protocol.enums import Ruling
from tallystick.replay.game import INPUT, NONE, GameTrace
from tests.support.plain_qi8 import CONCAT, RECALL, SUM
from tests.support.replay_play import DATA, NET, WINDOW, made, trace

OPENING = 4 * WINDOW + WINDOW // 2
"""Seconds before the challenge lapses, until which its game may be opened."""
OPERATORS = (1, 3)
"""Phases in which the operator has to move; in the others the challenger has."""


class Refused(Exception):
    """A move that the rules forbid; `reasons` are the errors that may name it."""

    def __init__(self, reasons: set[str]) -> None:
        self.reasons = reasons
        super().__init__(", ".join(sorted(reasons)))


@dataclass
class GameModel:
    """One challenge and its game."""

    committed: GameTrace | None
    """What is below the leaf's traceRoot; None where nothing is."""
    answered: bytes
    """The output below the leaf's outputHash."""
    data: bytes
    """The input below the leaf's inputHash."""
    lapses: int
    """The challenge's last second."""
    phase: int = 0
    due: int = 0
    tensor: int = 0
    chunk: int = 0
    opened: GameTrace | None = None
    ruling: Ruling = Ruling.UNDECIDED

    @property
    def until(self) -> int:
        """The last second of whose turn it is."""
        return self.due if self.phase else self.lapses - OPENING

    @property
    def over(self) -> bool:
        return self.ruling is not Ruling.UNDECIDED

    @property
    def held(self) -> GameTrace:
        """What the operator has shown to be below its traceRoot."""
        assert self.committed is not None
        return self.committed

    def open(self, now: int, challenger: bool, theirs: GameTrace) -> None:
        self._turn(0, now, NotChallenger=challenger)
        self.opened = theirs
        self._next(now)

    def answer(self, now: int, theirs: GameTrace, roots: GameTrace, hashes: bytes) -> None:
        self._turn(
            1,
            now,
            RootsMismatch=theirs is self.opened and roots is self.committed,
        )
        tensor = first_difference(theirs, roots)
        inside = tensor not in (INPUT, NONE)
        right = roots.trees[tensor].levels[0] if inside else b""
        _need(HashesMismatch=hashes == right)
        self.tensor = tensor
        self._next(now)

    def choose(self, now: int, challenger: bool, chunk: int, of: GameTrace) -> None:
        self._turn(2, now, NotChallenger=challenger, TensorMismatch=self._inside())
        ours, theirs = self.held.trees[self.tensor], of.trees[self.tensor]
        count = chunks(ours.data)
        # Over one chunk there is no node.
        alike = count == 1 or ours.root == theirs.root
        _need(ChunkOutOfRange=chunk < count, NodeMismatch=alike)
        self.chunk = chunk
        self._next(now)

    def show(self, now: int, data: bytes) -> None:
        self._turn(3, now, ChunkMismatch=lambda: data == self._shown())
        self._next(now)

    def prove(self, now: int, place: int, of: GameTrace) -> None:
        """Prove by another's inputs that the byte at a place of the chunk is wrong."""
        self._turn(4, now)
        step, shown = self.tensor - 1, self._shown()
        _need(ElementOutOfRange=place < len(shown))
        record = NET.layers[step].record
        reads = {step} if record.kind not in (SUM, CONCAT, RECALL) else {step, record.groups}
        alike = all(of.trees[number].root == self.held.trees[number].root for number in reads)
        _need(NodeMismatch=alike)
        right = recomputed(self.held.roots, self.tensor)[1024 * self.chunk + place]
        _need(NotWrong=right != shown[place])
        self._end(Ruling.REJECTED)

    def prove_input(self, now: int, data: bytes) -> None:
        self._turn(2, now, TensorMismatch=self.tensor == INPUT, HashMismatch=data == self.data)
        _need(NotWrong=self.held.trees[0].data != data)
        self._end(Ruling.REJECTED)

    def prove_output(self, now: int, data: bytes) -> None:
        tensor = self.committed and self.committed.trees[-1].data
        self._turn(2, now, TensorMismatch=self.tensor == NONE, HashMismatch=data == tensor)
        _need(NotWrong=data != self.answered)
        self._end(Ruling.REJECTED)

    def claim(self, now: int) -> None:
        _need(NoChallenge=not self.over)
        _need(ClaimTooEarly=now > self.until)
        # What the registry says.
        _need(TooLate=now <= self.lapses)
        self._end(Ruling.REJECTED if self.phase in OPERATORS else Ruling.UPHELD)

    def _turn(self, phase: int, now: int, **reasons: "bool | Callable[[], bool]") -> None:
        _need(NoChallenge=not self.over)
        _need(PhaseMismatch=self.phase == phase)
        found = {name: one() if callable(one) else one for name, one in reasons.items()}
        _need(MoveTooLate=now <= self.until, **found)

    def _inside(self) -> bool:
        return self.tensor not in (INPUT, NONE)

    def _shown(self) -> bytes:
        return self.held.trees[self.tensor].data[1024 * self.chunk :][:1024]

    def _next(self, now: int) -> None:
        self.phase, self.due = self.phase + 1, now + WINDOW

    def _end(self, ruling: Ruling) -> None:
        self.phase, self.due, self.tensor, self.chunk, self.ruling = 0, 0, 0, 0, ruling


def _need(**reasons: bool) -> None:
    missing = {name for name, holds in reasons.items() if not holds}
    if missing:
        raise Refused(missing)


def chunks(data: bytes) -> int:
    """Return how many chunks hold some bytes."""
    return -(-len(data) // 1024)


def first_difference(theirs: GameTrace, ours: GameTrace) -> int:
    """Return the first tensor whose bytes differ, or NONE."""
    pairs = zip(theirs.trees, ours.trees, strict=True)
    differing = (number for number, (a, b) in enumerate(pairs) if a.data != b.data)
    return next(differing, NONE)


@cache
def recomputed(roots: bytes, tensor: int) -> bytes:
    """Return what a step makes of the tensors of a known trace, by plain loops."""
    tensors = [tree.data for tree in TRACES[roots].trees]
    return made(NET, tensor, tensors)


TRUE = trace()
OTHERS = {
    "first step": trace({1: 2559}),
    "convolution": trace({2: 1100}),
    "sum": trace({6: 0}),
    "output": trace({7: 9}),
    "two tensors": trace({2: 1, 5: 1279}),
    "another input": trace(data=bytes(len(DATA))),
}
TRACES = {one.roots: one for one in (TRUE, *OTHERS.values())}
