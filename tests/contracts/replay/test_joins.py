"""Steps of two tensors, run by the contract, against fractions and slices; and what must not pass.

sum      any shape, zero points, multipliers and clamp | ties | the greatest multipliers
concat   any pixels and channels | flattened images
recall   a tensor of long ago | the input | as the last step
rule     every output byte flipped | tensors swapped | a tensor that is not there yet, or unfit
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis.strategies import DrawFn

from tests.support.evm import Replayer

pytest.importorskip("pyrevm", reason="pyrevm has no wheel for this Python or processor")

from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.protocol.enums import Ruling
from tests.contracts.replay.test_rule import rule
from tests.support.chain import reverts
from tests.support.plain_qi8 import (
    CONCAT,
    LOOKUP,
    MAX_POOL,
    RECALL,
    SUM,
    Layer,
    Net,
    conv,
    dense,
    joined,
    windowed,
)
from tests.support.replay import random_net

BYTE = st.integers(0, 255)
SEED = st.integers(0, 2**32 - 1)
MULTIPLIER = st.one_of(
    st.integers(0, 2**32 - 1),
    st.integers(2**20, 2**26),
    # Ties: halves and quarters, and ones of one bit more or less.
    st.sampled_from([0, 1, 2**22, 2**23 - 1, 2**23, 2**23 + 1, 2**24, 3 * 2**23, 2**32 - 1]),
)
SHAPE = st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 40))


@pytest.fixture(scope="module")
def replayer() -> Replayer:
    return Replayer()


@st.composite
def sums(draw: DrawFn) -> Net:
    """A table of the input, added to the input."""
    shape = draw(SHAPE)
    lo, hi = sorted((draw(BYTE), draw(BYTE))) if draw(st.booleans()) else (0, 255)
    fields = {"za": draw(BYTE), "zw": draw(BYTE), "zy": draw(BYTE), "lo": lo, "hi": hi}
    table = np.random.default_rng(draw(SEED)).bytes(256)
    return Net(
        [
            Layer(joined(LOOKUP, shape, 0), table=table),
            Layer(
                joined(SUM, shape, 0, **fields), multipliers=(draw(MULTIPLIER), draw(MULTIPLIER))
            ),
        ]
    )


@settings(max_examples=200, deadline=None)
@given(sums(), SEED)
def test_sum__any_tensors_and_multipliers__is_that_of_fractions(
    replayer: Replayer, net: Net, seed: int
) -> None:
    data = np.random.default_rng(seed).bytes(net.in_size)

    assert replayer.run_net(net, data) == net.run(data)


@pytest.mark.parametrize("ours", [2**23, 2**22, 3 * 2**22, 2**24])
@pytest.mark.parametrize("theirs", [2**23, 2**22, 3 * 2**22])
def test_sum__of_halves__rounds_to_even(replayer: Replayer, ours: int, theirs: int) -> None:
    shape = (16, 16, 1)
    descending = Layer(joined(LOOKUP, shape, 0), table=bytes((7 * a) % 256 for a in range(256)))
    record = joined(SUM, shape, 0, za=120, zw=131, zy=127, hi=255)
    net = Net([descending, Layer(record, multipliers=(ours, theirs))])

    assert replayer.run_net(net, bytes(range(256))) == net.run(bytes(range(256)))


@settings(max_examples=100, deadline=None)
@given(SHAPE, st.integers(1, 40), SEED)
def test_concat__any_channels__is_that_of_slices(
    replayer: Replayer, shape: tuple[int, int, int], more: int, seed: int
) -> None:
    net = random_net(
        [conv(shape, more, 1), joined(RECALL, shape, 0), joined(CONCAT, shape, 1, more)], seed
    )
    data = np.random.default_rng(seed).bytes(net.in_size)

    assert replayer.run_net(net, data) == net.run(data)


def test_concat__of_flattened_images__takes_their_bytes_as_they_lie(replayer: Replayer) -> None:
    net = random_net(
        [
            conv((4, 4, 3), 2, 3),
            joined(CONCAT, (1, 1, 8), 0, 48),
            dense(56, 5, zw=128),
        ],
        seed=3,
    )
    data = np.random.default_rng(3).bytes(48)

    assert replayer.run_net(net, data) == net.run(data)


def test_recall__of_tensors_of_long_ago__is_them(replayer: Replayer) -> None:
    records = [
        conv((5, 5, 3), 4, 3, pad=1),
        conv((5, 5, 4), 6, 3, pad=1),
        joined(RECALL, (5, 5, 3), 0),
        conv((5, 5, 3), 6, 1),
        joined(SUM, (5, 5, 6), 2, za=3, zw=7, zy=9, hi=255),
        joined(RECALL, (5, 5, 4), 1),
    ]
    data = np.random.default_rng(4).bytes(75)
    for count in range(1, len(records) + 1):
        net = random_net(records[:count], seed=5)

        assert replayer.run_net(net, data) == net.run(data)


RESIDUAL = [
    replace(conv((4, 4, 2), 4, 3, pad=1), za=9, zw=128, zy=100),
    conv((4, 4, 4), 4, 1),
    joined(SUM, (4, 4, 4), 1, za=4, zw=100, zy=120, hi=255),
    joined(CONCAT, (4, 4, 4), 1, 4),
    windowed(MAX_POOL, (4, 4, 8), 8, (2, 2), (2, 2)),
    dense(32, 7, zw=128, zy=128),
]
DATA = np.random.default_rng(3).bytes(32)


@pytest.fixture(scope="module")
def residual() -> Net:
    return random_net(RESIDUAL, seed=11)


def test_rule__residual_net__upholds_its_output_and_rejects_each_byte_flipped(
    replayer: Replayer, residual: Net
) -> None:
    right = residual.run(DATA)
    assert rule(replayer, residual, DATA) is Ruling.UPHELD

    for place in range(len(right)):
        output = bytearray(right)
        output[place] ^= 1
        assert rule(replayer, residual, DATA, bytes(output)) is Ruling.REJECTED


def test_rule__multipliers_or_tensors_swapped__rejects_what_they_give(
    replayer: Replayer, residual: Net
) -> None:
    layer = residual.layers[2]
    swapped = residual.with_layer(2, replace(layer, multipliers=layer.multipliers[::-1]))
    other = Net([*residual.layers[:3], Layer(RESIDUAL[3]), *residual.layers[4:]])
    other = other.with_record(3, groups=2)

    for net in (swapped, other):
        output = net.run(DATA)
        assert output != residual.run(DATA)
        assert rule(replayer, residual, DATA, output) is Ruling.REJECTED
        assert rule(replayer, net, DATA, output) is Ruling.UPHELD


@pytest.mark.parametrize(
    ("index", "changes"),
    [
        pytest.param(2, {"groups": 3}, id="its own output"),
        pytest.param(2, {"groups": 4}, id="a later output"),
        pytest.param(2, {"groups": 65_535}, id="no tensor"),
        pytest.param(2, {"groups": 0}, id="sum of another shape"),
        pytest.param(2, {"in_h": 2, "in_w": 8, "out_h": 2, "out_w": 8}, id="same bytes"),
        pytest.param(2, {"out_c": 5}, id="sum to other channels"),
        pytest.param(2, {"zw": 256}, id="zero point"),
        pytest.param(2, {"lo": 9, "hi": 8}, id="lo above hi"),
        pytest.param(3, {"groups": 0}, id="concat of other channels"),
        pytest.param(3, {"out_c": 4}, id="concat of nothing"),
        pytest.param(3, {"out_c": 3}, id="concat to fewer channels"),
        pytest.param(3, {"out_h": 2}, id="concat to fewer pixels"),
        pytest.param(3, {"kind": RECALL, "out_c": 4, "groups": 4}, id="recall of its own output"),
        pytest.param(3, {"kind": RECALL, "out_c": 8}, id="recall to another shape"),
        pytest.param(3, {"kind": 9}, id="no kind"),
    ],
)
def test_rule__step_that_finds_no_such_tensor__reverts(
    replayer: Replayer, residual: Net, index: int, changes: dict[str, Any]
) -> None:
    broken = residual.with_record(index, **changes)

    with reverts("StepInvalid", index=index):
        rule(replayer, broken, DATA, b"whatever")


@pytest.mark.parametrize("length", [0, 4, 7])
def test_rule__multipliers_of_another_length__reverts(
    replayer: Replayer, residual: Net, length: int
) -> None:
    layer = replace(residual.layers[2], multipliers=(), table=bytes(length))
    broken = residual.with_layer(2, layer)

    with reverts("RowsMismatch"):
        rule(replayer, broken, DATA, b"whatever")
