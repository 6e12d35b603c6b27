"""Replay games as commands play them: a run makes the moves that are due, the next one goes on.

Nothing is kept between two runs but what the chain has.
"""

from dataclasses import replace
from functools import cache
from pathlib import Path
from time import sleep

import click

from tallystick.actions.chain_view import ActionError
from tallystick.actions.convict import disprove
from tallystick.actions.game.moves import Game
from tallystick.actions.game.playable import is_game, plan
from tallystick.actions.game.turn import Side
from tallystick.actions.open_batch import challenge
from tallystick.actions.rerun import input_of, proof, takes_game
from tallystick.cli.command import CommandError
from tallystick.cli.replays import Loaded, load, wrong_leaf
from tallystick.cli.session import Session
from tallystick.cli.targets import view
from tallystick.errors import FieldError
from tallystick.protocol.batch import Dispute
from tallystick.protocol.enums import DisputeKind, State
from tallystick.protocol.hexes import checksummed
from tallystick.protocol.ledger import BatchState
from tallystick.replay.game import GameTrace

_LOOK_EVERY = 2.0
"""Seconds between two looks for the other side's move."""


def convict(
    session: Session, key: bytes, leaf: int | None, file: Path, store: str, wait: bool
) -> None:
    """Prove a wrong leaf of a batch wrong: at once where that can be done, else by a game.

    Args:
        session: of the command.
        key: the batch's id.
        leaf: index of the leaf; None: the first wrong one.
        file: the batch's model.
        store: of its data.
        wait: go on until the game is over.

    Raises:
        ActionError: there is no wrong leaf, or none of it, or no game about it, can be begun now.
    """
    loaded = load(session, key, file, store)
    dispute = _challenge_of(loaded.data.record)
    own = dispute is not None and dispute.party == session.sender.address and loaded.is_traced
    if own and dispute is not None:
        index = dispute.leaf_index
        if leaf not in (None, index):
            raise CommandError(f"the game is about leaf {index}")
    else:
        index = wrong_leaf(loaded, leaf)
    if not takes_game(*loaded, index):
        here, opening = view(session, key), loaded.data.opening(index)
        call = disprove(here, session.registry, key, opening, proof(*loaded, index))
        session.perform(call, batch_id=key, leaf_index=index)
        return
    if dispute is not None and not own:
        party = checksummed(dispute.party)
        raise CommandError(
            f"leaf {index} takes a game, and a challenge of {party} stands: wait for its end"
        )
    if not own:
        _begin(session, loaded, index)
    if own or not session.dry_run:
        _play(session, loaded, Side.CHALLENGER, wait)


def defend(session: Session, key: bytes, file: Path, store: str, wait: bool) -> None:
    """Make the operator's moves in the game about a challenged batch; see convict for arguments."""
    loaded = load(session, key, file, store)
    if _challenge_of(loaded.data.record) is None:
        raise CommandError("the batch has no challenge pending, so there is no game about it")
    _play(session, loaded, Side.OPERATOR, wait)


def _begin(session: Session, loaded: Loaded, index: int) -> None:
    """Tell what a game takes, and challenge the leaf."""
    record, key = loaded.data.record, loaded.data.record.id
    here = view(session, key)
    planned = plan(session.registry, here.rules(record), _trace(loaded, index))
    session.show(
        [
            {"move": one.name, "side": one.side, "bytes": one.size, "gas": one.gas}
            for one in planned.moves
        ]
    )
    if planned.obstacle is not None:
        raise CommandError(f"leaf {index} is wrong, and no game can be played: {planned.obstacle}")
    call = challenge(here, session.registry, key, loaded.data.opening(index))
    bond = here.rules(record).challenge_bond
    session.perform(call, batch_id=key, leaf_index=index, bond=bond)


def _play(session: Session, loaded: Loaded, side: Side, wait: bool) -> None:
    """Make a side's moves until it has to wait for the other, or the game is over."""
    key, registry = loaded.data.record.id, session.registry
    here = view(session, key)
    begun = replace(here.batch(key))
    dispute, rules = _challenge_of(begun), here.rules(begun)
    if dispute is None:
        raise ActionError("the challenge is over")
    index = dispute.leaf_index
    if not is_game(registry, rules.arbiter):
        raise CommandError(f"the arbiter {checksummed(rules.arbiter)} is no replay game")
    model = loaded.ledger.models[begun.batch.model_id]
    leaf = loaded.data.opening(index).inference
    trace = cache(lambda: _trace(loaded, index))
    while (game := Game.read(registry, begun, rules, model)) is not None:
        turn, now = game.turn, session.now
        move = turn.move_of(side, now)
        if move is not None:
            session.perform(game.call(move, leaf, trace), batch_id=key, leaf_index=index)
            if session.dry_run:
                return
            continue
        if turn.side is side:
            raise CommandError(
                f"too late: {turn.name} was due until {turn.until}; whoever claims ends the game"
            )
        if not wait or session.dry_run:
            _tell_wait(session, key, turn.name, turn.until)
            return
        sleep(_LOOK_EVERY)
    _tell_end(session, key, side)


def _tell_wait(session: Session, key: bytes, name: str, until: int) -> None:
    session.show({"batch_id": key, "state": "disputed", "waits_for": name, "until": until})
    click.echo("the same command again goes on", err=True)


def _tell_end(session: Session, key: bytes, side: Side) -> None:
    state = view(session, key).batch(key).state
    session.show({"batch_id": key, "state": state.name.lower()})
    if (state is State.REJECTED) is (side is Side.OPERATOR):
        raise CommandError(f"the game is lost: the batch is {state.name.lower()}")


def _challenge_of(record: BatchState) -> Dispute | None:
    dispute = record.dispute
    return dispute if dispute and dispute.kind is DisputeKind.CHALLENGE else None


def _trace(loaded: Loaded, index: int) -> GameTrace:
    try:
        return GameTrace.of(loaded.model, input_of(loaded.data, index))
    except FieldError as error:
        raise ActionError(
            f"leaf {index} has an input that the model does not take: {error}"
        ) from error
