"""Makes a quantized ONNX graph of a TFLite file: the same integers, rounded by ONNX's rule.

TFLite scales a sum by a product of integers, twice rounded; QI8-1 by one float32 product, rounded
to even (docs/replay.md). Answers can differ by a step, and tflite_distance.py counts how many do.
Images keep TFLite's order, (n, h, w, c): each layer stands between two transpositions, which move
no byte.
"""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tallystick.replay.errors import UnportableError
from tallystick.replay.graph import Array
from tallystick.replay.tflite_file import TfliteFile, TfliteOperator, TfliteTensor

_MICROSOFT = "com.microsoft"
_INWARDS, _OUTWARDS = [0, 3, 1, 2], [0, 2, 3, 1]
_SAME = 0
"""Padding of the schema; 1 is VALID."""
_ENDS = {
    "NONE": (None, None),
    "RELU": (0.0, None),
    "RELU_N1_TO_1": (-1.0, 1.0),
    "RELU6": (0.0, 6.0),
}
_FUSED = ("NONE", "RELU", "RELU_N1_TO_1", "RELU6")
"""By their numbers in the schema."""
_FUNCTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "ELU": ("Elu", {}),
    "HARD_SWISH": ("HardSwish", {}),
    "LOGISTIC": ("Sigmoid", {}),
    "RELU": ("Relu", {}),
    "TANH": ("Tanh", {}),
}
_TYPES = {"FLOAT32": TensorProto.FLOAT, "INT8": TensorProto.INT8, "UINT8": TensorProto.UINT8}
_QUANTIZE = "full integer quantization (int8), by TensorFlow's converter"
_AT_END = "end the graph before it (--until); clients can do it"


def onnx_of_tflite(source: TfliteFile, until: str | None = None) -> onnx.ModelProto:
    """Return the ONNX model in QOperator form, for import_measured.

    Args:
        source: of read_tflite.
        until: operator before which the graph ends, by its kind or its output; None: its own end.

    Raises:
        UnportableError: an operator or a type that has no step; `until` names none.
    """
    operators, output = ended_before(source, until)
    graph = _Graph(source.input, output)
    for one in operators:
        graph.take(one)
    return graph.finish()


def ended_before(
    source: TfliteFile, until: str | None
) -> tuple[list[TfliteOperator], TfliteTensor]:
    """Return the operators that an answer needs, and the answer; see onnx_of_tflite."""
    output, found = source.output, list(source.operators)
    if until is not None:
        named = [one for one in found if until in (one.name, one.op)]
        if not named or named[0].inputs[0] is None:
            names = ", ".join(f"{one.op} ({one.name})" for one in found[-5:])
            raise UnportableError(until, "the graph has no such operator", f"one of: {names}")
        output = named[0].inputs[0]
    needed, kept = {output.name}, []
    for one in reversed(found):
        if needed.intersection(made.name for made in one.outputs):
            needed.update(read.name for read in one.inputs if read is not None)
            kept.append(one)
    return kept[::-1], output


