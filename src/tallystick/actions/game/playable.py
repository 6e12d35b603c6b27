"""Obstacles to a game, known before a bond is put up for it."""

from typing import NamedTuple

from tallystick.chain.registry import Registry
from tallystick.chain.replay_game import RULING_WINDOWS, game_core
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.hexes import checksummed
from tallystick.protocol.rules import Rules
from tallystick.replay.game import GameTrace, too_large_to_play
from tallystick.replay.game_cost import MoveCost, move_costs
from tallystick.replay.provable import unprovable


class Plan(NamedTuple):
    """A game that has not begun."""

    moves: list[MoveCost]
    obstacle: str | None
    """Reason why the challenger would lose it even against a wrong leaf; None: none is known."""

    def gas(self, side: str) -> int:
        """Return about how much gas a side's moves use."""
        return sum(one.gas for one in self.moves if one.side == side)


def is_game(registry: Registry, arbiter: bytes) -> bool:
    """Return whether an arbiter is a replay game that plays for this registry."""
    return arbiter != ZERO_ADDRESS and game_core(registry.w3, arbiter) == registry.address


def plan(registry: Registry, rules: Rules, trace: GameTrace) -> Plan:
    """Return the moves of a game about a leaf, and what stands in its way.

    Args:
        registry: the contract.
        rules: of the batch's network.
        trace: of the leaf's input, one's own.
    """
    moves = move_costs(trace)
    return Plan(moves, _obstacle(registry, rules, trace))


def _obstacle(registry: Registry, rules: Rules, trace: GameTrace) -> str | None:
    if not is_game(registry, rules.arbiter):
        return f"the arbiter {checksummed(rules.arbiter)} is no replay game of this registry"
    needed = RULING_WINDOWS * rules.response_window
    if rules.ruling_window < needed:
        return f"the network's ruling window is {rules.ruling_window} s; a game needs {needed} s"
    reason = too_large_to_play(trace.model)
    if reason is not None:
        return f"the model is too large for a game: {reason}"
    return unprovable(trace.model)
