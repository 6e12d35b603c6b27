"""Trains the digits classifier and writes it as ONNX.

    python -m tallystick.demo.digits.train [FILE]

A convolutional network of 23,680 multiply-accumulates over scikit-learn's 8x8 digits, trained with
numpy alone. The file is the same to the byte on one machine: that rests on the seed, on the lock
file's versions (numpy's generator and BLAS, onnx's serialisation), and on BLAS running on one
thread, which `train` sees to. BLAS picks its kernels by processor, so another one may round sums
differently and end elsewhere; the committed file is the model, and this says how it came about.

Rate, epochs and shifts were chosen by cross-validation over the samples kept for training alone.
"""

import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits  # type: ignore[import-untyped]
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

FILE = Path(__file__).with_name("digits.onnx")
SEED = 7
EPOCHS = 120
BATCH = 64
RATE = 4e-3
"""Rate of the first step; falls to zero by half a cosine."""
DECAY = 1e-4
SHIFTED = 0.5
"""Share of a batch's images that are moved by up to a pixel each way."""
HELD_OUT = 297
"""Samples that training never sees."""

Array = NDArray[np.float32]


def patches(image: Array) -> Array:
    """Return the 3x3 neighbourhoods, padded with zeros: (n, h, w, c) to (n, h, w, 9 c)."""
    n, h, w, _ = image.shape
    padded = np.pad(image, ((0, 0), (1, 1), (1, 1), (0, 0)))
    rows = [padded[:, y : y + h, x : x + w] for y in range(3) for x in range(3)]
    stacked: Array = np.concatenate(rows, axis=3).reshape(n, h, w, -1)
    return stacked


def scatter(gradient: Array, channels: int) -> Array:
    """Return the gradient of `patches` by its input: its transpose."""
    n, h, w, _ = gradient.shape
    out = np.zeros((n, h + 2, w + 2, channels), np.float32)
    for place in range(9):
        y, x = divmod(place, 3)
        part = gradient[..., place * channels : (place + 1) * channels]
        out[:, y : y + h, x : x + w] += part
    return out[:, 1:-1, 1:-1]


