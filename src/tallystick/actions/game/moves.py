"""One challenge's game as the chain has it, and the calls that a side's moves are.

Nothing is kept between two moves: what they need is read from the chain, or computed again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tallystick.actions.chain_view import ActionError
from tallystick.actions.game.turn import CLAIM, OPEN, Turn, turn_of
from tallystick.chain.call import Call, encode_call
from tallystick.chain.registry import Registry
from tallystick.chain.replay_game import GameState, case_id, read_game, told_by
from tallystick.errors import FieldError
from tallystick.protocol.enums import DisputeKind, State
from tallystick.protocol.hexes import checksummed
from tallystick.protocol.inference import Inference
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.ledger import BatchState
from tallystick.protocol.ledger import Model as RegisteredModel
from tallystick.protocol.rules import Rules
from tallystick.replay.game import GameTrace


def is_wrong(leaf: Inference, trace: GameTrace) -> bool:
    """Return whether a leaf's output or traceRoot is another than its inference's.

    Args:
        leaf: the leaf.
        trace: of its input, one's own.
    """
    output = keccak256(trace.trees[-1].data)
    return (leaf.output_hash, leaf.trace_root) != (output, trace.trace_root)


@dataclass(frozen=True, slots=True)
class Game:
    """The game of a challenge that stands."""

    registry: Registry
    arbiter: bytes
    """The contract, 20 bytes."""
    record: BatchState
    """The challenged batch."""
    model: RegisteredModel
    state: GameState
    turn: Turn

    @classmethod
    def read(
        cls, registry: Registry, record: BatchState, rules: Rules, model: RegisteredModel
    ) -> "Game | None":
        """Read a challenge's game from the chain; None when the challenge is over there.

        Args:
            registry: whose challenge it is.
            record: the batch, with a challenge pending as far as is known.
            rules: of its network, whose arbiter is a ReplayGame.
            model: the batch's.
        """
        dispute = record.dispute
        if dispute is None or dispute.kind is not DisputeKind.CHALLENGE:
            return None
        if registry.state_of(record.pre_image) is not State.DISPUTED:
            return None
        case = case_id(record.id, dispute)
        state = read_game(registry.w3, rules.arbiter, case)
        turn = turn_of(state, dispute, rules)
        return cls(registry, rules.arbiter, record, model, state, turn)

    def call(self, name: str, leaf: Inference, trace: Callable[[], GameTrace]) -> Call:
        """Return the call of a move.

        Args:
            name: of the move, as turn.move_of names it.
            leaf: the challenged one.
            trace: runs the model on the leaf's input; not called where nothing of it is needed.

        Raises:
            ActionError: this side has no such move, because the leaf is wrong (operator) or right
                (challenger); or the node leaves out an event of the game.
        """
        arguments = [self.record.pre_image.abi(), *self._arguments(name, leaf, trace)]
        return encode_call("ReplayGame", self.arbiter, name, *arguments)

    def _arguments(
        self, name: str, leaf: Inference, trace: Callable[[], GameTrace]
    ) -> tuple[Any, ...]:
        if name == CLAIM:
            return (leaf.abi_leaf(),)
        own, tensor = trace(), self.state.tensor
        if name in ("answer", "show"):
            self._need_right(leaf, own)
        elif not is_wrong(leaf, own):
            raise ActionError(self._lost("the answer is the model's"))
        if name == "answer":
            theirs = self._told("GameOpened")["roots"]
            return leaf.abi_leaf(), own.program(), theirs, *own.answer(theirs)
        if name == "show":
            return (own.show(tensor, self.state.chunk),)
        if name == OPEN:
            opened = checksummed(self.model.registrant), self.model.parent, own.program()
            return leaf.abi_leaf(), opened, own.roots
        if name in ("proveInput", "proveOutput"):
            return leaf.abi_leaf(), own.trees[0 if name == "proveInput" else -1].data
        answered = self._told("GameAnswered")
        try:
            if name == "choose":
                return own.choose(tensor, answered["hashes"])
            shown = self._told("ChunkShown")["chunk"]
            offset, element = own.prove(tensor, self.state.chunk, shown)
        except FieldError as error:
            raise ActionError(self._lost(str(error))) from error
        opening = own.program(), answered["roots"], shown
        return leaf.abi_leaf(), *opening, offset, element.abi()

    def _need_right(self, leaf: Inference, own: GameTrace) -> None:
        if leaf.trace_root != own.trace_root:
            index = self._leaf_index
            raise ActionError(
                f"leaf {index} has another traceRoot than the model's inference: it is wrong, and "
                "the operator has no move"
            )

    def _lost(self, reason: str) -> str:
        return f"the challenge of leaf {self._leaf_index} is lost: {reason}"

    @property
    def _leaf_index(self) -> int:
        assert self.record.dispute is not None
        return self.record.dispute.leaf_index

    def _told(self, name: str) -> Any:
        assert self.record.dispute is not None
        case, first = case_id(self.record.id, self.record.dispute), self.record.committed
        w3 = self.registry.w3
        found = told_by(w3, self.arbiter, name, case, first.block_number)
        if found is None:
            raise ActionError(f"the node leaves out the game's event {name}")
        return found
