"""Small float networks whose layers read more than the one before: ResNet, MobileNet, DenseNet."""

from collections.abc import Callable

import numpy as np
import onnx
from onnx import helper

from tests.support.nets import build, weights

IMAGE = (3, 12, 12)
CLASSES = 5
node = helper.make_node


class _Layers:
    """Layers, one after another, by the names of what they make."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, np.ndarray] = {}

    def add(self, op: str, *inputs: str, **attributes: object) -> str:
        name = f"t{len(self.nodes)}"
        self.nodes.append(node(op, list(inputs), [name], **attributes))
        return name

    def constant(self, value: np.ndarray) -> str:
        name = f"c{len(self.constants)}"
        self.constants[name] = value
        return name

    def conv(self, x: str, shape: tuple[int, ...], stride: int = 1, normed: bool = False) -> str:
        seed, pad, group = len(self.nodes), shape[2] // 2, 1
        if shape[1] == 1 and shape[0] > 1:
            group = shape[0]
        w, b = self.constant(weights(seed, *shape)), self.constant(weights(seed + 99, shape[0]))
        made = self.add(*("Conv", x, w, b), pads=[pad] * 4, strides=[stride] * 2, group=group)
        if not normed:
            return made
        scale, shift, mean = (
            self.constant(1 + 0.2 * weights(seed + at, shape[0])) for at in (7, 8, 9)
        )
        variance = self.constant(1 + np.abs(weights(seed + 10, shape[0])))
        return self.add("BatchNormalization", made, scale, shift, mean, variance)

    def classified(self, x: str, channels: int) -> onnx.ModelProto:
        flat = self.add("Flatten", self.add("GlobalAveragePool", x))
        w = self.constant(weights(50, channels, CLASSES))
        self.nodes.append(node("Gemm", [flat, w, self.constant(weights(51, CLASSES))], ["y"]))
        return build(self.nodes, self.constants, IMAGE, (CLASSES,))


def resnet() -> onnx.ModelProto:
    """Return two blocks, the second with a convolution in its shortcut, normalised."""
    net = _Layers()
    x = net.add("Relu", net.conv("x", (8, 3, 3, 3), normed=True))
    for channels, stride in ((8, 1), (16, 2)):
        before = channels // stride
        inner = net.add("Relu", net.conv(x, (channels, before, 3, 3), stride, normed=True))
        inner = net.conv(inner, (channels, channels, 3, 3), normed=True)
        beside = x if stride == 1 else net.conv(x, (channels, before, 1, 1), stride, normed=True)
        x = net.add("Relu", net.add("Add", inner, beside))
    return net.classified(x, 16)


def mobilenet() -> onnx.ModelProto:
    """Return an inverted residual block and one without a shortcut, clamped at 6."""
    net = _Layers()
    low, high = net.constant(np.array(0.0)), net.constant(np.array(6.0))
    x = net.add("Clip", net.conv("x", (8, 3, 3, 3), 2, normed=True), low, high)
    for stride in (1, 2):
        inner = net.add("Clip", net.conv(x, (16, 8, 1, 1), normed=True), low, high)
        inner = net.add("Clip", net.conv(inner, (16, 1, 3, 3), stride, normed=True), low, high)
        inner = net.conv(inner, (8, 16, 1, 1), normed=True)
        x = net.add("Add", x, inner) if stride == 1 else inner
    return net.classified(x, 8)


def densenet() -> onnx.ModelProto:
    """Return layers that read all before them, side by side."""
    net = _Layers()
    x = net.conv("x", (4, 3, 3, 3))
    for channels in (4, 8):
        more = net.conv(net.add("Relu", x), (4, channels, 3, 3))
        x = net.add("Concat", x, more, axis=1)
    return net.classified(x, 12)


def inception() -> onnx.ModelProto:
    """Return three branches of one tensor, one of them a pool, side by side."""
    net = _Layers()
    x = net.add("Relu", net.conv("x", (4, 3, 3, 3)))
    pool = net.add("MaxPool", x, kernel_shape=[3, 3], pads=[1] * 4)
    branches = net.conv(x, (2, 4, 1, 1)), net.conv(x, (3, 4, 3, 3)), net.conv(pool, (2, 4, 1, 1))
    return net.classified(net.add("Concat", *branches, axis=1), 7)


def two_heads() -> onnx.ModelProto:
    """Return dense layers whose outputs are joined, flat."""
    net = _Layers()
    x = net.add("Flatten", net.conv("x", (2, 3, 3, 3), 3))
    wide, narrow = (net.constant(weights(at, 32, at)) for at in (6, 3))
    both = net.add("Concat", net.add("MatMul", x, wide), net.add("MatMul", x, narrow), axis=1)
    net.nodes.append(node("MatMul", [both, net.constant(weights(4, 9, CLASSES))], ["y"]))
    return build(net.nodes, net.constants, IMAGE, (CLASSES,))


def doubled() -> onnx.ModelProto:
    """Return a tensor added to itself, and to the input."""
    net = _Layers()
    x = net.conv("x", (3, 3, 3, 3))
    twice = net.add("Add", x, x)
    net.nodes.append(node("Add", [twice, "x"], ["y"]))
    return build(net.nodes, net.constants, IMAGE, IMAGE)


BRANCHED: dict[str, Callable[[], onnx.ModelProto]] = {
    "resnet": resnet,
    "mobilenet": mobilenet,
    "densenet": densenet,
    "inception": inception,
    "two heads": two_heads,
    "doubled": doubled,
}
