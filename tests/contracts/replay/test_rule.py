"""Rulings on honest and wrong leaves, and every evidence that must not pass.

rule
├── evidence of another model, input, step or row      reverts
├── steps or rows that QI8-1 does not allow            reverts
├── input of another length than the model's           Rejected
├── output that is not the leaf's                      Rejected
└── output that is                                     Upheld
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from eth_abi import encode

from tests.support.evm import Replayer
from tests.support.plain_qi8 import Net

pytest.importorskip("pyrevm", reason="pyrevm has no wheel for this Python or processor")

from tallystick.protocol.enums import Ruling
from tallystick.protocol.keccak import keccak256
from tests.support.chain import reverts
from tests.support.plain_qi8 import MAX_POOL, SPEC_ID, Layer, Row, conv, dense, windowed
from tests.support.replay import EVIDENCE, random_net

NETWORK, REGISTRANT, PARENT = b"n" * 32, b"r" * 20, b"p" * 32
RECORDS = [
    replace(conv((6, 6, 1), 5, 3, pad=1), za=9, zw=128, zy=100),
    windowed(MAX_POOL, (6, 6, 5), 5, (2, 2), (2, 2)),
    dense(45, 7, za=100, zw=128, zy=128),
]
DATA = np.random.default_rng(3).bytes(36)


@pytest.fixture(scope="module")
def replayer() -> Replayer:
    return Replayer()


@pytest.fixture(scope="module")
def net() -> Net:
    return random_net(RECORDS, seed=11)


def model_id(
    net: Net,
    network: bytes = NETWORK,
    registrant: bytes = REGISTRANT,
    spec: bytes = SPEC_ID,
    parent: bytes = PARENT,
) -> bytes:
    return keccak256(network + bytes(12) + registrant + net.content_hash() + spec + parent)


def leaf(model: bytes, data: bytes, output: bytes) -> tuple[Any, ...]:
    nobody = "0x" + bytes(20).hex()
    return model, nobody, nobody, 0, 0, keccak256(data), keccak256(output), bytes(32)


def evidence(
    net: Net,
    data: bytes,
    network: bytes = NETWORK,
    registrant: bytes = REGISTRANT,
    parent: bytes = PARENT,
    **parts: Any,
) -> bytes:
    steps, rows = parts.get("steps", net.steps), parts.get("rows", net.rows)
    account = "0x" + registrant.hex()
    return encode([EVIDENCE], [(network, account, parent, steps, rows, data)])


def rule(replayer: Replayer, net: Net, data: bytes = DATA, output: bytes | None = None) -> Ruling:
    """Rule on a leaf of this very model and input."""
    answer = net.run(data) if output is None else output
    return replayer.rule(leaf(model_id(net), data, answer), evidence(net, data))


def test_rule__right_output__upholds(replayer: Replayer, net: Net) -> None:
    assert rule(replayer, net) is Ruling.UPHELD


@pytest.mark.parametrize("place", range(7))
def test_rule__any_byte_of_the_output_flipped__rejects(
    replayer: Replayer, net: Net, place: int
) -> None:
    output = bytearray(net.run(DATA))
    output[place] ^= 1

    assert rule(replayer, net, output=bytes(output)) is Ruling.REJECTED


@pytest.mark.parametrize("change", [lambda o: o[:-1], lambda o: o + b"\0", lambda o: b""])
def test_rule__output_of_another_length__rejects(
    replayer: Replayer, net: Net, change: Callable[..., Any]
) -> None:
    assert rule(replayer, net, output=change(net.run(DATA))) is Ruling.REJECTED


@pytest.mark.parametrize("data", [b"", DATA[:-1], DATA + b"\0", DATA * 2])
def test_rule__input_of_another_length__rejects(replayer: Replayer, net: Net, data: bytes) -> None:
    assert rule(replayer, net, data, net.run(DATA)) is Ruling.REJECTED


def test_rule__another_input__reverts(replayer: Replayer, net: Net) -> None:
    honest = leaf(model_id(net), DATA, net.run(DATA))
    other = bytes([DATA[0] ^ 1]) + DATA[1:]

    with reverts("InputMismatch", inputHash=keccak256(other), needed=keccak256(DATA)):
        replayer.rule(honest, evidence(net, other))


def test_rule__every_flipped_bit_of_rows__reverts(replayer: Replayer, net: Net) -> None:
    honest = leaf(model_id(net), DATA, net.run(DATA))
    for place in range(0, len(net.rows), 5):
        rows = bytearray(net.rows)
        rows[place] ^= 1 << place % 8

        with reverts("ModelMismatch"):
            replayer.rule(honest, evidence(net, DATA, rows=bytes(rows)))


def test_rule__every_flipped_byte_of_steps__reverts(replayer: Replayer, net: Net) -> None:
    honest = leaf(model_id(net), DATA, net.run(DATA))
    for place in range(len(net.steps)):
        steps = bytearray(net.steps)
        steps[place] ^= 1

        with reverts("ModelMismatch"):
            replayer.rule(honest, evidence(net, DATA, steps=bytes(steps)))


def _swapped(net: Net) -> Net:
    first, *others = net.layers[2].rows
    return net.with_layer(2, replace(net.layers[2], rows=[*others, first]))


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param(lambda net: {"rows": net.rows[:-1]}, id="truncated rows"),
        pytest.param(lambda net: {"rows": net.rows + b"\0"}, id="padded rows"),
        pytest.param(lambda net: {"rows": b""}, id="no rows"),
        pytest.param(lambda net: {"rows": _swapped(net).rows}, id="reordered rows"),
        pytest.param(lambda net: {"steps": net.steps[:-40]}, id="a step less"),
        pytest.param(lambda net: {"steps": net.steps + net.steps[-40:]}, id="a step more"),
        pytest.param(lambda net: {"steps": net.steps[40:] + net.steps[:40]}, id="another order"),
        pytest.param(lambda net: {"network": b"m" * 32}, id="another network"),
        pytest.param(lambda net: {"registrant": b"s" * 20}, id="another registrant"),
        pytest.param(lambda net: {"parent": bytes(32)}, id="another parent"),
    ],
)
def test_rule__evidence_of_another_model__reverts(
    replayer: Replayer, net: Net, parts: Callable[..., Any]
) -> None:
    honest = leaf(model_id(net), DATA, net.run(DATA))

    with reverts("ModelMismatch"):
        replayer.rule(honest, evidence(net, DATA, **parts(net)))


def test_rule__model_of_another_spec__reverts(replayer: Replayer, net: Net) -> None:
    needed = model_id(net, spec=keccak256(b"QI8-2"))
    other = leaf(needed, DATA, net.run(DATA))

    with reverts("ModelMismatch", modelId=model_id(net), needed=needed):
        replayer.rule(other, evidence(net, DATA))


@pytest.mark.parametrize("length", [0, 39, 41, 640])
def test_rule__steps_of_an_odd_length__reverts(replayer: Replayer, net: Net, length: int) -> None:
    if length == 640:
        steps = bytes(640)
        error = "ModelMismatch"
    else:
        steps, error = bytes(length), "StepsMalformed"

    with reverts(error):
        replayer.rule(leaf(model_id(net), DATA, b""), evidence(net, DATA, steps=steps))


@pytest.mark.parametrize("cut", [29, 64, 400])
def test_rule__cut_off_evidence__reverts(replayer: Replayer, net: Net, cut: int) -> None:
    with reverts("Reverted"):
        replayer.rule(leaf(model_id(net), DATA, b""), evidence(net, DATA)[:-cut])


@pytest.mark.parametrize(
    ("index", "changes"),
    [
        pytest.param(0, {"kind": 0}, id="kind 0"),
        pytest.param(0, {"kind": 9}, id="kind 9"),
        pytest.param(0, {"za": 256}, id="za"),
        pytest.param(0, {"zw": 256}, id="zw"),
        pytest.param(0, {"zy": 256}, id="zy"),
        pytest.param(0, {"hi": 256}, id="hi"),
        pytest.param(0, {"za": 0, "zw": 0, "zy": 0, "hi": 256}, id="hi by one"),
        pytest.param(0, {"lo": 9, "hi": 8}, id="lo above hi"),
        pytest.param(0, {"k": 8}, id="K too small"),
        pytest.param(0, {"k": 10}, id="K too great"),
        pytest.param(0, {"groups": 0}, id="no group"),
        pytest.param(0, {"groups": 2}, id="groups that divide nothing"),
        pytest.param(0, {"stride_h": 0}, id="no stride"),
        pytest.param(0, {"k_w": 0}, id="no kernel"),
        pytest.param(0, {"pad_top": 3}, id="window above the input"),
        pytest.param(0, {"out_h": 9}, id="window below the input"),
        pytest.param(0, {"out_c": 0}, id="no output"),
        pytest.param(1, {"out_c": 4}, id="pool to other channels"),
        pytest.param(
            1, {"in_h": 5, "in_w": 6, "in_c": 6, "out_c": 6}, id="same bytes, other shape"
        ),
        pytest.param(2, {"in_c": 44, "k": 44}, id="dense of another size"),
        pytest.param(2, {"in_h": 3, "in_c": 15}, id="dense with pixels"),
        pytest.param(2, {"k": 40}, id="dense with another K"),
    ],
)
def test_rule__registered_step_that_qi8_does_not_allow__reverts(
    replayer: Replayer, net: Net, index: int, changes: dict[str, Any]
) -> None:
    broken = net.with_record(index, **changes)

    with reverts("StepInvalid", index=index):
        rule(replayer, broken, output=b"whatever")


def test_rule__k_beyond_the_limit__reverts(replayer: Replayer) -> None:
    k = 32_769
    broken = Net([Layer(dense(k, 1), [Row(0, 0x3C000000, bytes(k))])])

    with reverts("StepInvalid", index=0):
        rule(replayer, broken, bytes(k), b"\0")


@pytest.mark.parametrize(
    "scale",
    [0, 1, 0x007FFFFF, 0x7F800000, 0x7F800001, 0x7FFFFFFF, 0x80000000, 0xBC000000, 0xFFFFFFFF],
)
def test_rule__registered_scale_that_is_not_normal__reverts(
    replayer: Replayer, net: Net, scale: int
) -> None:
    rows = [replace(net.layers[2].rows[0], scale=scale), *net.layers[2].rows[1:]]
    broken = net.with_layer(2, replace(net.layers[2], rows=rows))

    with reverts("ScaleInvalid", bits=scale):
        rule(replayer, broken, output=b"whatever")


@pytest.mark.parametrize("change", [lambda rows: rows[:-1], lambda rows: [*rows, rows[0]]])
def test_rule__registered_rows_of_another_length__reverts(
    replayer: Replayer, net: Net, change: Callable[..., Any]
) -> None:
    layer = net.layers[2]
    broken = net.with_layer(2, replace(layer, rows=change(layer.rows)))

    with reverts("RowsMismatch", length=len(broken.rows), needed=len(net.rows)):
        rule(replayer, broken, output=b"whatever")


def test_rule__another_rows_weights__rejects_what_they_give(replayer: Replayer, net: Net) -> None:
    output = _swapped(net).run(DATA)

    assert output != net.run(DATA)
    assert rule(replayer, net, output=output) is Ruling.REJECTED


def test_run__input_of_another_length__reverts(replayer: Replayer, net: Net) -> None:
    with reverts("InputLengthMismatch", length=35, needed=36):
        replayer.run_net(net, DATA[:-1])


def test_run__step_without_input__reverts(replayer: Replayer) -> None:
    record = replace(conv((6, 6, 1), 2, 3), in_c=0, k=0)

    with reverts("StepInvalid", index=0):
        replayer.run_net(Net([Layer(record, [Row(0, 0x3F000000)] * 2)]), b"")
