"""Makes a QI8-1 model of a quantized ONNX file, or says which node stands against it.

What it makes is run beside onnxruntime before anybody gets it (selftest.py).
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from numpy.typing import NDArray
from onnx.checker import ValidationError

from tallystick.replay.errors import ModelError, UnportableError
from tallystick.replay.functions import TABLE, with_tables
from tallystick.replay.graph import Array, Graph, GraphNode
from tallystick.replay.joins import Part, addends_of, concatenated, parts_of
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
from tallystick.replay.selftest import Differences, check_against_onnxruntime
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
    return import_measured(source, samples, count)[0]


def import_measured(
    source: onnx.ModelProto, samples: NDArray[Any], count: int = 256
) -> tuple[Model, Differences]:
    """Return the model, and how its sums differ from onnxruntime's; see import_onnx."""
    source = prepare(source)
    model, tensors = read_graph(source)
    return model, check_against_onnxruntime(source, model, tensors, samples, count)


def read_graph(source: onnx.ModelProto) -> tuple[Model, tuple[Tensor | None, ...]]:
    """Return the model and its tensors in the graph, the input's first; untried.

    A tensor that the graph has not, as a recalled one, is None.

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


class _Place(NamedTuple):
    """Tensor of the graph, and its number among the model's."""

    tensor: Tensor
    number: int
    """0 for the model's input, i + 1 for the output of step i."""


