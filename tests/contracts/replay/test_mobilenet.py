"""Whole games about a MobileNet of half a million weights, each move by `GameTrace`.

cheat       another depthwise layer, a wrong byte, another input's trace, an answer of none
challenger  lies, and falls silent at each of its moves, or proves what it can
net         30 steps, about half a million weights, no dead tensor
"""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from tallystick.protocol.enums import Cause
from tallystick.protocol.events import BatchRejected
from tallystick.protocol.keccak import keccak256
from tallystick.replay.game import INPUT, NONE, GameTrace
from tallystick.replay.model import Model
from tallystick.replay.step import StepKind
from tests.support.chain import Chain, reverts
from tests.support.mobilenet import CLASSES, image_bytes, mobilenet
from tests.support.replay_game import element
from tests.support.replay_play import WINDOW, Match, Table, convicted, finish, found, upheld
from tests.support.story import RULES

DATA = image_bytes()
DEPTHWISE = 13
"""Index of a depthwise layer in the middle."""
MOST_MOVES = 4
"""After the game's opening."""


@pytest.fixture(scope="module")
def true() -> GameTrace:
    return GameTrace.of(mobilenet(), DATA)


@pytest.fixture
def table(chain: Chain, network_owner: bytes, operator: bytes, challenger: bytes) -> Table:
    return found(chain, network_owner, operator, challenger, mobilenet(), DATA)


def cheaper(index: int) -> Model:
    """Return the net with one layer's weights all in their middle: it takes no products."""
    model = mobilenet()
    start = sum(step.rows_size for step in model.steps[:index])
    step = model.steps[index]
    rows = bytearray(model.rows)
    for row in range(step.row_count):
        at = start + row * step.row_size
        rows[at + 12 : at + step.row_size] = bytes([step.zw]) * step.k
    return replace(model, rows=bytes(rows))


def cheating(model: Model) -> GameTrace:
    """Return what an operator has who runs another model, in the name of the registered one."""
    tensors = [tree.data for tree in GameTrace.of(model, DATA).trees]
    return GameTrace.of_tensors(mobilenet(), tensors)


def altered(true: GameTrace, tensor: int, place: int) -> GameTrace:
    """Return a trace with one byte wrong, and what follows as it was."""
    tensors = [tree.data for tree in true.trees]
    wrong = bytearray(tensors[tensor])
    wrong[place] ^= 1
    tensors[tensor] = bytes(wrong)
    return GameTrace.of_tensors(true.model, tensors)


def played(match: Match, theirs: GameTrace, ours: GameTrace) -> int:
    """Play to the last move but one; returns the tensor in question."""
    match.until(2, theirs, ours)
    tensor = match.state["tensor"]
    moves = 2
    if tensor not in (INPUT, NONE):
        hashes = theirs.trees[tensor].levels[0]
        match.choose(*ours.choose(tensor, hashes))
        match.show(theirs.show(tensor, match.state["chunk"]))
        moves += 2
    assert moves <= MOST_MOVES
    return tensor


def test_net__is_of_30_steps_and_no_tensor_is_dead(true: GameTrace) -> None:
    model = mobilenet()
    kinds = Counter(step.kind for step in model.steps)
    assert kinds == {StepKind.CONV: 28, StepKind.AVERAGE_POOL: 1, StepKind.DENSE: 1}
    depthwise = [step for step in model.steps if step.groups > 1]
    assert len(depthwise) == 14
    assert 450_000 < sum(step.row_count * step.k for step in model.steps) < 500_000
    for tree in true.trees:
        assert len(np.unique(np.frombuffer(tree.data, np.uint8))) > 50


@pytest.mark.parametrize(
    ("theirs", "tensor"),
    [
        (lambda true: cheating(cheaper(DEPTHWISE)), DEPTHWISE + 1),
        (lambda true: altered(true, DEPTHWISE + 1, 8000), DEPTHWISE + 1),
        (lambda true: altered(true, 3, 65_535), 3),
        (lambda true: altered(true, 29, 255), 29),
        (lambda true: altered(true, 30, CLASSES - 1), 30),
        (lambda true: GameTrace.of(mobilenet(), image_bytes(5)), INPUT),
    ],
    ids=["depthwise layer", "one byte", "largest tensor", "mean", "answer", "input"],
)
def test_game__cheat__is_convicted_in_four_moves(
    table: Table, operator: bytes, challenger: bytes, true: GameTrace, theirs: object, tensor: int
) -> None:
    wrong: GameTrace = theirs(true)  # type: ignore[operator]
    before = table.network.credit(challenger)
    match = table.challenge(table.commit(operator, wrong, count=3), challenger, 1)

    assert played(match, wrong, true) == tensor

    convicted(table, finish(match, wrong, true), challenger, 3)
    assert table.network.credit(challenger) == before + 3 * RULES.stake_per_inference // 2


def test_game__answer_of_no_trace__is_convicted_by_the_output(
    table: Table, operator: bytes, challenger: bytes, true: GameTrace
) -> None:
    batch = table.commit(operator, true, output_hash=keccak256(bytes(CLASSES)))
    match = table.challenge(batch, challenger)

    assert played(match, true, true) == NONE

    convicted(table, finish(match, true, true), challenger)


def test_rule__zero_trace_root__is_disproved_at_once(
    table: Table, operator: bytes, challenger: bytes, true: GameTrace
) -> None:
    batch = table.commit(operator, true, trace_root=bytes(32))
    arguments = batch.pre_image(), batch.opening(0), table.disproof(true)

    mined = table.chain.send(challenger, "disprove", *arguments)

    assert mined.event(BatchRejected).cause is Cause.DISPROOF


@pytest.mark.parametrize("phase", [0, 2, 4], ids=["open", "choose", "prove"])
@pytest.mark.parametrize(
    "ours",
    [lambda true: cheating(cheaper(DEPTHWISE)), lambda true: altered(true, 30, 0)],
    ids=["depthwise layer", "answer"],
)
def test_game__lying_challenger__loses_at_whatever_move_it_stops(
    table: Table, operator: bytes, challenger: bytes, true: GameTrace, ours: object, phase: int
) -> None:
    lying: GameTrace = ours(true)  # type: ignore[operator]
    stake = table.network.lane(operator).stake
    match = table.challenge(table.commit(operator, true), challenger)
    match.until(phase, true, lying)
    if phase == 4:
        tensor, chunk = match.state["tensor"], match.state["chunk"]
        shown = true.show(tensor, chunk)
        offset, proof = lying.prove(tensor, chunk, shown)
        # What its first lie is computed from is true: the proof says what was shown.
        assert proof == element(true, tensor - 1, 1024 * chunk + offset)
        with reverts("NotWrong"):
            match.prove(true, true.roots, shown, offset, proof)
        with reverts("RootsMismatch"):
            match.prove(lying, lying.roots, shown, offset, proof)

    due = match.state["due"] if phase else match.dispute.due - 4 * WINDOW - WINDOW // 2
    table.chain.at(due + 1)
    upheld(table, match.claim(operator))
    assert table.network.lane(operator).stake == stake
