"""importer.py and engine.py against onnxruntime, on every tensor of whole networks.

digits   CNN and MLP; u8u8, s8s8, 7-bit u8s8; per channel and per tensor; all 1,797 samples
"""

import numpy as np
import pytest

from tallystick.replay.client import decode, encode
from tallystick.replay.engine import Engine
from tallystick.replay.importer import import_onnx
from tallystick.replay.quantize import Types, quantize
from tallystick.replay.runtime import session
from tests.support.nets import cnn, digits, mlp


@pytest.mark.parametrize("per_channel", [True, False])
@pytest.mark.parametrize("types", Types)
@pytest.mark.parametrize("net", [cnn, mlp])
def test_import_onnx__digits__is_onnxruntime_on_every_tensor(net, types, per_channel):
    source = quantize(net(), digits()[:200], types, per_channel)

    model = import_onnx(source, digits(), count=256)

    expected = session(source).run(None, {source.graph.input[0].name: digits()})[0]
    outputs = Engine(model).run(encode(model, digits()))
    np.testing.assert_array_equal(decode(model, outputs), expected)
