"""Rewrites layers of float models into those that have a step; answers stay, up to rounding."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from tallystick.replay.errors import UnportableError
from tallystick.replay.graph import Array, constants_of


class _Affine(NamedTuple):
    """A product and a sum for each channel: weight * x + bias."""

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]


def portable_layers(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with layers that have a step.

    Normalisation, and products and sums with a number for each channel, become convolutions of one
    pixel and channel, or dense layers; average pools convolutions of equal weights; means over an
    image global average pools.

    Args:
        model: float32.

    Raises:
        UnportableError: an average pool does not count its padding, or is of unknown channels.
    """
    result = onnx.ModelProto()
    result.CopyFrom(model)
    rewrite = _Rewrite(result)
    for node in list(result.graph.node):
        rewriter = _REWRITERS.get(node.op_type)
        made = list(rewriter(rewrite, node)) if rewriter else []
        if made:
            place = list(result.graph.node).index(node)
            result.graph.node.remove(node)
            for at, one in enumerate(made):
                result.graph.node.insert(place + at, one)
    return result


class _Rewrite:
    """A graph whose nodes are rewritten."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.graph, self.constants = model.graph, constants_of(model.graph)
        shaped = onnx.shape_inference.infer_shapes(model).graph
        self.shapes = {
            value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim]
            for value in (*shaped.value_info, *shaped.input, *shaped.output)
        }

    def shape(self, name: str) -> list[int]:
        """Return a tensor's shape; empty when it isn't known."""
        return self.shapes.get(name, [])

    def store(self, name: str, value: Array) -> str:
        """Add a constant; returns its name."""
        self.graph.initializer.append(numpy_helper.from_array(value, name))
        return name

    def of_channels(self, node: onnx.NodeProto, affine: _Affine) -> list[onnx.NodeProto]:
        """Return the layer that multiplies and adds for each channel; none where there is none."""
        rank, channels = len(self.shape(node.input[0])), affine.weight.size
        made, name = node.output[0], node.name or node.output[0]
        bias = self.store(f"{made}/bias", affine.bias)
        if rank == 4:
            kernels = affine.weight.reshape(channels, 1, 1, 1)
            inputs = [node.input[0], self.store(f"{made}/weights", kernels), bias]
            return [helper.make_node("Conv", inputs, [made], name, group=channels)]
        if rank == 2:
            inputs = [node.input[0], self.store(f"{made}/weights", np.diag(affine.weight)), bias]
            return [helper.make_node("Gemm", inputs, [made], name)]
        return []

    def batch_normalization(self, node: onnx.NodeProto) -> list[onnx.NodeProto]:
        """Return the layer of a normalisation with stored means and variances."""
        if any(name not in self.constants for name in node.input[1:]):
            return []
        scale, shift, mean, variance = (self.constants[name] for name in node.input[1:])
        weight = scale / np.sqrt(variance + _attributes(node).get("epsilon", 1e-5))
        bias = shift - mean * weight
        affine = _Affine(weight.astype(np.float32), bias.astype(np.float32))
        return self.of_channels(node, affine)

    def of_constant(self, node: onnx.NodeProto) -> list[onnx.NodeProto]:
        """Return the layer of an Add, Sub, Mul or Div with a number for each channel."""
        left, right = node.input
        constant = right if right in self.constants else left
        other = left if constant == right else right
        value, shape = self.constants.get(constant), self.shape(other)
        if value is None or other in self.constants or value.size == 1:
            # Of one number it is a function of one element: a table.
            return []
        if len(shape) not in (2, 4) or node.op_type == "Div" and constant == left:
            return []
        if value.shape[-len(shape) :] not in _per_channel(shape):
            return []
        flat, ones = value.astype(np.float32).ravel(), np.ones(value.size, np.float32)
        affine = {
            "Add": _Affine(ones, flat),
            "Sub": _Affine(ones, -flat) if constant == right else _Affine(-ones, flat),
            "Mul": _Affine(flat, 0 * ones),
            "Div": _Affine(1 / flat, 0 * ones),
        }[node.op_type]
        node.input[:] = [other]
        return self.of_channels(node, affine)

    def product_of_rows(self, node: onnx.NodeProto) -> Iterator[onnx.NodeProto]:
        """Yield the convolution of a MatMul of (n, rows, k), and of the bias that is added to it.

        Each row is a pixel. Left as they are, the sum would have no step.
        """
        made = node.output[0]
        weights = self.constants.get(node.input[1])
        readers = [one for one in self.graph.node if made in one.input]
        if len(self.shape(node.input[0])) != 3 or weights is None or weights.ndim != 2:
            return
        if [one.op_type for one in readers] != ["Add"]:
            return
        bias = next(
            (self.constants[one] for one in readers[0].input if one in self.constants), None
        )
        if bias is None or bias.size != weights.shape[1] or bias.shape[-1] != bias.size:
            return
        readers[0].op_type = "Identity"
        readers[0].input[:] = [made]
        kernels = self.store(f"{made}/weights", weights.T[:, :, None, None].copy())
        inputs = [kernels, self.store(f"{made}/bias", bias.ravel())]
        axis = self.store(f"{made}/axis", np.array([2]))
        at = [node.input[0], *(f"{made}/{part}" for part in ("turned", "image", "conv", "flat"))]
        yield helper.make_node("Transpose", at[:1], [at[1]], at[1], perm=[0, 2, 1])
        yield helper.make_node("Unsqueeze", [at[1], axis], [at[2]], at[2])
        yield helper.make_node("Conv", [at[2], *inputs], [at[3]], node.name or made)
        yield helper.make_node("Squeeze", [at[3], axis], [at[4]], at[4])
        yield helper.make_node("Transpose", [at[4]], [made], f"{made}/rows", perm=[0, 2, 1])

    def reduce_mean(self, node: onnx.NodeProto) -> Iterator[onnx.NodeProto]:
        """Yield the pool of a mean over height and width."""
        axes = _attributes(node).get("axes")
        if axes is None and len(node.input) > 1 and node.input[1] in self.constants:
            axes = self.constants[node.input[1]].tolist()
        if len(self.shape(node.input[0])) != 4 or {axis % 4 for axis in axes or []} != {2, 3}:
            return
        name, made = node.name or node.output[0], node.output[0]
        kept = _attributes(node).get("keepdims", 1)
        pooled = made if kept else f"{made}/pooled"
        yield helper.make_node("GlobalAveragePool", [node.input[0]], [pooled], name)
        if not kept:
            yield helper.make_node("Flatten", [pooled], [made], f"{name}/flat")

    def sum_of(self, node: onnx.NodeProto) -> Iterator[onnx.NodeProto]:
        """Yield the additions of a sum of several tensors, two by two."""
        total = node.input[0]
        for place, name in enumerate(node.input[1:], 2):
            made = node.output[0] if place == len(node.input) else f"{node.output[0]}/{place}"
            yield helper.make_node("Add", [total, name], [made], made)
            total = made

    def average_pool(self, node: onnx.NodeProto) -> list[onnx.NodeProto]:
        """Return the convolution of equal weights of an average pool."""
        channels = (self.shape(node.input[0]) or [0, 0])[1]
        attributes = _attributes(node)
        counts_pads = attributes.pop("count_include_pad", 0)
        same = attributes.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID")
        padded = any(attributes.get("pads", [])) or same
        if channels < 1 or (padded and not counts_pads) or attributes.pop("ceil_mode", 0):
            raise UnportableError(
                f"AveragePool {node.name or node.output[0]}",
                "its divisor differs at the edges, or its channels are unknown",
                "count_include_pad 1, ceil_mode 0, or no pads",
            )
        kernel = attributes["kernel_shape"]
        equal = np.full((channels, 1, *kernel), 1 / np.prod(kernel), np.float32)
        inputs = [node.input[0], self.store(f"{node.output[0]}/weights", equal)]
        made = node.output[:1]
        return [helper.make_node("Conv", inputs, made, node.name, group=channels, **attributes)]


def _per_channel(shape: list[int]) -> list[tuple[int, ...]]:
    """Return the shapes of constants with a number for each channel of a tensor."""
    channels, inner = shape[1], (1,) * (len(shape) - 2)
    return [(channels, *inner), (1, channels, *inner)]


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {one.name: helper.get_attribute_value(one) for one in node.attribute}


_REWRITERS: dict[str, Callable[[_Rewrite, onnx.NodeProto], Any]] = {
    "AveragePool": _Rewrite.average_pool,
    "BatchNormalization": _Rewrite.batch_normalization,
    "MatMul": _Rewrite.product_of_rows,
    "ReduceMean": _Rewrite.reduce_mean,
    "Sum": _Rewrite.sum_of,
    **dict.fromkeys(("Add", "Div", "Mul", "Sub"), _Rewrite.of_constant),
}
