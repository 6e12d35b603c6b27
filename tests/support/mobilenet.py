"""A quantized MobileNet: the layers of v1 at width 0.25, for images of 128 x 128 pixels.

Weights are random, of one seed, and scales keep a signal's size. The mean over the last image is
made in two steps, a depthwise convolution of equal weights and a pool over what is left of it, so
that no element depends on more pixels than a transaction can open, however large the image is.
"""

from functools import cache

import numpy as np
import onnx
from onnx import helper

from tallystick.replay.importer import import_onnx
from tallystick.replay.model import Model
from tests.support.nets import in_bytes

IMAGE = (3, 128, 128)
CLASSES = 1000
STEM = 8
BLOCKS = (
    (16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2),
    (128, 1), (128, 1), (128, 1), (128, 1), (128, 1), (256, 2), (256, 1),
)  # fmt: skip
"""Channels that a block makes, and the stride of its depthwise layer."""
SPREAD = 60
"""What a layer's sums deviate by, in bytes of its output."""
ZERO = 128
"""Zero point of the weights."""


class _Layers:
    """Layers over bytes whose zero point is 0, one after another."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, np.ndarray] = {
            "one": np.float32(1),
            "zero": np.uint8(0),
            "middle": np.uint8(ZERO),
        }
        self.at = "x"
        # Mean of the squares of an input's bytes.
        self.squares = 255**2 / 3

    def constant(self, value: np.ndarray) -> str:
        name = f"c{len(self.constants)}"
        self.constants[name] = value
        return name

    def add(self, op: str, *inputs: str, domain: str = "", **attributes: object) -> None:
        made = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [made], domain=domain, **attributes))
        self.at = made

    def weighted(self, *shape: int) -> tuple[np.ndarray, np.float32]:
        """Return random weights, as stored, and the scale that keeps a signal's size."""
        weights = self.random.integers(ZERO - 64, ZERO + 64, shape, np.uint8)
        spread = float(np.sqrt(np.prod(shape[1:]) * self.squares)) * 37
        # Half of what comes out is below zero, and clamped to it.
        self.squares = SPREAD**2 / 2
        return weights, np.float32(SPREAD / spread)

    def bias(self, count: int, scale: np.float32) -> str:
        return self.constant((self.random.normal(10, 10, count) / scale).astype(np.int32))

    def conv(self, out: int, channels: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        weights, scale = self.weighted(out, channels // groups, kernel, kernel)
        # As TensorFlow pads: where a window is moved by 2, below and on the right alone.
        pads = [0, 0, 1, 1] if stride == 2 else [kernel // 2] * 4
        self._conv(weights, scale, self.bias(out, scale), ZERO, stride, groups, pads)

    def mean(self, channels: int, size: int) -> None:
        """Add the mean over `size` x `size` pixels that lie side by side."""
        weights = np.ones((channels, 1, size, size), np.uint8)
        scale = np.float32(1 / size**2)
        none = self.constant(np.zeros(channels, np.int32))
        self._conv(weights, scale, none, 0, size, channels, [0] * 4)

    def _conv(
        self,
        weights: np.ndarray,
        scale: np.float32,
        bias: str,
        zero: int,
        stride: int,
        groups: int,
        pads: list[int],
    ) -> None:
        w, ws = self.constant(weights), self.constant(scale)
        wz = "middle" if zero else "zero"
        inputs = (self.at, "one", "zero", w, ws, wz, "one", "zero", bias)
        self.add("QLinearConv", *inputs, strides=[stride] * 2, pads=pads, group=groups)


def mobilenet_onnx(seed: int = 1) -> onnx.ModelProto:
    """Return the net in QOperator form, from bytes x to bytes y, 0.47 M weights."""
    net = _Layers(seed)
    net.conv(STEM, IMAGE[0], 3, stride=2)
    channels = STEM
    for out, stride in BLOCKS:
        net.conv(channels, channels, 3, stride, groups=channels)
        net.conv(out, channels, 1)
        channels = out
    net.mean(channels, 2)
    ends = (net.at, "one", "zero", "one", "zero")
    net.add("QLinearGlobalAveragePool", *ends, domain="com.microsoft", channels_last=0)
    net.add("Flatten", net.at)
    weights, scale = net.weighted(CLASSES, channels)
    w, ws, b = net.constant(weights), net.constant(scale), net.bias(CLASSES, scale)
    inputs = [net.at, "one", "zero", w, ws, "middle", b, "one", "middle"]
    net.nodes.append(helper.make_node("QGemm", inputs, ["y"], domain="com.microsoft", transB=1))
    return in_bytes(net.nodes, net.constants, IMAGE)


def images(count: int, seed: int = 2) -> np.ndarray:
    """Return smooth random images, (count, 3, 128, 128) uint8."""
    random = np.random.default_rng(seed)
    rough = random.integers(0, 256, (count, IMAGE[0], 16, 16), np.uint8)
    return rough.repeat(8, axis=2).repeat(8, axis=3)


@cache
def mobilenet() -> Model:
    """Return the net as the importer makes it, tried against onnxruntime."""
    return import_onnx(mobilenet_onnx(), images(4), count=4)


def image_bytes(seed: int = 2) -> bytes:
    """Return an input of the model's: height, width, channel."""
    return images(1, seed)[0].transpose(1, 2, 0).tobytes()
