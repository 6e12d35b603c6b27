"""Quantizes float ONNX models with onnxruntime, by the settings that every machine agrees on."""

import copy
import tempfile
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime  # type: ignore[import-untyped]
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnxruntime.quantization import (  # type: ignore[import-untyped]
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)

from tallystick.replay.errors import UnportableError


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
        UnportableError: an average pool that does not count its padding, or of unknown channels.
    """
    signed = QuantType.QInt8
    activation = signed if types == Types.S8S8 else QuantType.QUInt8
    weights = QuantType.QUInt8 if types == Types.U8U8 else signed
    with tempfile.TemporaryDirectory() as folder:
        prepared, quantized = Path(folder, "prepared.onnx"), Path(folder, "quantized.onnx")
        ready = _pools_as_convolutions(_folded(model, prepared))
        # Said, so that onnxruntime doesn't advise the preparation just made.
        helper.set_model_props(ready, {"onnx.quant.pre_process": "onnxruntime.quant"})
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
            # Channels may have their own scales, but not their own zero points.
            extra_options={"WeightSymmetric": True, "ActivationSymmetric": False},
        )
        result = onnx.load(str(quantized))
    return _with_unsigned_weights(result) if types == Types.U8U8 else result


def _with_unsigned_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with the same weights as uint8.

    onnxruntime quantizes convolutions per channel to int8, whatever it is told.
    """
    result = copy.deepcopy(model)
    convolutions = [node for node in result.graph.node if node.op_type == "QLinearConv"]
    names = {node.input[place] for node in convolutions for place in (3, 5)}
    for tensor in result.graph.initializer:
        if tensor.name in names and tensor.data_type == onnx.TensorProto.INT8:
            values = (numpy_helper.to_array(tensor).astype(np.int16) + 128).astype(np.uint8)
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    return result


def _folded(model: onnx.ModelProto, file: Path) -> onnx.ModelProto:
    """Return the model as onnxruntime's basic optimisations leave it, in standard operators."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(file)
    options.log_severity_level = 4
    onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return onnx.load(str(file))


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
    padded = any(attributes.get("pads", [])) or attributes.get("auto_pad", b"NOTSET") != b"NOTSET"
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