class _Graph:
    """An ONNX graph in the making."""

    def __init__(self, given: TfliteTensor, output: TfliteTensor) -> None:
        self._given, self._output = given, output
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, Array] = {}
        self._padded: dict[str, tuple[TfliteTensor, list[int]]] = {}
        """By the name of what PAD makes: what it pads, and top, left, bottom, right."""

    def take(self, one: TfliteOperator) -> None:
        """Add the nodes of an operator."""
        handler = _HANDLERS.get(one.op)
        if handler is None and one.op not in _FUNCTIONS:
            is_end = one.op in ("SOFTMAX", "ARG_MAX", "LOG_SOFTMAX")
            raise one.refusal("has no step", _AT_END if is_end else "operators that have one")
        if len(one.outputs) != 1:
            raise one.refusal(f"has {len(one.outputs)} outputs", "one")
        for tensor in (*one.inputs, *one.outputs):
            if tensor is not None and tensor.name in self._padded and one.op not in _PADDED:
                raise one.refusal("reads what PAD makes", "PAD before convolutions alone")
            if tensor is not None and tensor.data is None and tensor.kind not in _TYPES:
                raise one.refusal(f"{tensor.name} is {tensor.kind}, and computed", _QUANTIZE)
        if handler is None:
            self._function(one)
        else:
            handler(self, one)

    def finish(self) -> onnx.ModelProto:
        """Return the model."""
        if self._output.name in self._padded:
            raise UnportableError("graph", "ends with PAD", "PAD before convolutions alone")
        for end in (self._given, self._output):
            if end.kind not in _TYPES or len(end.shape) < 2 or end.shape[0] != 1:
                found = f"is {end.kind} {end.shape}"
                raise UnportableError(f"end {end.name}", found, f"a batch of 1; {_QUANTIZE}")
        given: list[str | int | None] = ["n", *self._given.shape[1:]]
        ends = [
            helper.make_tensor_value_info(self._given.name, _TYPES[self._given.kind], given),
            helper.make_tensor_value_info(self._as_made(), _TYPES[self._output.kind], None),
        ]
        stored = [numpy_helper.from_array(value, name) for name, value in self._constants.items()]
        graph = helper.make_graph(self._nodes, "tflite", ends[:1], ends[1:], stored)
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid(_MICROSOFT, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)

    def _as_made(self) -> str:
        """End with the last layer's tensor, whose bytes are the same; return the answer's name."""
        floats = [self._nodes.pop()] if self._ends_with("DequantizeLinear") else []
        name = floats[0].input[0] if floats else self._output.name
        while self._ends_with("Transpose", "Reshape"):
            name = self._nodes.pop().input[0]
        if not floats:
            return name
        floats[0].input[0] = name
        self._nodes += floats
        return self._output.name

    def _ends_with(self, *ops: str) -> bool:
        return bool(self._nodes) and self._nodes[-1].op_type in ops

    # Parts

    def _node(self, op: str, inputs: list[str], output: str, **attributes: Any) -> str:
        domain = _MICROSOFT if op in _OF_MICROSOFT else ""
        self._nodes.append(
            helper.make_node(op, inputs, [output], output, domain=domain, **attributes)
        )
        return output

    def _store(self, name: str, value: Array) -> str:
        self._constants[name] = value
        return name

    def _parameters(self, one: TfliteOperator, tensor: TfliteTensor) -> list[str]:
        """Return the names of a tensor's scale and zero point, or of those of its channels."""
        if not tensor.is_quantized:
            raise one.refusal(f"{tensor.name} is {tensor.kind} without a scale", _QUANTIZE)
        if tensor.data is None and tensor.scales.size != 1:
            raise one.refusal(f"{tensor.name} has a scale per channel", _QUANTIZE)
        zeros = np.broadcast_to(tensor.zero_points, tensor.scales.shape)
        kind = np.int8 if tensor.kind == "INT8" else np.uint8
        scales, shape = tensor.scales, () if tensor.scales.size == 1 else tensor.scales.shape
        return [
            self._store(f"{tensor.name}/scale", scales.reshape(shape)),
            self._store(f"{tensor.name}/zero_point", zeros.astype(kind).reshape(shape)),
        ]

    def _inwards(self, one: TfliteOperator, tensor: TfliteTensor) -> str:
        """Return the name of a tensor whose channels come first, where it is an image."""
        if len(tensor.shape) != 4:
            return tensor.name
        made = f"{tensor.name}/first for {one.name}"
        return self._node("Transpose", [tensor.name], made, perm=_INWARDS)

    def _outwards(self, one: TfliteOperator, made: str) -> None:
        """Clamp what a layer made as its activation says, and name it as the file does."""
        out = one.outputs[0]
        low, high = self._range(one, out)
        is_image = len(out.shape) == 4
        if (low, high) != _bounds(out):
            kind = np.int8 if out.kind == "INT8" else np.uint8
            ends = [
                self._store(f"{out.name}/{word}", np.array(value, kind))
                for word, value in (("least", low), ("most", high))
            ]
            name = f"{out.name}/clamped" if is_image else out.name
            made = self._node("Clip", [made, *ends], name)
        if is_image:
            self._node("Transpose", [made], out.name, perm=_OUTWARDS)
        elif made != out.name:
            self._node("Identity", [made], out.name)

    def _range(self, one: TfliteOperator, out: TfliteTensor) -> tuple[int, int]:
        """Return the least and greatest byte that an activation leaves, by TFLite's rule."""
        number = one.options.get("FusedActivationFunction", 0)
        if number >= len(_FUSED):
            raise one.refusal("has another activation than ReLU's", "an activation behind it")
        least, most = _bounds(out)
        low, high = _ENDS[_FUSED[number]]
        scale, zero = float(out.scales[0]), int(out.zero_points[0])
        if low is not None:
            least = max(least, zero + _rounded(low / scale))
        if high is not None:
            most = min(most, zero + _rounded(high / scale))
        return least, most

    def _inner(self, one: TfliteOperator) -> str:
        return f"{one.name}/made"

    # Operators

    def _conv(self, one: TfliteOperator) -> None:
        given, weights, *rest = one.inputs
        assert given is not None
        if weights is None or weights.data is None or weights.data.ndim != 4:
            raise one.refusal("its weights are computed", "weights that the file has")
        out, (given, pads) = one.outputs[0], self._padded.get(given.name, (given, [0] * 4))
        if one.op == "DEPTHWISE_CONV_2D":
            kernels, group = weights.data.transpose(3, 1, 2, 0), given.shape[3]
        else:
            kernels, group = weights.data, given.shape[3] // weights.data.shape[3]
        stored = self._store(f"{one.name}/weights", kernels.transpose(0, 3, 1, 2).copy())
        size = kernels.shape[1:3]
        if one.options["Padding"] == _SAME:
            if any(pads):
                raise one.refusal("pads what PAD has padded", "padding VALID behind PAD")
            pads = _same(one, given.shape, size)
        inputs = [
            *(self._inwards(one, given), *self._parameters(one, given)),
            *(stored, *self._parameters(one, weights), *self._parameters(one, out)),
        ]
        dilations = [one.options["DilationHFactor"], one.options["DilationWFactor"]]
        made = self._node(
            "QLinearConv",
            inputs + self._bias(one, rest),
            self._inner(one),
            group=group,
            pads=pads,
            strides=_strides(one),
            dilations=dilations,
        )
        self._outwards(one, made)

    def _bias(self, one: TfliteOperator, rest: list[TfliteTensor | None]) -> list[str]:
        bias = rest[0] if rest else None
        if bias is None:
            return []
        if bias.data is None or bias.data.dtype != np.int32:
            raise one.refusal(f"its bias is {bias.kind}", "a bias of int32 that the file has")
        return [self._store(f"{one.name}/bias", bias.data)]

    def _fully_connected(self, one: TfliteOperator) -> None:
        given, weights, *rest = one.inputs
        assert given is not None
        if weights is None or weights.data is None or weights.data.ndim != 2:
            raise one.refusal("its weights are computed", "weights that the file has")
        out, name = one.outputs[0], given.name
        if (
            one.options.get("KeepNumDims")
            or one.options.get("WeightsFormat")
            or len(out.shape) != 2
        ):
            raise one.refusal("keeps dimensions, or shuffles weights", "one product of (n, k)")
        if len(given.shape) != 2:
            name = self._reshaped(name, f"{one.name}/flat", (weights.data.shape[1],))
        stored = self._store(f"{one.name}/weights", weights.data)
        bias = self._bias(one, rest) or [""]
        inputs = [
            *(name, *self._parameters(one, given), stored, *self._parameters(one, weights)),
            *(*bias, *self._parameters(one, out)),
        ]
        self._outwards(one, self._node("QGemm", inputs, self._inner(one), transB=1))

    def _average_pool(self, one: TfliteOperator) -> None:
        given, out = one.inputs[0], one.outputs[0]
        assert given is not None
        size = one.options["FilterHeight"], one.options["FilterWidth"]
        if one.options["Padding"] == _SAME and any(_same(one, given.shape, size)):
            raise one.refusal("its divisor differs at the edges", "padding VALID")
        if size == given.shape[1:3]:
            self._global_average_pool(one)
            return
        channels = given.shape[3]
        kind = np.int8 if given.kind == "INT8" else np.uint8
        parts: dict[str, Array] = {
            "weights": np.ones((channels, 1, *size), kind),
            "share": np.array(1 / prod(size), np.float32),
            "zero": np.array(0, kind),
        }
        equal = [self._store(f"{one.name}/{word}", value) for word, value in parts.items()]
        inputs = [self._inwards(one, given), *self._parameters(one, given), *equal]
        inputs += self._parameters(one, out)
        made = self._node(
            "QLinearConv", inputs, self._inner(one), group=channels, strides=_strides(one)
        )
        self._outwards(one, made)

    def _global_average_pool(self, one: TfliteOperator) -> None:
        given, out = one.inputs[0], one.outputs[0]
        assert given is not None
        inputs = [self._inwards(one, given), *self._parameters(one, given)]
        made = self._node(
            "QLinearGlobalAveragePool", inputs + self._parameters(one, out), self._inner(one)
        )
        self._outwards(one, made)

    def _mean(self, one: TfliteOperator) -> None:
        given, axes = one.inputs[0], one.inputs[1]
        out = one.outputs[0]
        assert given is not None
        found = set() if axes is None or axes.data is None else {int(x) % 4 for x in axes.data.flat}
        if len(given.shape) != 4 or found != {1, 2}:
            raise one.refusal("is not a mean over height and width", "a mean over axes 1 and 2")
        inputs = [self._inwards(one, given), *self._parameters(one, given)]
        inputs += self._parameters(one, out)
        made = self._node("QLinearGlobalAveragePool", inputs, self._inner(one))
        if len(out.shape) == 4:
            self._outwards(one, made)
        else:
            self._reshaped(made, one.name, out.shape[1:])

    def _max_pool(self, one: TfliteOperator) -> None:
        given = one.inputs[0]
        assert given is not None
        size = one.options["FilterHeight"], one.options["FilterWidth"]
        pads = _same(one, given.shape, size) if one.options["Padding"] == _SAME else [0] * 4
        self._check_same(one, given)
        made = self._node(
            "MaxPool",
            [self._inwards(one, given)],
            self._inner(one),
            kernel_shape=size,
            strides=_strides(one),
            pads=pads,
        )
        self._outwards(one, made)

    def _check_same(self, one: TfliteOperator, given: TfliteTensor) -> None:
        out = one.outputs[0]
        if (given.scales[:1], given.zero_points[:1]) != (out.scales[:1], out.zero_points[:1]):
            raise one.refusal("its input has another scale than its output", "one scale of both")

    def _add(self, one: TfliteOperator) -> None:
        inputs: list[str] = []
        for tensor in one.inputs:
            assert tensor is not None
            if tensor.data is not None:
                raise one.refusal(
                    "adds a constant", "the constant in the layer before, as its bias"
                )
            inputs += [self._inwards(one, tensor), *self._parameters(one, tensor)]
        inputs += self._parameters(one, one.outputs[0])
        self._outwards(one, self._node("QLinearAdd", inputs, self._inner(one)))

    def _concat(self, one: TfliteOperator) -> None:
        rank = len(one.outputs[0].shape)
        axis = one.options["Axis"] % rank
        if axis != rank - 1:
            raise one.refusal(f"joins along axis {axis}", "along the channels, the last axis")
        inputs = self._parameters(one, one.outputs[0])
        for tensor in one.inputs:
            if tensor is None or tensor.data is not None:
                raise one.refusal("appends a constant", "tensors that layers make")
            inputs += [self._inwards(one, tensor), *self._parameters(one, tensor)]
        made = self._node(
            "QLinearConcat", inputs, self._inner(one), axis=1 if rank == 4 else rank - 1
        )
        self._outwards(one, made)

    def _reshape(self, one: TfliteOperator) -> None:
        given, out = one.inputs[0], one.outputs[0]
        assert given is not None
        self._reshaped(given.name, out.name, out.shape[1:])

    def _reshaped(self, given: str, made: str, shape: tuple[int, ...]) -> str:
        wanted = self._store(f"{made}/shape", np.array([0, *shape], np.int64))
        return self._node("Reshape", [given, wanted], made)

    def _pad(self, one: TfliteOperator) -> None:
        given, sizes = one.inputs[:2]
        assert given is not None
        if sizes is None or sizes.data is None or sizes.data.shape != (4, 2) or len(one.inputs) > 2:
            raise one.refusal("pads no image by stored sizes", "PAD of height and width")
        (n, *_), top, left, channels = sizes.data.tolist()
        if n or any(sizes.data[0]) or any(channels):
            raise one.refusal("pads samples or channels", "PAD of height and width")
        self._padded[one.name] = given, [top[0], left[0], top[1], left[1]]

    def _function(self, one: TfliteOperator) -> None:
        op, attributes = _FUNCTIONS[one.op]
        self._of_floats(one, op, **attributes)

    def _leaky_relu(self, one: TfliteOperator) -> None:
        self._of_floats(one, "LeakyRelu", alpha=one.options["Alpha"])

    def _relu6(self, one: TfliteOperator) -> None:
        ends = [self._store(f"{one.name}/{end}", np.array(end, np.float32)) for end in (0, 6)]
        self._of_floats(one, "Clip", *ends)

    def _of_floats(self, one: TfliteOperator, op: str, *more: str, **attributes: Any) -> None:
        """Add a function between DequantizeLinear and QuantizeLinear: it becomes a table."""
        given, out = one.inputs[0], one.outputs[0]
        assert given is not None
        read = [given.name, *self._parameters(one, given)]
        floats = self._node("DequantizeLinear", read, f"{one.name}/floats")
        made = self._node(op, [floats, *more], f"{one.name}/function", **attributes)
        self._node("QuantizeLinear", [made, *self._parameters(one, out)], one.name)

    def _quantize(self, one: TfliteOperator) -> None:
        given, out = one.inputs[0], one.outputs[0]
        assert given is not None
        if given.is_quantized:
            self._of_floats(one, "Identity")
            return
        self._node("QuantizeLinear", [given.name, *self._parameters(one, out)], one.name)

    def _dequantize(self, one: TfliteOperator) -> None:
        given = one.inputs[0]
        assert given is not None
        self._node("DequantizeLinear", [given.name, *self._parameters(one, given)], one.name)


