"""A ReplayGame over its registry beside a plain model, by random moves of both sides.

Each run is one challenge. One side may be careful: it then plays by its own trace whenever it is
its turn, and claims as soon as the other is silent. The other makes any move, at any time.
"""

from collections import Counter
from functools import cache
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tallystick.chain.revert import ContractError
from tallystick.errors import FieldError
from tallystick.protocol.enums import Ruling
from tallystick.protocol.events import BatchRejected, ChallengeUpheld
from tallystick.protocol.keccak import keccak256
from tallystick.replay.game import INPUT, NONE, GameTrace
from tallystick.replay.opening import path_to
from tests.invariant.game_model import OPERATORS, OTHERS, TRUE, GameModel, Refused
from tests.support.chain import Chain, Mined
from tests.support.in_process import in_process
from tests.support.replay_game import element
from tests.support.replay_play import DATA, WINDOW, Match, Table, found

GENESIS = 1_800_000_000
NOTHING, OUTPUT = "nothing below the traceRoot", "output of none"
HONEST, INPUT_OF_ANOTHER = "honest", "another input"
OPERATOR, CHALLENGER, NOBODY = "operator", "challenger", "nobody"
DONE: Counter[str] = Counter()
"""How often each move was made, or refused and by which error, in all runs of this process."""

KNOWN = {"true": TRUE, **OTHERS}
OWN = "the operator's own"
traces = st.sampled_from(list(KNOWN))
some = st.sampled_from([OWN] * 6 + list(KNOWN))
BYTES = {
    "input": DATA,
    "another input": bytes(len(DATA)),
    "nothing": b"",
    "output": TRUE.trees[-1].data,
    "another output": bytes(10),
}
senders = st.sampled_from([CHALLENGER, CHALLENGER, OPERATOR, NOBODY])


@cache
def table() -> Table:
    """Return a network with a game, that every run leaves as it was."""
    chain = Chain(in_process(GENESIS))
    return found(chain, *(chain.accounts[number] for number in (1, 2, 4)))


