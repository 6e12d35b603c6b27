"""One element computed by the contract from openings, against the engine; and what must not pass.

any step     random shapes, rows, inputs and places: contract = twin = engine
large        tensors of four levels, K = 32,768, rows of six levels
openings     each pre-image flipped, cut, swapped, left out, added | another's row, place
program      steps that QI8-1 does not allow, scales, roots that are missing
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis.strategies import DrawFn

pytest.importorskip("pyrevm", reason="pyrevm has no wheel for this Python or processor")

from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.protocol.keccak import keccak256
from tallystick.replay.game import GameTrace
from tallystick.replay.trace import TensorTree
from tests.contracts.replay.test_run import few_kernels, windows
from tests.support.chain import reverts
from tests.support.plain_qi8 import (
    AVERAGE_POOL,
    CONCAT,
    CONVOLUTION,
    LOOKUP,
    MAX_POOL,
    RECALL,
    SUM,
    Net,
    StepRecord,
    conv,
    dense,
    joined,
    windowed,
)
from tests.support.replay import random_net
from tests.support.replay_game import GameCaller, element, model_of, trace_of

SEED = st.integers(0, 2**32 - 1)


@pytest.fixture(scope="module")
def game() -> GameCaller:
    return GameCaller()


def check(game: GameCaller, trace: GameTrace, index: int, place: int) -> None:
    expected = trace.trees[index + 1].data[place]
    assert element(trace, index, place).value == expected
    assert game.compute(trace, index, place) == expected


@st.composite
def steps(draw: DrawFn) -> list[StepRecord]:
    """A table of an image, and a step of any kind behind it."""
    kind = draw(st.integers(1, 9))
    if kind == 1:
        size = draw(st.integers(1, 4000))
        first, last = (
            (1, 1, size),
            dense(size, draw(st.integers(1, 9)), zw=draw(st.integers(0, 255))),
        )
    elif kind in (CONVOLUTION, MAX_POOL, AVERAGE_POOL):
        last = draw(windows(kind))
        first = (last.in_h, last.in_w, last.in_c)
    elif kind == 9:
        last = draw(few_kernels())
        first = (last.in_h, last.in_w, last.in_c)
    else:
        first = draw(st.tuples(*[st.integers(1, 12)] * 2, st.integers(1, 40)))
        fields: dict[str, Any] = {}
        if kind == SUM:
            names = ("za", "zw", "zy")
            fields = {name: draw(st.integers(0, 255)) for name in names} | {"hi": 255}
        last = joined(kind, first, 0, first[2] if kind == CONCAT else 0, **fields)
    return [joined(LOOKUP, first, 0), last]


@settings(max_examples=300, deadline=None)
@given(steps(), SEED, st.data())
def test_element__of_any_step__is_the_engines(
    game: GameCaller, records: list[StepRecord], seed: int, data: st.DataObject
) -> None:
    trace = trace_of(random_net(records, seed), seed)
    for index, record in enumerate(records):
        check(game, trace, index, data.draw(st.integers(0, record.out_size - 1)))


def test_element__every_one_of_a_residual_net__is_the_engines(game: GameCaller) -> None:
    trace = trace_of(random_net(RESIDUAL, seed=11))
    for index, record in enumerate(RESIDUAL):
        for place in range(record.out_size):
            check(game, trace, index, place)


def test_element__of_tensors_and_rows_of_many_levels__is_the_engines(game: GameCaller) -> None:
    records = [
        windowed(CONVOLUTION, (60, 60, 16), 64, (3, 3), pads=(1,) * 4),
        windowed(CONVOLUTION, (60, 60, 64), 64, (3, 3), (2, 2), (1,) * 4, groups=64),
        conv((30, 30, 64), 64, 1),
        windowed(CONVOLUTION, (30, 30, 64), 300, (30, 30), groups=4),
        joined(LOOKUP, (1, 1, 300), 0),
    ]
    net = random_net(records, seed=3)
    trace = trace_of(net)
    assert len(trace.rows.levels) == 6 and len(trace.trees[1].levels) == 4
    for index, record in enumerate(records):
        for place in (0, record.out_size // 2 + 7, record.out_size - 1):
            check(game, trace, index, place)


def test_element__of_a_model_without_rows__is_the_engines(game: GameCaller) -> None:
    records = [
        joined(RECALL, (3, 3, 4), 0),
        windowed(MAX_POOL, (3, 3, 4), 4, (2, 2)),
    ]
    trace = trace_of(random_net(records, seed=5))
    assert trace.program()[1] == keccak256(b"")
    for index in range(2):
        check(game, trace, index, 7)


def test_element__k_of_32_768__is_the_engines(game: GameCaller) -> None:
    trace = trace_of(random_net([dense(32_768, 3, zw=128)], seed=5))
    check(game, trace, 0, 2)


RESIDUAL = [
    replace(conv((4, 4, 2), 4, 3, pad=1), za=9, zw=128, zy=100),
    conv((4, 4, 4), 4, 1),
    joined(SUM, (4, 4, 4), 1, za=4, zw=100, zy=120, hi=255),
    joined(CONCAT, (4, 4, 4), 1, 4),
    windowed(MAX_POOL, (4, 4, 8), 8, (2, 2), (2, 2)),
    joined(RECALL, (4, 4, 2), 0),
    dense(32, 7, zw=128, zy=128),
]
WIDE = [
    joined(LOOKUP, (20, 20, 9), 0),
    replace(conv((20, 20, 9), 12, 3, pad=1), zw=128),
    joined(SUM, (20, 20, 12), 2, hi=255),
]


@pytest.fixture(scope="module")
def wide() -> GameTrace:
    """Tensors of four chunks and more, rows of two."""
    trace = trace_of(random_net(WIDE, seed=2))
    assert [len(tree.levels) for tree in (*trace.trees, trace.rows)] == [2] * 5
    return trace


@pytest.mark.parametrize("part", range(3))
def test_opening__any_pre_image_changed__reverts(
    game: GameCaller, wide: GameTrace, part: int
) -> None:
    proof = element(wide, 2, 2000).abi()
    for at, node in enumerate(proof[part]):
        middle = len(node) // 2
        for changed in (
            bytes([node[0] ^ 1]) + node[1:],
            node[:middle] + bytes([node[middle] ^ 0x80]) + node[middle + 1 :],
            node[:-1] + bytes([node[-1] ^ 1]),
            node[:-1],
            node + b"\0",
            b"",
        ):
            nodes = (*proof[part][:at], changed, *proof[part][at + 1 :])
            with reverts("NodeMismatch"):
                game.compute(wide, 2, 2000, proof=(*proof[:part], nodes, *proof[part + 1 :]))


@pytest.mark.parametrize("part", range(3))
def test_opening__pre_image_left_out_added_or_swapped__reverts(
    game: GameCaller, wide: GameTrace, part: int
) -> None:
    proof = element(wide, 2, 2000).abi()
    nodes = proof[part]
    for changed, error in (
        (nodes[:-1], "NodeMissing"),
        ((), "NodeMissing"),
        (nodes[1:], "NodeMismatch"),
        (nodes[::-1], "NodeMismatch"),
        ((*nodes, nodes[-1]), "NodesLeft"),
        ((*nodes, b""), "NodesLeft"),
    ):
        with reverts(error):
            game.compute(wide, 2, 2000, proof=(*proof[:part], changed, *proof[part + 1 :]))


def test_opening__of_another_place_or_row__reverts(game: GameCaller, wide: GameTrace) -> None:
    # Another pixel's chunks, another channel's row.
    for place in (4788, 11):
        with reverts("NodeMismatch"):
            game.compute(wide, 1, 0, proof=element(wide, 1, place).abi())


def test_opening__node_passed_for_a_chunk__reverts(game: GameCaller) -> None:
    """A tensor of 64 bytes that is the node over a tensor of two chunks has the same root."""
    large = np.random.default_rng(1).bytes(2048)
    tree = TensorTree.of(large)
    node = tree.levels[0]
    assert TensorTree.of(node).root == tree.root
    net = random_net([joined(LOOKUP, (1, 1, 2048), 0)], seed=1)
    trace = GameTrace.of(model_of(net), large)
    proof = element(trace, 0, 0).abi()

    with reverts("NodeMismatch"):
        game.compute(trace, 0, 0, proof=((node, node), (), proof[2]))
    with reverts("NodesLeft"):
        short = random_net([joined(LOOKUP, (1, 1, 64), 0)], seed=1)
        small = GameTrace.of(model_of(short), node)
        game.compute(small, 0, 0, proof=((node, large[:1024]), (), proof[2]))


def test_element__of_another_model_or_trace__reverts(game: GameCaller, wide: GameTrace) -> None:
    steps_, root = wide.program()
    with reverts("NodeMismatch"):
        game.compute(wide, 1, 5, program=(steps_, bytes(32)))
    with reverts("NodeMismatch"):
        game.compute(wide, 1, 5, roots=wide.roots[32:] + wide.roots[:32])
    with reverts("RootsMismatch"):
        game.compute(wide, 1, 5, roots=wide.roots[32:])
    with reverts("StepsMalformed"):
        game.compute(wide, 1, 5, program=(steps_[:-1], root))
    with reverts("StepInvalid", index=3):
        game.compute(wide, 3, 5, proof=((), (), ()))
    with reverts("ElementOutOfRange", place=4800, count=4800):
        game.compute(wide, 1, 4800, proof=((), (), ()))


@pytest.mark.parametrize(
    ("index", "changes"),
    [
        (1, {"k": 80}),
        (1, {"k": 82}),
        (1, {"za": 256}),
        (1, {"zy": 256}),
        (1, {"lo": 9, "hi": 8}),
        (1, {"hi": 256}),
        (1, {"groups": 2}),
        (1, {"in_h": 10, "in_w": 40}),
        (1, {"out_h": 30}),
        (1, {"out_c": 0}),
        (2, {"groups": 3}),
        (2, {"groups": 0}),
        (2, {"out_c": 13}),
        (2, {"kind": 9}),
    ],
)
def test_element__of_steps_that_qi8_does_not_allow__reverts(
    game: GameCaller, wide: GameTrace, index: int, changes: dict[str, int]
) -> None:
    broken: Net = random_net(WIDE, seed=2).with_record(index, **changes)
    proof = element(wide, 0, 0).abi()

    with reverts("StepInvalid", index=index):
        game.compute(wide, 0, 0, program=(broken.steps, wide.rows.root), proof=proof)


@pytest.mark.parametrize(
    "scale", [0, 1, 0x007FFFFF, 0x7F800000, 0x7FC00000, 0x80000000, 0xBF800000]
)
def test_element__of_a_scale_that_is_not_normal__reverts(game: GameCaller, scale: int) -> None:
    net = random_net([dense(10, 3)], seed=2)
    layer = net.layers[0]
    rows = [replace(layer.rows[0], scale=scale), *layer.rows[1:]]
    model = model_of(net.with_layer(0, replace(layer, rows=rows)))
    trace = GameTrace.of_tensors(model, [bytes(10), bytes(3)])

    with reverts("ScaleInvalid", bits=scale):
        game.compute(trace, 0, 0)


def test_element__of_a_model_too_large_for_a_move__reverts(game: GameCaller) -> None:
    record = joined(LOOKUP, (340, 340, 1), 0)
    trace = GameTrace.of_tensors(model_of(random_net([record], 1)), [bytes(115_600)] * 2)

    with reverts("ModelTooLarge", size=115_600, limit=114_688):
        game.compute(trace, 0, 0)
