"""Quantizes float ONNX models with onnxruntime, by the settings that every machine agrees on."""

import copy
import tempfile
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnxruntime.quantization import (  # type: ignore[import-untyped]
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)

from tallystick.errors import FieldError
from tallystick.replay.errors import UnportableError
from tallystick.replay.functions import is_of_one_element
from tallystick.replay.graph import GraphNode, constants_of
from tallystick.replay.prepare import optimized, with_unsigned_weights


class Types(Enum):
    """Types of activations and weights that are portable."""

    U8U8 = "u8u8"
    S8S8 = "s8s8"
    U8S7 = "u8s7"
    """uint8 activations, int8 weights of 7 bits."""


class Samples(CalibrationDataReader):  # type: ignore[misc]
    """Samples that onnxruntime calibrates with, one after another.

    Args:
        name: of the graph's input.
        samples: (n, ...) as the graph takes them.
    """

    def __init__(self, name: str, samples: NDArray[np.float32]) -> None:
        self._feeds: Iterator[dict[str, Any]] = ({name: sample[None]} for sample in samples)

    def get_next(self) -> dict[str, Any] | None:
        """Return the next sample by the input's name, or None after the last."""
        return next(self._feeds, None)


def quantize(
    model: onnx.ModelProto,
    samples: NDArray[np.float32],
    types: Types = Types.U8U8,
    per_channel: bool = True,
) -> onnx.ModelProto:
    """Return a model in QOperator form that the importer takes.

    Batch normalisation and additions are folded into the layers before them, and average pools
    become convolutions of equal weights, which any runtime computes alike.

    Args:
        model: float32, one input (n, ...) and one output.
        samples: inputs to calibrate with, (m, ...), as the model takes them.
        types: of activations and weights.
        per_channel: whether each output channel has a scale of its own.

    Raises:
        UnportableError: the model is quantized already; an average pool does not count its padding,
            or is of unknown channels.
        FieldError: no samples, of another shape, not finite, or blank.
    """
    check_float(model)
    check_samples(model, samples)
    signed = QuantType.QInt8
    activation = signed if types == Types.S8S8 else QuantType.QUInt8
    weights = QuantType.QUInt8 if types == Types.U8U8 else signed
    with tempfile.TemporaryDirectory() as folder:
        prepared, quantized = Path(folder, "prepared.onnx"), Path(folder, "quantized.onnx")
        ready = _pools_as_convolutions(optimized(model, extended=False))
        # Said, so that onnxruntime doesn't advise the preparation just made.
        helper.set_model_props(ready, {"onnx.quant.pre_process": "onnxruntime.quant"})
        functions = _functions(ready)
        onnx.save(ready, str(prepared))
        quantize_static(
            str(prepared),
            str(quantized),
            Samples(model.graph.input[0].name, samples),
            quant_format=QuantFormat.QOperator,
            activation_type=activation,
            weight_type=weights,
            per_channel=per_channel,
            reduce_range=types == Types.U8S7,
            nodes_to_exclude=functions,
            # Channels may have their own scales, but not their own zero points.
            extra_options={"WeightSymmetric": True, "ActivationSymmetric": False},
        )
        result = onnx.load(str(quantized))
    # onnxruntime quantizes convolutions per channel to int8, whatever it is told.
    return with_unsigned_weights(result) if types == Types.U8U8 else result


def _functions(model: onnx.ModelProto) -> list[str]:
    """Name the products and sums that are functions of one element; they become tables."""
    constants = constants_of(model.graph)
    made_by = {node.output[0]: GraphNode.of(node, constants) for node in model.graph.node}
    found = []
    for node in model.graph.node:
        node.name = node.name or node.output[0]
        if node.op_type not in ("Add", "Div", "Mul", "Pow", "Sub"):
            continue
        given = [name for name in node.input if name not in constants]
        of_one = [
            name
            for name in given
            if (maker := made_by.get(name)) is not None
            and len(given) == 2
            and is_of_one_element(maker, set(given) - {name})
        ]
        if (len(given) == 1 or of_one) and is_of_one_element(made_by[node.output[0]], given):
            found.append(node.name)
    return found


def check_float(model: onnx.ModelProto) -> None:
    """Raise UnportableError for a model that is quantized already."""
    for node in model.graph.node:
        if node.op_type.startswith("QLinear") or node.op_type in ("DequantizeLinear", "QGemm"):
            raise UnportableError(
                f"{node.op_type} {node.name or node.output[0]}",
                "the model is quantized already",
                "import it as it is",
            )


def check_samples(model: onnx.ModelProto, samples: NDArray[np.float32]) -> None:
    """Raise FieldError for samples that ranges of activations cannot be taken from."""
    constants = {one.name for one in model.graph.initializer}
    given = next((one for one in model.graph.input if one.name not in constants), None)
    dims = given.type.tensor_type.shape.dim[1:] if given is not None else ()
    shape = tuple(dim.dim_value for dim in dims)
    fits = len(samples.shape) == len(shape) + 1 and all(
        size in (0, found) for size, found in zip(shape, samples.shape[1:], strict=True)
    )
    if not len(samples) or not fits:
        raise FieldError("samples", samples.shape, f"{('n', *shape)}, n at least 1")
    if not np.isfinite(samples).all():
        raise FieldError("samples", "infinite or not a number", "finite ones")
    if samples.min() == samples.max():
        raise FieldError("samples", f"all {samples.min()}", "real inputs, for ranges to be taken")


def _pools_as_convolutions(model: onnx.ModelProto) -> onnx.ModelProto:
    shaped = onnx.shape_inference.infer_shapes(model)
    shapes = {
        value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in (*shaped.graph.value_info, *shaped.graph.input)
    }
    result = copy.deepcopy(model)
    for place, node in enumerate(result.graph.node):
        if node.op_type == "AveragePool":
            channels = (shapes.get(node.input[0]) or [0, 0])[1]
            convolution, weights = _as_convolution(node, channels)
            result.graph.node.remove(node)
            result.graph.node.insert(place, convolution)
            result.graph.initializer.append(weights)
    return result


def _as_convolution(node: onnx.NodeProto, channels: int) -> tuple[onnx.NodeProto, onnx.TensorProto]:
    attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
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
    weights = numpy_helper.from_array(equal, f"{node.output[0]}/weights")
    convolution = helper.make_node(
        "Conv",
        [node.input[0], weights.name],
        [node.output[0]],
        name=node.name,
        group=channels,
        **attributes,
    )
    return convolution, weights
