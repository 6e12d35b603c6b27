"""The challenger's side of replay games: this node's challenges, played to their end.

What is due is read from the chain each time, so that a node that comes after a crash goes on where
the chain is; the outbox sees to it that each move is sent once.
"""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tallystick.actions.chain_view import ActionError
from tallystick.actions.game.moves import Game, is_wrong
from tallystick.actions.game.playable import plan
from tallystick.actions.game.turn import OPEN, Side
from tallystick.chain.replay_game import game_core
from tallystick.node.log import get_log
from tallystick.node.verifier.backoff import Backoff
from tallystick.node.verifier.inspector import Inspector
from tallystick.node.verifier.locks import taken
from tallystick.node.verifier.models import Models, TracedRerun
from tallystick.node.verifier.outbox import Intent, Outbox, SendResult
from tallystick.node.verifier.watch import OpenBatch, Watch
from tallystick.protocol.enums import DisputeKind
from tallystick.protocol.hexes import checksummed
from tallystick.protocol.ledger import BatchState
from tallystick.protocol.opening import OpenedLeaf
from tallystick.replay.game import GameTrace
from tallystick.storage.models.content import needs_trace

_LOG = get_log("verifier")


class Games:
    """The games of this node's challenges.

    Args:
        watch: what is known of the chain.
        inspector: has the batches' leaves.
        outbox: sends, or in a dry run says what it would.
        models: that can be run here.
        backoff: what is put off.
        home: the node's folder; processes share the batches by locks in it.
    """

    def __init__(
        self,
        watch: Watch,
        inspector: Inspector,
        outbox: Outbox,
        models: Models,
        backoff: Backoff,
        home: Path,
    ) -> None:
        self._watch, self._inspector, self._outbox = watch, inspector, outbox
        self._models, self._backoff, self._locks = models, backoff, home / "locks"
        self._cores: dict[bytes, bytes] = {}
        """Registries that arbiters play for, of those that are games."""
        self._others: Counter[bytes] = Counter()
        """How often arbiters seemed to be something else."""

    def play(self, guarded: Callable[..., None]) -> None:
        """Make each move that is due.

        Args:
            guarded: runs one game's work, and logs what fails.
        """
        for record in self._watch.challenges_open():
            assert record.dispute is not None
            if record.dispute.kind is DisputeKind.CHALLENGE:
                guarded("game", lambda record=record: self._play(record), batch=record.id)

    def gas_to_come(self, open_batch: OpenBatch, leaf: OpenedLeaf) -> int | None:
        """Return about how much gas a challenge's moves will use, before it is made.

        Where another arbiter rules, a committee for one, it is none.

        Args:
            open_batch: the batch, in which a leaf is wrong.
            leaf: that one.

        Returns:
            None: the challenge would be lost, or it is not known yet what it takes.
        """
        rerun = self._models.rerun(open_batch.model)
        record, registry = open_batch.record, self._watch.registry
        if not isinstance(rerun, TracedRerun):
            return 0
        if self._core(open_batch.rules.arbiter) is None:
            # So says a node that fails, too: it is believed when it says so again.
            self._others[open_batch.rules.arbiter] += 1
            return 0 if self._others[open_batch.rules.arbiter] > 1 else None
        if not self._backoff.is_time(record.id, "plan"):
            return None
        trace = rerun.trace(leaf.record)
        reason: str | None = "the data lack the leaf's input, or the model takes none such"
        if trace is not None:
            planned = plan(registry, open_batch.rules, trace)
            wrong = is_wrong(leaf.opening.inference, trace)
            reason = planned.obstacle if wrong else "the leaf is the model's"
            if reason is None:
                return planned.gas(Side.CHALLENGER)
        self._backoff.put_off(record.id, "plan")
        index = leaf.opening.leaf_index
        _LOG.warning("no game can be played", batch=record.id, leaf=index, reason=reason)
        return None

    def _play(self, record: BatchState) -> None:
        model = self._watch.model(record)
        # No other model is loaded here: that may take long.
        if model.id not in self._models or not needs_trace(model.spec_hash):
            return
        rerun, rules = self._models.rerun(model), self._watch.rules(record)
        core = self._core(rules.arbiter)
        if not isinstance(rerun, TracedRerun) or core != self._watch.registry.address:
            return
        with taken(self._locks, record.id) as mine:
            game = Game.read(self._watch.registry, record, rules, model) if mine else None
            if game is not None:
                self._move(game, rerun, rules.asset)

    def _move(self, game: Game, rerun: TracedRerun, asset: bytes) -> None:
        """Make the move that is due, unless it is made or was put off."""
        record, dispute = game.record, game.record.dispute
        assert dispute is not None
        move = game.turn.move_of(Side.CHALLENGER, self._watch.clock)
        if move is None or self._outbox.made(record.id, move, dispute.due):
            return
        if not self._backoff.is_time(record.id, move):
            return
        leaf = self._inspector.opened(record, dispute.leaf_index)
        try:
            if leaf is None:
                raise ActionError("no store has the batch's data")
            call = game.call(move, leaf.opening.inference, lambda: _trace(rerun, leaf))
        except ActionError as error:
            self._backoff.put_off(record.id, move)
            _LOG.warning("no move in a game", batch=record.id, move=move, reason=str(error))
            return
        if move == OPEN:
            _LOG.info("a game begins", batch=record.id, arbiter=checksummed(game.arbiter))
        intent = Intent(record.id, call, dispute.due, asset)
        outcome = self._outbox.send(intent, self._watch.now)
        if outcome in (SendResult.REFUSED, SendResult.TOO_DEAR):
            self._backoff.put_off(record.id, move)

    def _core(self, arbiter: bytes) -> bytes | None:
        """Return the registry that an arbiter plays for; None where it seems to be no game."""
        if arbiter not in self._cores:
            core = game_core(self._watch.registry.w3, arbiter)
            if core is None:
                return None
            self._cores[arbiter] = core
        return self._cores[arbiter]


def _trace(rerun: TracedRerun, leaf: OpenedLeaf) -> GameTrace:
    trace = rerun.trace(leaf.record)
    if trace is None:
        raise ActionError("the data lack the leaf's input, or the model takes none such")
    return trace
