"""Moves of a replay game off chain, and what they are said to cost.

content hash      as docs/replay-game.md has it | a model without rows
moves             the first root, chunk and element that differ | nothing differs
too large         the answer | the input | the output, by a byte
costs             of each move, beside what was measured on chain
QI8-1T            content hash of a file | an operator's traceRoot
"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tallystick.errors import FieldError
from tallystick.node.operator.models import LoadedModel
from tallystick.node.settings import ServedModel
from tallystick.protocol.keccak import keccak256
from tallystick.replay.game import (
    INPUT,
    NONE,
    GameTrace,
    game_content_hash,
    in_question,
    too_large_to_play,
)
from tallystick.replay.game_cost import move_costs, unprovable
from tallystick.replay.trace import trace_root
from tallystick.storage.models.content import content_hash
from tests.gas.replay_game import CASES, MOVES
from tests.support.plain_qi8 import LOOKUP, MAX_POOL, conv, joined, windowed
from tests.support.replay import random_net
from tests.support.replay_game import model_of, trace_of

SNAPSHOT = Path(__file__).parents[2] / "gas" / "replay_game_snapshot.json"
NET = random_net(
    [joined(LOOKUP, (20, 20, 9), 0), replace(conv((20, 20, 9), 12, 3, pad=1), zw=128)], seed=2
)


def test_content_hash__of_steps_and_the_root_of_rows() -> None:
    hashes = [layer.record.hash() for layer in NET.layers]
    rows = NET.rows
    root = keccak256(keccak256(rows[:1024]) + keccak256(rows[1024:]))
    assert 1024 < len(rows) <= 2048
    head = keccak256(b"QI8-1T") + (96).to_bytes(32, "big") + root + (2).to_bytes(32, "big")

    assert game_content_hash(model_of(NET)) == keccak256(head + b"".join(hashes))
    bare = model_of(random_net([windowed(MAX_POOL, (2, 2, 1), 1, (2, 2))], 1))
    head = keccak256(b"QI8-1T") + (96).to_bytes(32, "big") + keccak256(b"")
    assert game_content_hash(bare) == keccak256(
        head + (1).to_bytes(32, "big") + bare.steps[0].hash()
    )


def test_moves__of_one_wrong_byte__find_it() -> None:
    ours = trace_of(NET)
    tensors = [tree.data for tree in ours.trees]
    assert ours.trace_root == trace_root(tensors)
    wrong = bytearray(tensors[2])
    wrong[3000] ^= 1
    theirs = GameTrace.of_tensors(ours.model, [*tensors[:2], bytes(wrong)])

    roots, hashes = theirs.answer(ours.roots)
    assert in_question(ours.roots, roots) == 2
    chunk, nodes = ours.choose(2, hashes)
    assert (chunk, nodes) == (2, (theirs.trees[2].levels[0],))
    offset, element = ours.prove(2, chunk, theirs.show(2, chunk))
    assert (offset, element.value) == (3000 - 2048, tensors[2][3000])

    with pytest.raises(FieldError, match="all as computed here"):
        ours.choose(1, ours.trees[1].levels[0])
    with pytest.raises(FieldError, match="as computed here"):
        ours.prove(2, chunk, ours.show(2, chunk))


def test_answer__of_another_input_or_the_same_trace__brings_no_hashes() -> None:
    ours, other = trace_of(NET), trace_of(NET, seed=9)

    assert ours.answer(other.roots) == (ours.roots, b"")
    assert in_question(other.roots, ours.roots) == INPUT
    assert ours.answer(ours.roots) == (ours.roots, b"")
    assert in_question(ours.roots, ours.roots) == NONE


def test_trace__input_of_another_size__is_refused() -> None:
    with pytest.raises(FieldError, match="3599 bytes; needed: 3600 bytes"):
        GameTrace.of(model_of(NET), bytes(3599))


@pytest.mark.parametrize(
    ("records", "reason"),
    [
        ([joined(LOOKUP, (112, 1024, 1), 0)], None),
        ([joined(LOOKUP, (1, 38_229, 3), 0)], None),
        ([joined(LOOKUP, (113, 1024, 1), 0)], "its input has 115,712 bytes"),
        (
            [windowed(MAX_POOL, (10, 10, 9), 9, (1, 1)), conv((10, 10, 9), 1200, 1)],
            "its output has 120,000 bytes",
        ),
        (
            [
                conv((100, 100, 9), 380, 1),
                windowed(MAX_POOL, (100, 100, 380), 380, (100, 100)),
            ],
            "an answer of the operator's has 119,024 bytes; a move holds 114,688",
        ),
    ],
)
def test_too_large_to_play__by_what_is_larger_than_a_move(
    records: list[object], reason: str | None
) -> None:
    found = too_large_to_play(model_of(random_net(records, 1)))  # type: ignore[arg-type]

    assert found is None if reason is None else reason in str(found)


@pytest.mark.parametrize("name", CASES)
def test_move_costs__beside_what_was_measured__are_right_to_about_a_half(name: str) -> None:
    record, _, *after = CASES[name]
    model = model_of(random_net([record, *after], 1))
    trace = GameTrace.of(model, np.random.default_rng(1).bytes(model.steps[0].in_size))
    measured = json.loads(SNAPSHOT.read_text())[name]

    costs = {one.name: one for one in move_costs(trace)}

    assert list(costs) == list(MOVES)
    if after:
        # The pool over the whole image behind it: no transaction holds what its element takes.
        assert "its move prove may take" in str(unprovable(list(costs.values())))
        assert costs.pop("prove").size > 128 * 1024
    assert unprovable(list(costs.values())) is None
    for move, one in costs.items():
        assert 2 / 3 <= one.gas / measured[move] <= 3 / 2, (move, one, measured[move])


def test_content_hash__of_a_file_under_qi8_1t__is_that_of_the_game(tmp_path: Path) -> None:
    model = model_of(NET)
    file = tmp_path / "net.qi8"
    file.write_bytes(model.to_bytes())

    assert content_hash(file, keccak256(b"QI8-1T")) == game_content_hash(model)
    assert content_hash(file, keccak256(b"QI8-1")) == model.content_hash()
    assert game_content_hash(model) != model.content_hash()


def test_operator__of_a_qi8_1t_model__gives_each_leaf_its_trace_root(tmp_path: Path) -> None:
    ours = trace_of(NET)
    file = tmp_path / "net.qi8"
    file.write_bytes(ours.model.to_bytes())
    served = ServedModel(id="0x" + "11" * 32, file=file, runner="qi8")
    inputs = [ours.trees[0].data]

    for spec, root in ((b"QI8-1T", ours.trace_root), (b"QI8-1", bytes(32))):
        (ran,) = LoadedModel(served, bytes(32), keccak256(spec)).run(inputs)
        assert (ran.output, ran.trace_root) == (ours.trees[-1].data, root)
