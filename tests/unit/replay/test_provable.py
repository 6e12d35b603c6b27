"""The most that a proof of an element may take, beside proofs of elements.

bound       never below a proof of any element tried, of every kind, nor far above the largest
refused     a step by its bytes | by its gas; what has room is not
imported    a MobileNet has room in every step
"""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tallystick.chain.call import encode_call
from tallystick.replay.game import GameTrace
from tallystick.replay.provable import proof_bounds, unprovable
from tallystick.replay.transaction import MAX_GAS, MAX_TRANSACTION
from tests.support.mobilenet import image_bytes, mobilenet
from tests.support.plain_qi8 import (
    AVERAGE_POOL,
    CONCAT,
    CONVOLUTION,
    LOOKUP,
    MAX_POOL,
    RECALL,
    SUM,
    StepRecord,
    conv,
    dense,
    joined,
    windowed,
)
from tests.support.replay import random_net
from tests.support.replay_game import GameCaller, element, model_of, trace_of

ENVELOPE = 200
"""Bytes of a transaction besides its calldata, at most."""
PLACES = 40
SHAPES: dict[str, list[StepRecord]] = {
    "lookup": [joined(LOOKUP, (30, 30, 9), 0)],
    "dense": [dense(5000, 70, zw=128)],
    "dense of 32,768": [dense(32_768, 10, zw=128)],
    "convolution": [replace(conv((9, 9, 300), 120, 3, pad=1), zw=128)],
    "of a whole image": [replace(conv((40, 40, 5), 9, 40), zw=128)],
    "grouped": [
        replace(windowed(CONVOLUTION, (9, 9, 512), 64, (3, 3), pads=(1, 1, 1, 1), groups=2), zw=128)
    ],
    "depthwise": [
        replace(
            windowed(CONVOLUTION, (14, 14, 300), 300, (5, 5), groups=300, pads=(2, 2, 2, 2)), zw=128
        )
    ],
    "max pool": [windowed(MAX_POOL, (60, 60, 4), 4, (60, 60))],
    "max pool of one channel": [windowed(MAX_POOL, (100, 100, 1), 1, (100, 100))],
    "average pool": [windowed(AVERAGE_POOL, (9, 9, 1030), 1030, (9, 9))],
    "joins": [
        joined(LOOKUP, (8, 8, 40), 0),
        joined(RECALL, (8, 8, 40), 0),
        joined(CONCAT, (8, 8, 40), 1, 40),
        joined(SUM, (8, 8, 80), 3, za=9, zw=8, zy=7, hi=255),
    ],
}


def proof(trace: GameTrace, step: int, place: int, head: tuple[Any, Any]) -> bytes:
    """Return calldata of a proof."""
    chunk, offset = divmod(place, 1024)
    shown = trace.show(step + 1, chunk)
    openings = element(trace, step, place).abi()
    arguments = (*head, trace.program(), trace.roots, shown, offset, openings)
    return encode_call("ReplayGame", bytes(20), "proveElement", *arguments).data


@pytest.fixture(scope="module")
def caller() -> GameCaller:
    return GameCaller()


@pytest.fixture(scope="module")
def head() -> tuple[Any, Any]:
    """Pre-image and leaf of a batch, as long as any."""
    batch = (b"n" * 32, "0x" + "77" * 20, 7, b"m" * 32, b"r" * 32, 9, 9)
    dispute = (1, False, "0x" + "77" * 20, 7, 9, b"l" * 32)
    leaf = ("0x" + "77" * 20, 7, 9, b"i" * 32, b"o" * 32, b"t" * 32)
    return (batch, b"s" * 32, dispute), leaf


@pytest.mark.parametrize("name", SHAPES)
def test_bound__any_element__is_not_below_and_not_far_above(
    caller: GameCaller, head: tuple[Any, Any], name: str
) -> None:
    trace = trace_of(random_net(SHAPES[name], seed=3))
    random = np.random.default_rng(4)
    for bound in proof_bounds(trace.model):
        step = trace.model.steps[bound.index]
        size = gas = 0
        for place in {0, step.out_size - 1, *random.integers(0, step.out_size, PLACES).tolist()}:
            size = max(size, len(proof(trace, bound.index, place, head)) + ENVELOPE)
            caller.compute(trace, bound.index, place)
            gas = max(gas, caller.gas_used, 21_000 + 40 * size)
        print(name, bound, size, gas, round(bound.size / size, 2), round(bound.gas / gas, 2))
        assert size <= bound.size <= 1.6 * size + 1000
        assert gas <= bound.gas <= 1.6 * gas + 180_000


def test_bound__mobilenet__has_room_in_every_step() -> None:
    model = mobilenet()

    bounds = list(proof_bounds(model))

    assert unprovable(model) is None
    assert [bound.index for bound in bounds] == list(range(len(model.steps)))
    trace = GameTrace.of(model, image_bytes())
    for bound in bounds:
        middle = model.steps[bound.index].out_size // 2
        assert element(trace, bound.index, middle).size < bound.size < MAX_TRANSACTION
        assert bound.gas < MAX_GAS


@pytest.mark.parametrize(
    ("records", "reason"),
    [
        ([windowed(AVERAGE_POOL, (10, 10, 1024), 1024, (10, 10))], None),
        (
            [
                joined(LOOKUP, (12, 10, 1024), 0),
                windowed(AVERAGE_POOL, (12, 10, 1024), 1024, (12, 10)),
            ],
            r"step 1 \(average pool of 12 x 10 x 1024\): the proof of an element may take "
            r"1\d\d,\d{3} bytes; a transaction has 131,072",
        ),
        ([windowed(MAX_POOL, (100, 100, 2), 2, (100, 100))], None),
        (
            [windowed(MAX_POOL, (180, 180, 2), 2, (180, 180))],
            r"step 0 \(max pool of 180 x 180 x 2\): the proof of an element may take "
            r"\d\d,\d{3},\d{3} gas; a transaction has 16,777,216",
        ),
    ],
)
def test_unprovable__names_the_step_that_has_no_room(
    records: list[StepRecord], reason: str | None
) -> None:
    found = unprovable(model_of(random_net(records, 1)))

    if reason is None:
        assert found is None
    else:
        assert found is not None
        assert re.fullmatch(reason, found), found
