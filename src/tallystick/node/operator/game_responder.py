"""Stands by what was committed where a replay game rules: makes the operator's moves in time.

What is due is read from the chain each time, so that a process which comes after a crash goes on
where the chain is. The trace is computed from the batch's data when a move needs it.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from tallystick.actions.chain_view import ActionError
from tallystick.actions.game.moves import Game
from tallystick.actions.game.playable import is_game
from tallystick.actions.game.turn import CLAIM, Side
from tallystick.node.operator.lane import OperatorLane
from tallystick.node.operator.models import LoadedModel
from tallystick.node.operator.pipeline import Landed, Pipeline
from tallystick.protocol.enums import DisputeKind
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.ledger import BatchState
from tallystick.replay.game import GameTrace
from tallystick.storage.models.content import needs_trace

_AGAIN_AFTER = 5.0
"""Seconds after which a move that could not be made is tried again: a trace takes a while."""


@dataclass(slots=True)
class GameResponder:
    """Plays the operator's side of the games about the lane's batches."""

    lane: OperatorLane
    pipeline: Pipeline
    models: Mapping[bytes, LoadedModel]
    """Served ones, by their ids."""
    _over: dict[bytes, int] = field(default_factory=dict)
    """Batches whose game a claim has ended, and the block that holds it."""
    _not_before: dict[bytes, float] = field(default_factory=dict)
    """Batches of which a move failed; seconds of the monotonic clock."""

    def play(self) -> None:
        """Make each move that is due, the most urgent first, and see to those sent.

        Raises:
            Exception: the first failure, once all games were looked at.
        """
        self.pipeline.settle(self.lane.head.now)
        failures: list[Exception] = []
        for record in self._challenged():
            if self.pipeline.is_full:
                break
            if self.pipeline.is_about(record.id) or self._is_over(record.id):
                continue
            if time.monotonic() < self._not_before.get(record.id, 0.0):
                continue
            try:
                self._move(record)
            except Exception as error:
                reason = " ".join(str(error).split())
                self.lane.log.error("no move in a game yet", batch_id=record.id, reason=reason)
                self._not_before[record.id] = time.monotonic() + _AGAIN_AFTER
                failures.append(error)
        if self.pipeline.settle(self.lane.head.now):
            self.lane.follower.advance()
        if failures:
            raise failures[0]

    def _move(self, record: BatchState) -> None:
        lane = self.lane
        rules = lane.ledger.networks[record.batch.network_id].rules
        model = lane.ledger.models[record.batch.model_id]
        if not is_game(lane.registry, rules.arbiter):
            return
        game = Game.read(lane.registry, record, rules, model)
        move = game.turn.move_of(Side.OPERATOR, lane.head.now) if game else None
        if game is None or move is None:
            return
        assert record.dispute is not None
        index = record.dispute.leaf_index
        leaf = lane.data(record).leaf(index)
        call = game.call(
            move, leaf.opening.inference, lambda: self._trace(record, leaf.record.input)
        )
        gas = lane.sender.simulate(call)
        until = record.dispute.due if move == CLAIM else game.turn.until
        self.pipeline.send(call, [record.id], gas, until, self._note)
        lane.log.info("move in a game", batch_id=record.id, leaf_index=index, move=move, due=until)

    def _trace(self, record: BatchState, data: bytes | None) -> GameTrace:
        served = self.models.get(record.batch.model_id)
        trace = served.trace(data) if served is not None and data is not None else None
        if trace is None:
            lacking = "input" if served is not None else f"model {to_hex(record.batch.model_id)}"
            raise ActionError(f"the operator's moves need the {lacking}, which the node lacks")
        return trace

    def _note(self, landed: Landed) -> None:
        lane, receipt, name = self.lane, landed.receipt, landed.flight.call.name
        if receipt is None:
            return
        (batch_id,) = landed.flight.about
        if receipt["status"] != 1:
            lane.metrics.failures.labels("game").inc()
            lane.log.error("a move in a game was refused", batch_id=batch_id, move=name)
            return
        lane.metrics.game_moves.labels(name).inc()
        lane.log.info("move in a game mined", batch_id=batch_id, move=name)
        if name == CLAIM:
            self._over[batch_id] = receipt["blockNumber"]

    def _is_over(self, batch_id: bytes) -> bool:
        """Return whether a block holds the end of a game that the ledger has not come to."""
        block = self._over.get(batch_id)
        if block is not None and block <= self.lane.head.number:
            del self._over[batch_id]
            return False
        return block is not None

    def _challenged(self) -> list[BatchState]:
        """Return batches whose challenge may be settled by a game, the most urgent first."""
        models = self.lane.ledger.models
        found = [
            (record.dispute.due, record.id, record)
            for record in self.lane.held_batches()
            if record.dispute is not None
            and record.dispute.kind is DisputeKind.CHALLENGE
            and record.dispute.due >= self.lane.head.now
            and needs_trace(models[record.batch.model_id].spec_hash)
        ]
        return [record for _, _, record in sorted(found, key=lambda one: one[:2])]
