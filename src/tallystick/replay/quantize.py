"""Quantizes float ONNX models with onnxruntime, by the settings that every machine agrees on."""

import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper
from onnxruntime.quantization import (  # type: ignore[import-untyped]
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)

from tallystick.errors import FieldError
from tallystick.replay.errors import UnportableError
from tallystick.replay.front import quantized_input
from tallystick.replay.functions import is_of_one_element
from tallystick.replay.graph import GraphNode, constants_of
from tallystick.replay.layers import portable_layers
from tallystick.replay.prepare import optimized, with_unsigned_weights


class Types(Enum):
    """Types of activations and weights that are portable."""

    U8U8 = "u8u8"
    S8S8 = "s8s8"
    U8S7 = "u8s7"
    """uint8 activations, int8 weights of 7 bits."""


_CLAMPING = ("Add", "Conv", "Gemm", "MatMul", "Relu")
"""Layers whose range of bytes, taken behind a Relu or Clip, clamps as that does."""


_QUANTIZED = ("LeakyRelu", "Sigmoid")
"""Functions that onnxruntime's quantizer has operators of bytes for."""


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
        # Again: what normalisation became is folded into the layers before it.
        ready = optimized(portable_layers(optimized(model, extended=False)), extended=False)
        # Said, so that onnxruntime doesn't advise the preparation just made.
        helper.set_model_props(ready, {"onnx.quant.pre_process": "onnxruntime.quant"})
        functions = _functions(ready)
        onnx.save(ready, str(prepared))
        try:
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
        except Exception as error:
            # Its exceptions have no common base.
            reason = " ".join(str(error).split())
            raise UnportableError(
                "graph",
                f"onnxruntime's quantizer refuses it ({reason})",
                "a model that it quantizes, or one quantized elsewhere",
            ) from error
        result = quantized_input(onnx.load(str(quantized)), samples)
    # onnxruntime quantizes convolutions per channel to int8, whatever it is told.
    return with_unsigned_weights(result) if types == Types.U8U8 else result


def _functions(model: onnx.ModelProto) -> list[str]:
    """Name the nodes that are functions of one element, to stay in floats: they become tables.

    But not a Relu or Clip that alone reads its input: onnxruntime drops it, for the range of the
    bytes clamps. It drops others, too, and then what else reads the input gets clamped.
    """
    constants = constants_of(model.graph)
    made_by = {node.output[0]: GraphNode.of(node, constants) for node in model.graph.node}
    read = Counter(name for node in model.graph.node for name in node.input)
    ends = {one.name for one in model.graph.output}
    found = []
    for node in model.graph.node:
        node.name = node.name or node.output[0]
        if node.op_type in ("Relu", "Clip"):
            alone = read[node.input[0]] == 1 and node.input[0] not in ends
            maker = made_by.get(node.input[0])
            if not alone or maker is None or maker.op not in _CLAMPING:
                found.append(node.name)
            continue
        given = {name for name in node.input if name and name not in constants}
        if node.op_type in _QUANTIZED and all(read[name] == 1 for name in given):
            continue
        if len(given) == 2:
            given = _of_one(made_by, given)
        if given and is_of_one_element(made_by[node.output[0]], given):
            found.append(node.name)
    return found


def _of_one(made_by: Mapping[str, GraphNode], given: set[str]) -> set[str]:
    """Return the two tensors if one of them is a function of each element of the other."""
    for name in given:
        inside = given - {name}
        maker, chain = made_by.get(name), []
        while maker is not None and maker.outputs[0] not in inside:
            chain.append(maker)
            inputs = [one for one in maker.inputs if one not in maker.constants]
            maker = made_by.get(inputs[0]) if inputs else None
        known = set(inside)
        for node in reversed(chain):
            if not is_of_one_element(node, known):
                break
            known.add(node.outputs[0])
        if name in known:
            return given
    return set()


def check_float(model: onnx.ModelProto) -> None:
    """Raise UnportableError for a model that is quantized already, or takes no floats alone."""
    constants = {one.name for one in model.graph.initializer}
    inputs = [one for one in model.graph.input if one.name not in constants]
    if len(inputs) != 1 or len(model.graph.output) != 1:
        found = f"{len(inputs)} inputs and {len(model.graph.output)} outputs"
        raise UnportableError("graph", found, "one of each")
    if inputs[0].type.tensor_type.elem_type != TensorProto.FLOAT:
        raise UnportableError(f"input {inputs[0].name}", "is not float32", "a model of float32")
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