def _rounded(value: float) -> int:
    """Round to the nearest, halves away from zero, as TFLite does."""
    return int(np.copysign(np.floor(abs(value) + 0.5), value))


def _bounds(tensor: TfliteTensor) -> tuple[int, int]:
    return (-128, 127) if tensor.kind == "INT8" else (0, 255)


def _strides(one: TfliteOperator) -> list[int]:
    return [one.options["StrideH"], one.options["StrideW"]]


def _same(one: TfliteOperator, shape: tuple[int, ...], size: tuple[int, ...]) -> list[int]:
    """Return top, left, bottom and right of padding SAME, by TFLite's rule: more at the end."""
    missing = []
    dilated = one.options.get("DilationHFactor", 1), one.options.get("DilationWFactor", 1)
    for length, kernel, stride, dilation in zip(
        shape[1:3], size, _strides(one), dilated, strict=True
    ):
        reach = (kernel - 1) * dilation + 1
        missing.append(max((-(-length // stride) - 1) * stride + reach - length, 0))
    before = [one // 2 for one in missing]
    return [*before, *(whole - half for whole, half in zip(missing, before, strict=True))]


_OF_MICROSOFT = ("QGemm", "QLinearAdd", "QLinearConcat", "QLinearGlobalAveragePool")
_PADDED = ("CONV_2D", "DEPTHWISE_CONV_2D", "PAD")
_HANDLERS: dict[str, Callable[[_Graph, TfliteOperator], None]] = {
    "ADD": _Graph._add,
    "AVERAGE_POOL_2D": _Graph._average_pool,
    "CONCATENATION": _Graph._concat,
    "CONV_2D": _Graph._conv,
    "DEPTHWISE_CONV_2D": _Graph._conv,
    "DEQUANTIZE": _Graph._dequantize,
    "FULLY_CONNECTED": _Graph._fully_connected,
    "LEAKY_RELU": _Graph._leaky_relu,
    "MAX_POOL_2D": _Graph._max_pool,
    "MEAN": _Graph._mean,
    "PAD": _Graph._pad,
    "QUANTIZE": _Graph._quantize,
    "RELU6": _Graph._relu6,
    "RESHAPE": _Graph._reshape,
    "SQUEEZE": _Graph._reshape,
}