class GameMachine(RuleBasedStateMachine):
    """One challenge of one leaf."""

    leaves: tuple[str, ...]
    """Kinds of leaves that are challenged."""

    def __init__(self) -> None:
        super().__init__()
        self.table = table()
        self.chain = self.table.chain
        numbers = {OPERATOR: 2, CHALLENGER: 4, NOBODY: 5}
        self.accounts = {who: self.chain.accounts[number] for who, number in numbers.items()}
        self.undo = self.chain.snapshot()
        self.sound = False
        """Whether a challenge was made, and all that came of it was as it must be."""

    @initialize(
        place=st.integers(0, 5),
        careful=st.sampled_from([OPERATOR, CHALLENGER, NOBODY]),
        theirs=traces,
    )
    def challenge(self, place: int, careful: str, theirs: str) -> None:
        """Commit a leaf, and challenge it."""
        leaf = self.leaves[place % len(self.leaves)]
        self.honest = leaf == HONEST
        # Nobody can answer with what there is not, or prove what is right wrong.
        hopeless = {OPERATOR: leaf == NOTHING, CHALLENGER: self.honest, NOBODY: False}
        self.careful = NOBODY if hopeless[careful] else careful
        own = OTHERS.get(leaf, TRUE)
        changes: dict[str, bytes] = {}
        answered = own.trees[-1].data
        if leaf == NOTHING:
            changes["trace_root"] = keccak256(b"nothing")
        if leaf == OUTPUT:
            answered = bytes(len(answered))
            changes["output_hash"] = keccak256(answered)
        self.held = self._held()
        batch = self.table.commit(self.accounts[OPERATOR], own, **changes)
        self.match: Match = self.table.challenge(batch, self.accounts[CHALLENGER])
        committed = None if leaf == NOTHING else own
        self.model = GameModel(committed, answered, DATA, self.match.dispute.due)
        self.own = own
        # One that is careful runs the model.
        self.theirs = TRUE if self.careful == CHALLENGER else KNOWN[theirs]
        self.now = self.chain.now
        self.sound = True

    def _held(self) -> int:
        """Return what the two sides have in the registry, and what was burned."""
        network = self.table.network
        credits = sum(network.credit(self.accounts[who]) for who in (OPERATOR, CHALLENGER))
        return credits + network.lane(self.accounts[OPERATOR]).stake + network.totals().burned

    # Time

    @rule(
        step=st.sampled_from([0, 1, WINDOW // 2, WINDOW]),
        edge=st.sampled_from([None, None, 0, 1]),
    )
    def wait(self, step: int, edge: int | None) -> None:
        """Let time pass; to the last second of a turn, or the one after it, where `edge` says so.

        Whoever is careful moves before its turn is over.
        """
        self._be_careful()
        until = self.now + step if edge is None else max(self.now, self.model.until + edge)
        if self.careful != NOBODY and not self.model.over:
            until = min(until, self.model.until + 1)
        self.now = until

    def _be_careful(self) -> None:
        if self.careful == NOBODY or self.model.over:
            return
        turn = OPERATOR if self.model.phase in OPERATORS else CHALLENGER
        late = self.now > self.model.until
        if turn == self.careful and not late:
            self.play()
        elif turn != self.careful and late:
            self.claim(self.careful)

    def _trace(self, name: str) -> GameTrace:
        return self.own if name == OWN else KNOWN[name]

    def _other(self, sender: str) -> str:
        """Return who moves at random: never one that is careful."""
        return NOBODY if sender == self.careful else sender

    # Moves

    @precondition(lambda self: not self.model.over)
    @rule(moves=st.integers(1, 4))
    def play_on(self, moves: int) -> None:
        """Let both sides make some moves as their traces say."""
        for _ in range(moves):
            if not self.model.over:
                self.play()

    def play(self) -> None:
        """Make the move of whose turn it is, as its trace says; a careful one's always counts."""
        model, own, theirs = self.model, self.own, self.model.opened or self.theirs
        if model.phase == 0:
            self._open(CHALLENGER, theirs)
        elif model.phase == 1 and model.committed is None:
            return
        elif model.phase == 1:
            self._answer(own, own.answer(self._opened.roots)[1])
        elif model.phase == 3:
            self._show(own.show(model.tensor, model.chunk))
        elif model.tensor == INPUT:
            self._prove_bytes("proveInput", DATA)
        elif model.tensor == NONE:
            self._prove_bytes("proveOutput", own.trees[-1].data)
        elif model.phase == 2:
            hashes = own.trees[model.tensor].levels[0]
            self._choose(CHALLENGER, theirs.choose(model.tensor, hashes)[0], own)
        else:
            shown = own.show(model.tensor, model.chunk)
            try:
                offset, _ = theirs.prove(model.tensor, model.chunk, shown)
            except FieldError:
                # Not careful, it chose a chunk that is as its own.
                offset = 0
            self._prove(theirs, offset)

    @rule(sender=senders, theirs=traces)
    def open(self, sender: str, theirs: str) -> None:
        self._open(self._other(sender), KNOWN[theirs])

    def _open(self, sender: str, theirs: GameTrace) -> None:
        account = self.accounts[sender]
        self._both(
            "open",
            lambda: self.model.open(self.now, sender == CHALLENGER, theirs),
            lambda: self.match.open(theirs, account),
        )

    @property
    def _opened(self) -> GameTrace:
        return self.model.opened or TRUE

    @rule(roots=some, hashes=st.none() | st.tuples(some, st.integers(1, 7)))
    def answer(self, roots: str, hashes: tuple[str, int] | None) -> None:
        """Answer; with the hashes that are asked for unless those of some tensor are named."""
        given = self._trace(roots).answer(self._opened.roots)[1]
        if hashes is not None:
            given = self._trace(hashes[0]).trees[hashes[1]].levels[0]
        self._answer(self._trace(roots), given)

    def _answer(self, roots: GameTrace, given: bytes) -> None:
        theirs = self._opened
        self._both(
            "answer",
            lambda: self.model.answer(self.now, theirs, roots, given),
            lambda: self.match.answer(roots, theirs, hashes=given),
        )

    @rule(sender=senders, chunk=st.integers(0, 4), of=some)
    def choose(self, sender: str, chunk: int, of: str) -> None:
        self._choose(self._other(sender), chunk, self._trace(of))

    def _choose(self, sender: str, chunk: int, of: GameTrace) -> None:
        tensor = self.model.tensor if self.model.tensor != NONE else 0
        hashes = of.trees[tensor].levels[0]
        nodes = path_to(hashes, chunk if chunk < len(hashes) // 32 else 0)
        self._both(
            "choose",
            lambda: self.model.choose(self.now, sender == CHALLENGER, chunk, of),
            lambda: self.match.choose(chunk, nodes, self.accounts[sender]),
        )

    @rule(of=some, chunk=st.integers(0, 3))
    def show(self, of: str, chunk: int) -> None:
        tree = self._trace(of).trees[self.model.tensor if self.model.tensor != NONE else 0]
        self._show(tree.data[1024 * chunk :][:1024])

    def _show(self, data: bytes) -> None:
        self._both("show", lambda: self.model.show(self.now, data), lambda: self.match.show(data))

    @rule(of=some, offset=st.integers(0, 1024))
    def prove(self, of: str, offset: int) -> None:
        self._prove(self._trace(of), offset)

    def _prove(self, of: GameTrace, offset: int) -> None:
        """Prove a byte of the chunk that was shown, by some trace's inputs."""
        model = self.model
        tensor = model.tensor if model.tensor not in (INPUT, NONE) else 1
        held = model.committed or TRUE
        shown = held.trees[tensor].data[1024 * model.chunk :][:1024]
        place = 1024 * model.chunk + offset if offset < len(shown) else 0
        self._both(
            "proveElement",
            lambda: model.prove(self.now, offset, of),
            lambda: self.match.prove(of, held.roots, shown, offset, element(of, tensor - 1, place)),
        )

    @rule(
        name=st.sampled_from(["proveInput", "proveOutput"]),
        data=st.sampled_from(list(BYTES)),
    )
    def prove_bytes(self, name: str, data: str) -> None:
        self._prove_bytes(name, BYTES[data])

    def _prove_bytes(self, name: str, data: bytes) -> None:
        prove = self.model.prove_input if name == "proveInput" else self.model.prove_output
        self._both(
            name,
            lambda: prove(self.now, data),
            lambda: self.match.prove_bytes(name, data),
        )

    @rule(sender=senders)
    def claim(self, sender: str) -> None:
        silent = OPERATOR if self.model.phase in OPERATORS else CHALLENGER
        made = self._both(
            "claim",
            lambda: self.model.claim(self.now),
            lambda: self.match.claim(self.accounts[sender]),
        )
        assert not made or silent != self.careful, "a careful side was silent"

    def _both(self, name: str, plain: Any, real: Any) -> bool:
        """Make a move in both worlds; returns whether it counted."""
        before, self.sound = self.match.state, False
        # A transaction a second, but as many as one likes in it.
        self.chain.at(self.now)
        try:
            plain()
        except Refused as refused:
            self._refused(name, refused, real)
            assert self.match.state == before
            self.sound = True
            return False
        try:
            mined: Mined = real()
        except ContractError as error:
            raise AssertionError(f"{name}: {error}; needed: that it counts") from error
        DONE[name] += 1
        state, model = self.match.state, self.model
        kept = ("phase", "due", "tensor", "chunk")
        assert {key: state[key] for key in kept} == {key: getattr(model, key) for key in kept}
        if model.over:
            self._ended(name, mined)
        self.sound = True
        return True

    def _refused(self, name: str, refused: Refused, real: Any) -> None:
        try:
            real()
        except ContractError as error:
            assert error.name in refused.reasons, f"{name}: {error}; needed: {refused}"
            DONE[f"{name}: {error.name}"] += 1
            return
        raise AssertionError(f"{name} counted; needed: {refused}")

    def _ended(self, name: str, mined: Mined) -> None:
        rejected = self.model.ruling is Ruling.REJECTED
        assert any(type(event) is BatchRejected for event in mined.events) == rejected
        assert any(type(event) is ChallengeUpheld for event in mined.events) != rejected
        assert self.table.network.totals().rejected == int(rejected)
        assert not (self.match.state["phase"] or int.from_bytes(self.match.state["hash"]))
        if name != "claim":
            assert rejected and not self.honest, "a proof convicts nobody who is right"
        if self.careful == OPERATOR and self.honest:
            assert not rejected, "an honest, careful operator lost"
        if self.careful == CHALLENGER and not self.honest:
            assert rejected, "a wrong operator won against a careful challenger"
        assert self._held() == self.held, "money went to somebody else"

    def teardown(self) -> None:
        """Let both be silent, but for a careful one, until the game is over; undo everything."""
        try:
            if self.sound:
                for _ in range(12):
                    if self.model.over or self.careful == NOBODY:
                        break
                    self.wait(0, 1)
                assert self.model.over or self.careful == NOBODY, "a game goes on for ever"
        finally:
            self.undo()


class OfRight(GameMachine):
    """Leaves that are right."""

    leaves = (HONEST,)


class OfTensors(GameMachine):
    """Leaves with a wrong byte in some tensor."""

    leaves = tuple(name for name in OTHERS if name != INPUT_OF_ANOTHER)


class OfInputs(GameMachine):
    """Leaves with another input's trace."""

    leaves = (INPUT_OF_ANOTHER,)


class OfOutputs(GameMachine):
    """Leaves whose output is of no trace, or that have none."""

    leaves = (OUTPUT, NOTHING)
