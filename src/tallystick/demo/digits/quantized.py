"""The digits classifier in integers: a QI8-1 model, which anybody can run again on chain.

    python -m tallystick.demo.digits.quantized [FILE]

makes it of the float one: quantized on samples kept for training, imported, and found equal to
onnxruntime on every tensor. Input: 64 bytes, the pixels as the model's scale has them; output: 10
bytes, the logits as the model's scale has them. The greatest is the digit.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from tallystick.demo.digits import model as floating
from tallystick.demo.digits.train import split
from tallystick.replay.client import encode
from tallystick.replay.importer import import_onnx
from tallystick.replay.model import Model
from tallystick.replay.quantize import Types, quantize

FILE = Path(__file__).with_name("digits.qi8")
CALIBRATION = 200
"""Samples that the scales are chosen by; none that training held out."""


def images() -> NDArray[np.float32]:
    """Return scikit-learn's 1,797 digits as the float model takes them, (n, 1, 8, 8), 0 to 1."""
    pixels = np.frombuffer(b"".join(floating.load_samples()), np.uint8)
    shaped: NDArray[np.float32] = pixels.reshape(-1, 1, 8, 8).astype(np.float32) / 16
    return shaped


def make() -> Model:
    """Quantize and import the float classifier; the same to the byte with the same onnxruntime."""
    samples = images()[split()[0][:CALIBRATION]]
    quantized = quantize(onnx.load(str(floating.FILE)), samples, Types.U8U8)
    return import_onnx(quantized, samples)


def load() -> Model:
    """Return the committed model."""
    return Model.read(FILE)


def load_samples(model: Model) -> list[bytes]:
    """Return all samples as the model's canonical input bytes, 64 each."""
    return [row.tobytes() for row in encode(model, images())]


if __name__ == "__main__":
    (Path(sys.argv[1]) if len(sys.argv) > 1 else FILE).write_bytes(make().to_bytes())
