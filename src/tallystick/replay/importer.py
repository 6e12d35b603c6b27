"""Makes a QI8-1 model of a quantized ONNX file, or says which node stands against it.

What it makes is run beside onnxruntime before anybody gets it (selftest.py).
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from numpy.typing import NDArray
from onnx.checker import ValidationError

from tallystick.replay.errors import ModelError, UnportableError
from tallystick.replay.functions import TABLE, with_tables
from tallystick.replay.graph import Array, Graph, GraphNode
from tallystick.replay.lookup import table
from tallystick.replay.model import UNKNOWN, Model, Quantization, Rows, check_rows
from tallystick.replay.parameters import (
    check_types,
    scale_of,
    scales_of,
    weights_zero_point,
    zero_point_of,
)
from tallystick.replay.prepare import prepare
from tallystick.replay.refusals import check_form, refusal
from tallystick.replay.requantize import scale_bits
from tallystick.replay.selftest import check_against_onnxruntime
from tallystick.replay.shapes import new_shape, window_of
from tallystick.replay.step import Step, StepKind
from tallystick.replay.tensor import Tensor


def import_file(source: Path, target: Path, samples: NDArray[Any], count: int = 256) -> Model:
    """Write the QI8-1 model of an ONNX file and return it; arguments and errors as import_onnx.

    Args:
        source: the .onnx file.
        target: the .qi8 file, written only if the model answers as onnxruntime does.
        samples: real inputs as the ONNX graph takes them.
        count: random inputs to try besides.
    """
    model = import_onnx(load(source), samples, count)
    target.write_bytes(model.to_bytes())
    return model


def load(source: Path) -> onnx.ModelProto:
    """Return the graph of an ONNX file, with the tensors that it keeps in files beside it.

    Raises:
        UnportableError: it is none, or a file beside it is missing.
    """
    try:
        return onnx.load(str(source))
    except (DecodeError, ValidationError, OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise UnportableError(
            source.name, f"is not an ONNX file: {reason}", "one that is"
        ) from error


def import_onnx(source: onnx.ModelProto, samples: NDArray[Any], count: int = 256) -> Model:
    """Return the QI8-1 model of a quantized ONNX model, after trying it against onnxruntime.

    Args:
        source: quantized, in QOperator or QDQ form.
        samples: real inputs as the graph takes them, (n, ...), n at least 1.
        count: random inputs to try besides, at least 1.

    Raises:
        UnportableError: a node that cannot be replayed exactly.
        MismatchError: a tensor differs from onnxruntime's.
    """
    source = prepare(source)
    model, tensors = read_graph(source)
    check_against_onnxruntime(source, model, tensors, samples, count)
    return model


def read_graph(source: onnx.ModelProto) -> tuple[Model, tuple[Tensor, ...]]:
    """Return the model and its tensors in the graph, the input's first; untried.

    Args:
        source: as of prepare.

    Raises:
        UnportableError: a node that cannot be replayed exactly.
    """
    graph = with_tables(Graph.of(source))
    check_form(graph)
    walk = _Walk(graph)
    for node in graph.nodes:
        walk.take(node)
    return walk.finish()


@dataclass(slots=True)
class _Walk:
    """Follows the chain of nodes from the graph's input to its output."""

    graph: Graph
    at: str = ""
    """Name of the tensor reached."""
    shape: tuple[int, ...] = ()
    """Its shape while it is still float."""
    tensor: Tensor | None = None
    tensors: list[Tensor] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    rows: list[bytes] = field(default_factory=list)
    input: Quantization = UNKNOWN
    output: Quantization = UNKNOWN
    ended: bool = False

    def __post_init__(self) -> None:
        self.at, self.shape = self.graph.input, self.graph.shape
        if self.graph.dtype in (np.dtype(np.uint8), np.dtype(np.int8)):
            self._begin(self.graph.dtype == np.int8)

    def take(self, node: GraphNode) -> None:
        """Follow one node.

        Raises:
            UnportableError: it has no step, or is not the next of the chain.
        """
        handler = _HANDLERS.get(node.op)
        if handler is None or self.ended:
            raise refusal(node)
        if node.inputs[:1] != (self.at,):
            raise node.refusal(
                f"reads {node.inputs[0]}, not {self.at}", "a chain: each node reads the one before"
            )
        if self.tensor is None and node.op not in ("QuantizeLinear", "Transpose", *_RESHAPES):
            raise node.refusal("its input is float32", "a QuantizeLinear node at the graph's input")
        handler(self, node)
        self.at = node.outputs[0]

    def finish(self) -> tuple[Model, tuple[Tensor, ...]]:
        """Return the model and its tensors."""
        tensor = self.tensor
        if tensor is None or not self.steps or self.at != self.graph.output:
            raise UnportableError(
                f"output {self.graph.output}",
                "no quantized node leads to it",
                "a model quantized in QOperator form",
            )
        if len(tensor.shape) == 1 and not tensor.in_order:
            raise UnportableError(
                f"output {self.graph.output}",
                "is an image, flattened: its bytes lie in the order h, w, c, not c, h, w",
                "end the graph before flattening",
            )
        model = Model(tuple(self.steps), b"".join(self.rows), self.input, self.output)
        model.check()
        return model, tuple(self.tensors)

    def quantize(self, node: GraphNode) -> None:
        """Begin with the bytes that QuantizeLinear gives."""
        if self.tensor is not None:
            raise refusal(node)
        scale, zero_point = scale_of(node, 1), node.optional(2)
        self._begin(zero_point is not None and zero_point.dtype == np.int8, node.outputs[0])
        stored, _ = zero_point_of(node, 2)
        self.input = Quantization(scale_bits(scale), stored)

    def dequantize(self, node: GraphNode) -> None:
        """End with the bytes that DequantizeLinear takes."""
        stored, _ = zero_point_of(node, 2)
        self.output = Quantization(scale_bits(scale_of(node, 1)), stored)
        self.ended = True

    def transpose(self, node: GraphNode) -> None:
        """Name a tensor's axes in another order; no byte moves."""
        perm = tuple(node.attributes.get("perm", ()))
        if self.tensor is None:
            if perm != _CHANNELS_FIRST or len(self.shape) != 3:
                raise refusal(node)
            h, w, c = self.shape
            self.shape = (c, h, w)
            return
        tensor = self.tensor
        if perm[:1] != (0,) or len(perm) != len(tensor.shape) + 1:
            raise refusal(node)
        axes = tuple(axis - 1 for axis in perm[1:])
        order = tensor.order.reshape(tensor.shape).transpose(axes).ravel()
        shape = tuple(tensor.shape[axis] for axis in axes)
        self.tensor = replace(tensor, name=node.outputs[0], shape=shape, order=order)

    def reshape(self, node: GraphNode) -> None:
        """Give a tensor another shape; no byte moves."""
        before = self._reached().shape if self.tensor else self.shape
        shape = new_shape(node, before)
        if self.tensor is None:
            self.shape = shape
            return
        tensor = self.tensor
        if len(shape) == 3 and (shape != before or tensor.stored[:2] == (1, 1)):
            if not tensor.in_order or (shape[0] > 1 and shape[1:] != (1, 1)):
                raise node.refusal(
                    "its elements do not lie in the order h, w, c", "give the model an image"
                )
            c, h, w = shape
            self.tensor = replace(tensor, shape=shape, stored=(h, w, c))
        else:
            self.tensor = replace(tensor, shape=shape)

    def conv(self, node: GraphNode) -> None:
        """QLinearConv: x, its scale and zero point, w, its two, y's two, bias."""
        weights = node.constant(3)
        if weights.ndim != 4 or len(self._image(node).shape) != 3:
            raise node.refusal("is not a convolution of images", "Conv in two dimensions")
        out_c, _, k_h, k_w = weights.shape
        rows = weights.transpose(0, 2, 3, 1).reshape(out_c, -1)
        bias = node.optional(8)
        self._multiply(node, StepKind.CONV, rows, bias, x=1, w=4, y=6, window=(k_h, k_w))

    def matmul(self, node: GraphNode) -> None:
        """QLinearMatMul: a, its scale and zero point, b, its two, y's two."""
        weights = node.constant(3)
        if weights.ndim != 2:
            raise node.refusal("its weights are not a matrix", "one product of a matrix, (k, n)")
        self._multiply(node, StepKind.DENSE, weights.T, None, x=1, w=4, y=6)

    def gemm(self, node: GraphNode) -> None:
        """QGemm: a, its scale and zero point, b, its two, c, y's two."""
        attributes = node.attributes
        if attributes.get("alpha", 1.0) != 1.0 or attributes.get("transA", 0):
            raise node.refusal("alpha is not 1, or transA is set", "alpha 1 and transA 0")
        if node.optional(7) is None:
            raise node.refusal("its output is float32", "give it y_scale and y_zero_point")
        weights = node.constant(3)
        rows = weights if attributes.get("transB", 0) else weights.T
        self._multiply(node, StepKind.DENSE, rows, node.optional(6), x=1, w=4, y=7)

    def max_pool(self, node: GraphNode) -> None:
        """MaxPool of bytes."""
        if len(node.outputs) > 1 or node.attributes.get("storage_order", 0):
            raise node.refusal("returns indices", "MaxPool with one output")
        tensor = self._image(node)
        shape, window = window_of(node, tensor, node.attributes.get("kernel_shape", ()))
        out = Tensor.image(node.outputs[0], tensor.signed, (tensor.shape[0], *shape))
        self._add(node, Step(StepKind.MAX_POOL, *tensor.stored, *out.stored, **window), b"", out)

    def global_average_pool(self, node: GraphNode) -> None:
        """QLinearGlobalAveragePool: x, its scale and zero point, y's two."""
        tensor = self._image(node)
        if node.attributes.get("channels_last", 0) or len(tensor.shape) != 3:
            raise node.refusal("its input is not (n, c, h, w)", "channels_last 0")
        h, w, c = tensor.stored
        za, _ = zero_point_of(node, 2)
        zy, out_signed = zero_point_of(node, 4)
        with np.errstate(all="ignore"):
            scale = scale_of(node, 1) / (scale_of(node, 3) * np.float32(h * w))
        if not 2.0**-32 <= scale < 256:
            raise node.refusal(f"scale is {scale}", "scales of input and output closer together")
        out = Tensor.image(node.outputs[0], out_signed, (c, 1, 1))
        step = Step(
            StepKind.AVERAGE_POOL,
            *tensor.stored,
            *out.stored,
            k_h=h,
            k_w=w,
            stride_h=1,
            stride_w=1,
            k=h * w,
            za=za,
            zy=zy,
            hi=255,
        )
        rows = Rows(
            np.array([-za * h * w]),
            np.array([scale_bits(scale)], np.uint32),
            np.empty((1, 0), np.uint8),
        )
        self._add(node, step, rows.pack(), out)

    def lookup(self, node: GraphNode) -> None:
        """Any function of one byte: its table is what onnxruntime answers to all 256."""
        tensor = self._reached()
        values, signed = table(node, tensor.signed, self.graph.opset)
        out = replace(tensor, name=node.outputs[0], signed=signed)
        self._add(
            node, Step(StepKind.LOOKUP, *tensor.stored, *tensor.stored), values.tobytes(), out
        )

    def _begin(self, signed: bool, name: str | None = None) -> None:
        # Flattened before anything else looks at it, an image's bytes stay in ONNX's order, so
        # that clients need not know that it was one.
        first = self._first_op()
        image = len(self.shape) == 3 and first not in (*_RESHAPES, "Transpose")
        make = Tensor.image if image else Tensor.flat
        self.tensor = make(name or self.at, signed, self.shape)
        if first == "Transpose" and len(self.shape) == 3:
            # Channels come last, as the bytes have them.
            h, w, c = self.shape
            self.tensor = replace(self.tensor, stored=(h, w, c))
        self.tensors.append(self.tensor)

    def _first_op(self) -> str:
        """Return the first operator on bytes that isn't one of each byte alone."""
        ops = [node.op for node in self.graph.nodes]
        if "QuantizeLinear" in ops:
            ops = ops[ops.index("QuantizeLinear") + 1 :]
        return next((op for op in ops if op not in (*_LOOKUPS, "Identity")), "")

    def _image(self, node: GraphNode) -> Tensor:
        """Return the tensor reached, whose bytes must lie as a step on images takes them."""
        tensor = self._reached()
        if len(tensor.shape) == 3 and not np.array_equal(
            tensor.order, Tensor.image(tensor.name, tensor.signed, tensor.shape).order
        ):
            raise node.refusal(
                "its input's bytes do not lie in the order h, w, c", "channels first, (n, c, h, w)"
            )
        return tensor

    def _reached(self) -> Tensor:
        assert self.tensor is not None
        return self.tensor

    def _multiply(
        self,
        node: GraphNode,
        kind: StepKind,
        rows: Array,
        bias: Array | None,
        x: int,
        w: int,
        y: int,
        window: tuple[int, int] | None = None,
    ) -> None:
        """Add a dense or convolution step.

        Args:
            node: the node.
            kind: DENSE or CONV.
            rows: (out channels, K) int8 or uint8, K in ONNX's order, or ky, kx, c.
            bias: int32 that broadcasts to (out channels,), or None.
            x: place of the input's scale among the node's inputs; its zero point follows.
            w: likewise of the weights.
            y: likewise of the output.
            window: kernel height and width of a convolution.
        """
        tensor = self._reached()
        za, signed = zero_point_of(node, x + 1)
        zy, out_signed = zero_point_of(node, y + 1)
        zw = weights_zero_point(node, w + 1, rows)
        check_types(node, signed, rows)
        out_c, k = rows.shape
        if window is None:
            if len(tensor.shape) != 1 or tensor.shape != (k,):
                raise node.refusal(f"shape is {tensor.shape}; needed: ({k},)", "Flatten before it")
            # The weights follow the bytes: what was flattened lies in the order h, w, c.
            ordered = np.empty_like(rows)
            ordered[:, tensor.order] = rows
            rows = ordered
            ends = ((1, 1, k), (1, 1, out_c))
            placed = {"k_h": 1, "k_w": 1, "stride_h": 1, "stride_w": 1, "groups": 1}
            out = Tensor.flat(node.outputs[0], out_signed, (out_c,))
        else:
            shape, placed = window_of(node, tensor, window)
            placed["groups"] = node.attributes.get("group", 1)
            out = Tensor.image(node.outputs[0], out_signed, (out_c, *shape))
            ends = (tensor.stored, out.stored)
        step = Step(kind, *ends[0], *ends[1], **placed, k=k, za=za, zw=zw, zy=zy, hi=255)
        flip = np.uint8(0x80 if rows.dtype == np.int8 else 0)
        stored = np.ascontiguousarray(rows).view(np.uint8) ^ flip
        sums = stored.sum(axis=1, dtype=np.int64)
        plain = np.zeros(1, np.int64) if bias is None else bias.astype(np.int64).ravel()
        if plain.size not in (1, out_c):
            raise node.refusal(f"{plain.size} biases for {out_c} channels", "one per channel")
        folded = np.broadcast_to(plain, (out_c,)) - za * sums + k * za * zw
        self._add(node, step, Rows(folded, scales_of(node, x, w, y, out_c), stored).pack(), out)

    def _add(self, node: GraphNode, step: Step, rows: bytes, out: Tensor) -> None:
        try:
            step.check()
            if step.row_count:
                check_rows(node.label, step, Model((step,), rows).rows_of(0))
        except ModelError as error:
            instead = "a layer within the format's bounds: narrower, or split, or with smaller pads"
            raise node.refusal(error.reason, instead) from error
        self.steps.append(step)
        self.rows.append(rows)
        self.tensor = out
        self.tensors.append(out)


_RESHAPES = ("Flatten", "Reshape", "Squeeze", "Unsqueeze", "Identity")
_LOOKUPS = ("QLinearSigmoid", "QLinearLeakyRelu", "Relu", "Clip", TABLE)
_CHANNELS_FIRST = (0, 3, 1, 2)
_HANDLERS: dict[str, Callable[[_Walk, GraphNode], None]] = {
    "QuantizeLinear": _Walk.quantize,
    "DequantizeLinear": _Walk.dequantize,
    "QLinearConv": _Walk.conv,
    "QLinearMatMul": _Walk.matmul,
    "QGemm": _Walk.gemm,
    "MaxPool": _Walk.max_pool,
    "Transpose": _Walk.transpose,
    "QLinearGlobalAveragePool": _Walk.global_average_pool,
    **dict.fromkeys(_RESHAPES, _Walk.reshape),
    **dict.fromkeys(_LOOKUPS, _Walk.lookup),
}