@dataclass(slots=True)
class _Walk:
    """Follows the nodes from the graph's input to its output."""

    graph: Graph
    at: str = ""
    """Name of the float tensor reached before anything is quantized; at the end of the output."""
    shape: tuple[int, ...] = ()
    """Shape of that float tensor."""
    places: dict[str, _Place] = field(default_factory=dict)
    """By name in the graph."""
    tensors: list[Tensor | None] = field(default_factory=list)
    """In the order of the steps."""
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
        if not self.places:
            if node.op not in ("QuantizeLinear", "Transpose", *_RESHAPES):
                raise node.refusal(
                    "its input is float32", "a QuantizeLinear node at the graph's input"
                )
            if node.inputs[0] != self.at:
                raise node.refusal(
                    f"reads {node.inputs[0]}, not {self.at}", "a QuantizeLinear node behind it"
                )
            self.at = node.outputs[0]
        handler(self, node)

    def finish(self) -> tuple[Model, tuple[Tensor | None, ...]]:
        """Return the model and its tensors."""
        place = self.places.get(self.at if self.ended else self.graph.output)
        if place is None or not self.steps:
            raise UnportableError(
                f"output {self.graph.output}",
                "no quantized node leads to it",
                "a model quantized in QOperator form",
            )
        self._bring(place)
        tensor = place.tensor
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
        if self.places:
            raise refusal(node)
        scale, zero_point = scale_of(node, 1), node.optional(2)
        self._begin(zero_point is not None and zero_point.dtype == np.int8, node.outputs[0])
        stored, _ = zero_point_of(node, 2)
        self.input = Quantization(scale_bits(scale), stored)

    def dequantize(self, node: GraphNode) -> None:
        """End with the bytes that DequantizeLinear takes."""
        stored, _ = zero_point_of(node, 2)
        self.output = Quantization(scale_bits(scale_of(node, 1)), stored)
        self.at, self.ended = node.inputs[0], True

    def transpose(self, node: GraphNode) -> None:
        """Name a tensor's axes in another order; no byte moves."""
        perm = tuple(node.attributes.get("perm", ()))
        if not self.places:
            if perm != _CHANNELS_FIRST or len(self.shape) != 3:
                raise refusal(node)
            h, w, c = self.shape
            self.shape = (c, h, w)
            return
        tensor, number = self._place(node)
        if perm[:1] != (0,) or len(perm) != len(tensor.shape) + 1:
            raise refusal(node)
        axes = tuple(axis - 1 for axis in perm[1:])
        order = tensor.order.reshape(tensor.shape).transpose(axes).ravel()
        shape = tuple(tensor.shape[axis] for axis in axes)
        turned = replace(tensor, name=node.outputs[0], shape=shape, order=order)
        self.places[node.outputs[0]] = _Place(turned, number)

    def reshape(self, node: GraphNode) -> None:
        """Give a tensor another shape; no byte moves."""
        if not self.places:
            self.shape = new_shape(node, self.shape)
            return
        tensor, number = self._place(node)
        before = tensor.shape
        shape = new_shape(node, before)
        if len(shape) == 3 and (shape != before or tensor.stored[:2] == (1, 1)):
            image = Tensor.image(tensor.name, tensor.signed, shape)
            if not np.array_equal(tensor.order, image.order):
                raise node.refusal(
                    "its elements do not lie in the order h, w, c",
                    "a graph that begins behind it, with the image as its input",
                )
            reshaped = replace(tensor, shape=shape, stored=image.stored)
        else:
            reshaped = replace(tensor, shape=shape)
        self.places[node.outputs[0]] = _Place(reshaped, number)

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
        place = self._place(node)
        tensor = place.tensor
        values, signed = table(node, tensor.signed, self.graph.opset)
        out = replace(tensor, name=node.outputs[0], signed=signed)
        if node.op == TABLE and len(node.attributes["nodes"]) == 2 and (values == _BYTES).all():
            # From a scale to the same one.
            self.places[out.name] = _Place(out, place.number)
            return
        self._bring(place)
        self._add(node, self._lookup_of(tensor), values.tobytes(), out)

    def add(self, node: GraphNode) -> None:
        """QLinearAdd: the tensor made last, if one of both is, and the other one by its number."""
        theirs, ours = addends_of(node)
        if self._place(node, theirs.name).number == len(self.steps):
            theirs, ours = ours, theirs
        named, last = self._place(node, theirs.name), self._place(node, ours.name)
        tensor, other = last.tensor, named.tensor
        if tensor.shape != other.shape or not np.array_equal(tensor.order, other.order):
            raise node.refusal(
                f"adds {other.shape} to {tensor.shape}, or in another order",
                "tensors of one shape, or a constant folded into the layer before",
            )
        self._bring(last)
        zy, out_signed = zero_point_of(node, 7)
        out = replace(tensor, name=node.outputs[0], signed=out_signed)
        zeros = {"za": ours.zero_point, "zw": theirs.zero_point, "zy": zy, "hi": 255}
        shape = tensor.stored
        step = Step(StepKind.SUM, *shape, *shape, groups=named.number, **zeros)
        rows = b"".join(one.multiplier.to_bytes(4, "big") for one in (ours, theirs))
        self._add(node, step, rows, out)

    def concat(self, node: GraphNode) -> None:
        """Concat or QLinearConcat: each tensor behind the ones before it."""
        first, *others = parts_of(node)
        joined = self._part(node, first)
        for part in others:
            behind = self._part(node, part)
            out = concatenated(node, joined.tensor, behind.tensor)
            self._bring(behind)
            flat = len(out.shape) == 1
            taken = (1, 1, behind.tensor.order.size) if flat else behind.tensor.stored
            step = Step(StepKind.CONCAT, *taken, *out.stored, groups=joined.number)
            self._add(node, step, b"", out)
            if part is not others[-1]:
                self.tensors[-1] = None
            joined = _Place(out, len(self.steps))
        self.places[node.outputs[0]] = joined

    def _part(self, node: GraphNode, part: Part) -> _Place:
        """Return a tensor of a concat, in the scale of the output."""
        place = self._place(node, part.name)
        if part.table is None:
            return place
        self._bring(place)
        values, signed = table(part.table, place.tensor.signed, self.graph.opset)
        self._append(self._lookup_of(place.tensor), values.tobytes(), None)
        return _Place(replace(place.tensor, signed=signed), len(self.steps))

    def _lookup_of(self, tensor: Tensor) -> Step:
        return Step(StepKind.LOOKUP, *tensor.stored, *tensor.stored)

    def _begin(self, signed: bool, name: str | None = None) -> None:
        # Flattened before anything else looks at it, an image's bytes stay in ONNX's order, so
        # that clients need not know that it was one.
        first = self._first_op()
        image = len(self.shape) == 3 and first not in (*_RESHAPES, "Transpose")
        make = Tensor.image if image else Tensor.flat
        tensor = make(name or self.at, signed, self.shape)
        if len(self.shape) == 2 and first not in _RESHAPES:
            # Rows: each a pixel, and its elements are channels.
            tensor = replace(tensor, stored=(1, *self.shape))
        if first == "Transpose" and len(self.shape) == 3:
            # Channels come last, as the bytes have them.
            h, w, c = self.shape
            tensor = replace(tensor, stored=(h, w, c))
        self.tensors.append(tensor)
        self.places[tensor.name] = _Place(tensor, 0)

    def _first_op(self) -> str:
        """Return the first operator on bytes that isn't one of each byte alone."""
        ops = [node.op for node in self.graph.nodes]
        if "QuantizeLinear" in ops:
            ops = ops[ops.index("QuantizeLinear") + 1 :]
        return next((op for op in ops if op not in (*_LOOKUPS, "Identity")), "")

    def _image(self, node: GraphNode) -> Tensor:
        """Return the tensor reached, whose bytes must lie as a step on images takes them."""
        tensor = self._read(node)
        if len(tensor.shape) == 3 and not np.array_equal(
            tensor.order, Tensor.image(tensor.name, tensor.signed, tensor.shape).order
        ):
            raise node.refusal(
                "its input's bytes do not lie in the order h, w, c", "channels first, (n, c, h, w)"
            )
        return tensor

    def _read(self, node: GraphNode) -> Tensor:
        """Return the tensor that a node reads, as the one that the next step takes."""
        place = self._place(node)
        self._bring(place)
        return place.tensor

    def _place(self, node: GraphNode, name: str = "") -> _Place:
        """Return where a tensor is that a node reads, by its name; its first if none is given."""
        name = name or node.inputs[0]
        if name not in self.places:
            raise node.refusal(
                f"reads {name}, which no quantized node makes", "quantize it too, in QOperator form"
            )
        return self.places[name]

    def _bring(self, place: _Place) -> None:
        """Make a tensor the last one, unless it is."""
        last = self.steps[-1].source if self.steps else None
        again = self.steps and self.steps[-1].kind == StepKind.RECALL and last == place.number
        if place.number == len(self.steps) or again:
            return
        shape = self.steps[place.number - 1].out_shape if place.number else self.steps[0].in_shape
        self._append(Step(StepKind.RECALL, *shape, *shape, groups=place.number), b"", None)

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
        tensor = self._read(node)
        za, signed = zero_point_of(node, x + 1)
        zy, out_signed = zero_point_of(node, y + 1)
        zw = weights_zero_point(node, w + 1, rows)
        check_types(node, signed, rows)
        out_c, k = rows.shape
        if window is None and len(tensor.shape) == 2 and tensor.shape[1] == k and tensor.in_order:
            # Rows are pixels, and a product of each a convolution of one pixel.
            kind, pixels = StepKind.CONV, tensor.shape[0]
            ends = ((1, pixels, k), (1, pixels, out_c))
            placed = {"k_h": 1, "k_w": 1, "stride_h": 1, "stride_w": 1, "groups": 1}
            out = Tensor.flat(node.outputs[0], out_signed, (pixels, out_c))
            out = replace(out, stored=ends[1])
        elif window is None:
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
        self._append(step, rows, out)
        self.places[node.outputs[0]] = _Place(out, len(self.steps))

    def _append(self, step: Step, rows: bytes, tensor: Tensor | None) -> None:
        self.steps.append(step)
        self.rows.append(rows)
        self.tensors.append(tensor)


_BYTES = np.arange(256)
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
    "QLinearAdd": _Walk.add,
    "QLinearConcat": _Walk.concat,
    "Concat": _Walk.concat,
    **dict.fromkeys(_RESHAPES, _Walk.reshape),
    **dict.fromkeys(_LOOKUPS, _Walk.lookup),
}
