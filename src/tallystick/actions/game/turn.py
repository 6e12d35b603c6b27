"""Turns of a replay game, and what is left to do when a clock has run out.

Source: docs/replay-game.md, "Moves".
"""

from enum import StrEnum
from typing import NamedTuple

from tallystick.chain.replay_game import GamePhase, GameState
from tallystick.protocol.batch import Dispute
from tallystick.protocol.rules import Rules
from tallystick.replay.game import INPUT, NONE

CLAIM = "claim"
"""The move that ends a game whose clock ran out."""
OPEN = "open"


class Side(StrEnum):
    """The sides of a game."""

    OPERATOR = "operator"
    CHALLENGER = "challenger"

    @property
    def other(self) -> "Side":
        """The other one."""
        return Side.CHALLENGER if self is Side.OPERATOR else Side.OPERATOR


class Turn(NamedTuple):
    """The move that a game waits for."""

    name: str
    """Of the contract's function."""
    side: Side
    until: int
    """Unix seconds; the last second in which it may be made."""

    def move_of(self, side: Side, now: int) -> str | None:
        """Return the move that a side has to make; None: it can only wait.

        Args:
            side: whose move is asked for.
            now: Unix seconds; time of a block mined now.

        >>> turn = Turn("answer", Side.OPERATOR, 100)
        >>> turn.move_of(Side.OPERATOR, 100), turn.move_of(Side.CHALLENGER, 100)
        ('answer', None)
        >>> turn.move_of(Side.OPERATOR, 101), turn.move_of(Side.CHALLENGER, 101)
        (None, 'claim')
        """
        if now <= self.until:
            return self.name if self.side is side else None
        return None if self.side is side else CLAIM


def turn_of(state: GameState, dispute: Dispute, rules: Rules) -> Turn:
    """Return whose turn it is.

    Args:
        state: the game's, as the chain has it.
        dispute: the challenge, which stands.
        rules: of its network.
    """
    if state.phase is GamePhase.NONE:
        window = rules.response_window
        return Turn(OPEN, Side.CHALLENGER, dispute.due - 4 * window - window // 2)
    if state.phase is GamePhase.ANSWERED:
        proofs = {INPUT: "proveInput", NONE: "proveOutput"}
        return Turn(proofs.get(state.tensor, "choose"), Side.CHALLENGER, state.due)
    if state.phase is GamePhase.SHOWN:
        return Turn("proveElement", Side.CHALLENGER, state.due)
    name = "answer" if state.phase is GamePhase.OPENED else "show"
    return Turn(name, Side.OPERATOR, state.due)