def pool(image: Array) -> tuple[Array, Array]:
    """Return the maximum of each 2x2 block, and a mask of where it stood."""
    n, h, w, c = image.shape
    blocks = image.reshape(n, h // 2, 2, w // 2, 2, c)
    best: Array = blocks.max(axis=(2, 4))
    mask = (blocks == best[:, :, None, :, None]).astype(np.float32)
    return best, mask / mask.sum(axis=(2, 4), keepdims=True)


def unpool(gradient: Array, mask: Array) -> Array:
    """Return the gradient of `pool` by its input."""
    spread = mask * gradient[:, :, None, :, None]
    n, h, _, w, _, c = spread.shape
    return spread.reshape(n, 2 * h, 2 * w, c)


class Network:
    """conv 3x3 1-8, relu, pool, conv 3x3 8-16, relu, pool, dense 64-10."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.weights: list[Array] = [
            (rng.standard_normal(shape) * np.sqrt(2 / shape[0])).astype(np.float32)
            for shape in ((9, 8), (72, 16), (64, 10))
        ]
        self.weights += [np.zeros(width, np.float32) for width in (8, 16, 10)]
        self._moments = [(np.zeros_like(weight), np.zeros_like(weight)) for weight in self.weights]
        self._steps = 0

    def gradients(self, image: Array, labels: NDArray[np.int64]) -> list[Array]:
        """Return the gradients of the mean cross-entropy, in the order of the weights."""
        w1, w2, w3, b1, b2, b3 = self.weights
        p1 = patches(image)
        a1 = np.maximum(p1 @ w1 + b1, 0)
        m1, k1 = pool(a1)
        p2 = patches(m1)
        a2 = np.maximum(p2 @ w2 + b2, 0)
        m2, k2 = pool(a2)
        # Channels first when flattened, as ONNX does it.
        flat = m2.transpose(0, 3, 1, 2).reshape(len(image), -1)
        logits = flat @ w3 + b3
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        d3 = odds / odds.sum(axis=1, keepdims=True)
        d3[np.arange(len(labels)), labels] -= 1
        d3 /= len(labels)
        dm2 = (d3 @ w3.T).reshape(len(image), 16, 2, 2).transpose(0, 2, 3, 1)
        d2 = unpool(dm2, k2) * (a2 > 0)
        d1 = unpool(scatter(d2 @ w2.T, 8), k1) * (a1 > 0)
        return [
            p1.reshape(-1, 9).T @ d1.reshape(-1, 8),
            p2.reshape(-1, 72).T @ d2.reshape(-1, 16),
            flat.T @ d3,
            d1.sum(axis=(0, 1, 2)),
            d2.sum(axis=(0, 1, 2)),
            d3.sum(axis=0),
        ]

    def step(self, gradients: list[Array], rate: float) -> None:
        """Move the weights by one step of Adam with weight decay."""
        self._steps += 1
        for place, gradient in enumerate(gradients):
            mean, square = self._moments[place]
            mean += 0.1 * (gradient - mean)
            square += 0.001 * (gradient * gradient - square)
            scaled = (mean / (1 - 0.9**self._steps)) / (
                np.sqrt(square / (1 - 0.999**self._steps)) + 1e-8
            )
            self.weights[place] -= np.float32(rate) * (scaled + DECAY * self.weights[place])


def shifted(image: Array, rng: np.random.Generator) -> Array:
    """Return a copy, (n, 8, 8, 1), with some images moved by up to a pixel, zeros moving in."""
    n, h, w, _ = image.shape
    padded = np.pad(image, ((0, 0), (1, 1), (1, 1), (0, 0)))
    y, x = np.where(rng.random(n) < SHIFTED, rng.integers(0, 3, (2, n)), 1)
    rows, columns = y[:, None] + np.arange(h), x[:, None] + np.arange(w)
    moved: Array = padded[np.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]]
    return moved


def split() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the indices of the samples to train on, (1500,), and of those held out, (297,)."""
    order = np.random.default_rng(SEED).permutation(1797)
    return order[HELD_OUT:], order[:HELD_OUT]


def train(epochs: int = EPOCHS) -> onnx.ModelProto:
    """Train from scratch on the kept samples, on one thread."""
    digits: Any = load_digits()
    images = (digits.data.reshape(-1, 8, 8, 1) / 16).astype(np.float32)
    labels = digits.target.astype(np.int64)
    kept, _ = split()
    rng = np.random.default_rng(SEED)
    network = Network(rng)
    steps = epochs * -(-len(kept) // BATCH)
    done = 0
    with threadpool_limits(limits=1):
        for _ in range(epochs):
            shuffled = rng.permutation(kept)
            for start in range(0, len(shuffled), BATCH):
                chosen = shuffled[start : start + BATCH]
                rate = RATE * (1 + math.cos(math.pi * done / steps)) / 2
                gradients = network.gradients(shifted(images[chosen], rng), labels[chosen])
                network.step(gradients, rate)
                done += 1
    return to_onnx(network.weights)


def to_bytes(model: onnx.ModelProto) -> bytes:
    """Return the file's bytes; equal models give equal bytes."""
    serialised: bytes = model.SerializeToString(deterministic=True)
    return serialised


def to_onnx(weights: list[Array]) -> onnx.ModelProto:
    """Return the network as ONNX: float32 (n, 1, 8, 8) of pixels / 16 to (n, 10) logits."""
    w1, w2, w3, b1, b2, b3 = weights

    def kernel(weight: Array, channels: int) -> Array:
        shaped = weight.reshape(3, 3, channels, -1).transpose(3, 2, 0, 1)
        return np.ascontiguousarray(shaped)

    constants = {"w1": kernel(w1, 1), "b1": b1, "w2": kernel(w2, 8), "b2": b2, "w3": w3, "b3": b3}
    pads: list[int] = [1, 1, 1, 1]
    pooled: dict[str, Any] = {"kernel_shape": [2, 2], "strides": [2, 2]}
    nodes = [
        helper.make_node("Conv", ["image", "w1", "b1"], ["c1"], kernel_shape=[3, 3], pads=pads),
        helper.make_node("Relu", ["c1"], ["r1"]),
        helper.make_node("MaxPool", ["r1"], ["m1"], **pooled),
        helper.make_node("Conv", ["m1", "w2", "b2"], ["c2"], kernel_shape=[3, 3], pads=pads),
        helper.make_node("Relu", ["c2"], ["r2"]),
        helper.make_node("MaxPool", ["r2"], ["m2"], **pooled),
        helper.make_node("Flatten", ["m2"], ["flat"]),
        helper.make_node("Gemm", ["flat", "w3", "b3"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 1, 8, 8])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 10])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def main() -> None:
    """Train, write the file, print what it is worth."""
    from tallystick.demo.digits.model import Digits, load_labels, load_samples

    file = Path(sys.argv[1]) if len(sys.argv) > 1 else FILE
    file.write_bytes(to_bytes(train()))
    logits = Digits(file).logits(load_samples())
    right = logits.argmax(axis=1) == load_labels()
    ranked = np.sort(logits, axis=1)
    kept, held_out = split()
    print(f"{file}: {file.stat().st_size} bytes")
    print(f"right: {right[held_out].mean():.4f} of {len(held_out)} held out", end=", ")
    print(f"{right[kept].mean():.4f} of {len(kept)} trained on")
    print(f"least margin between the top two logits: {(ranked[:, -1] - ranked[:, -2]).min():.4f}")


if __name__ == "__main__":
    main()
