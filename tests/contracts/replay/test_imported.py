"""What the importer makes of quantized ONNX files, run by the contract.

nets     digits CNN and MLP, each operator once, in the three pairs of types; branched ones
answers  the contract's = the engine's, for real inputs, all 0 and all 255
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tallystick.replay.client import encode
from tallystick.replay.engine import Engine
from tallystick.replay.importer import import_onnx
from tallystick.replay.model import Model
from tallystick.replay.quantize import Types, quantize
from tests.support.evm import Replayer
from tests.support.nets import cnn, digits, mlp
from tests.support.residual import BRANCHED, IMAGE
from tests.support.zoo import ZOO, samples


@pytest.fixture(scope="module")
def replayer() -> Replayer:
    return Replayer()


def assert_alike(replayer: Replayer, model: Model, inputs: np.ndarray) -> None:
    ends = np.array([[0], [255]], np.uint8).repeat(inputs.shape[1], axis=1)
    inputs = np.concatenate([inputs, ends])

    steps = b"".join(step.pack_short() for step in model.steps)
    for one, output in zip(inputs, Engine(model).run(inputs), strict=True):
        assert replayer.run(steps, model.rows, one.tobytes()) == output.tobytes()


@pytest.mark.parametrize("types", Types)
@pytest.mark.parametrize("net", [cnn, mlp])
def test_run__digits__is_the_engine(
    replayer: Replayer, net: Callable[..., Any], types: Types
) -> None:
    model = import_onnx(quantize(net(), digits()[:100], types), digits()[:50], count=8)

    assert_alike(replayer, model, encode(model, digits()[::60]))


@pytest.mark.parametrize("types", Types)
@pytest.mark.parametrize("name", ZOO)
def test_run__each_operator__is_the_engine(replayer: Replayer, name: str, types: Types) -> None:
    net = ZOO[name]()
    shape = [dim.dim_value for dim in net.graph.input[0].type.tensor_type.shape.dim][1:]
    values = samples(20, *shape)
    model = import_onnx(quantize(net, values, types), values, count=8)

    assert_alike(replayer, model, encode(model, values[:4]))


@pytest.mark.parametrize("name", BRANCHED)
def test_run__branched_net__is_the_engine(replayer: Replayer, name: str) -> None:
    values = samples(20, *IMAGE)
    model = import_onnx(quantize(BRANCHED[name](), values), values, count=8)

    assert_alike(replayer, model, encode(model, values[:4]))
