"""The demo's integer model: made of the float one, as right as it, and committed as made."""

import numpy as np
import pytest

from tallystick.demo.digits import quantized
from tallystick.demo.digits.model import load_labels
from tallystick.demo.digits.train import split
from tallystick.replay.engine import Engine
from tallystick.replay.model import Model


@pytest.fixture(scope="module")
def model() -> Model:
    return quantized.load()


def test_quantized__committed_file__is_what_the_float_model_becomes(model: Model) -> None:
    assert quantized.make().to_bytes() == model.to_bytes()


def test_quantized__all_samples__are_as_right_as_the_float_model(model: Model) -> None:
    samples = quantized.load_samples(model)

    outputs = np.frombuffer(b"".join(Engine(model).infer(samples)), np.uint8).reshape(-1, 10)

    assert {len(sample) for sample in samples} == {64}
    right = outputs.argmax(axis=1) == load_labels()
    assert right.mean() >= 0.99
    # None of these was seen in training, nor used to choose scales.
    assert right[split()[1]].mean() >= 0.98
