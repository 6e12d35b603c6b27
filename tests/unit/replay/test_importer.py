"""importer.py and engine.py against onnxruntime, on every tensor of whole networks.

digits   CNN and MLP; u8u8, s8s8, 7-bit u8s8; per channel and per tensor; all 1,797 samples
"""

import numpy as np
import pytest

from tallystick.replay.client import decode, encode
from tallystick.replay.engine import Engine
from tallystick.replay.importer import import_onnx
from tallystick.replay.model import Model
from tallystick.replay.quantize import Types, quantize
from tallystick.replay.runtime import session
from tests.support.nets import cnn, digits, mlp
from tests.support.zoo import ZOO, samples


@pytest.mark.parametrize("per_channel", [True, False])
@pytest.mark.parametrize("types", Types)
@pytest.mark.parametrize("net", [cnn, mlp])
def test_import_onnx__digits__is_onnxruntime_on_every_tensor(net, types, per_channel):
    source = quantize(net(), digits()[:200], types, per_channel)

    model = import_onnx(source, digits(), count=256)

    expected = session(source).run(None, {source.graph.input[0].name: digits()})[0]
    outputs = Engine(model).run(encode(model, digits()))
    np.testing.assert_array_equal(decode(model, outputs), expected)


@pytest.mark.parametrize("types", Types)
@pytest.mark.parametrize("name", ZOO)
def test_import_onnx__each_operator__is_onnxruntime_on_every_tensor(name, types):
    net = ZOO[name]()
    shape = [dim.dim_value for dim in net.graph.input[0].type.tensor_type.shape.dim][1:]
    source = quantize(net, samples(50, *shape), types)

    # Outside what was calibrated, too: outputs are then clamped.
    wide = np.concatenate([samples(40, *shape), 3 * samples(10, *shape, seed=4)])
    model = import_onnx(source, wide, count=64)

    assert Model.from_bytes(model.to_bytes()) == model
