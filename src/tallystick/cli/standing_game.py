"""The replay game of a challenged batch, as commands tell of it."""

from typing import Any

from tallystick.actions.chain_view import ChainView
from tallystick.actions.game.moves import Game
from tallystick.actions.game.playable import is_game
from tallystick.cli.session import Session
from tallystick.protocol.ledger import BatchState
from tallystick.storage.models.content import needs_trace


def standing_game(session: Session, here: ChainView, record: BatchState) -> dict[str, Any] | None:
    """Return the move that a batch's game waits for; None where no game settles its challenge.

    Args:
        session: of the command.
        here: its view of the chain.
        record: the batch.
    """
    rules, model = here.rules(record), here.ledger.models[record.batch.model_id]
    if record.dispute is None or not needs_trace(model.spec_hash):
        return None
    if not is_game(session.registry, rules.arbiter):
        return None
    game = Game.read(session.registry, record, rules, model)
    if game is None:
        return None
    turn = game.turn
    return {"waits_for": turn.name, "side": turn.side.value, "until": turn.until}
