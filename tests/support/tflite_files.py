"""Small TFLite files, built with flatbuffers by TFLite's schema."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import tflite

_TYPES = {"int8": "INT8", "uint8": "UINT8", "int32": "INT32", "float32": "FLOAT32"}


@dataclass(frozen=True)
class Tensor:
    """A tensor: of a layer, or with values."""

    name: str
    shape: tuple[int, ...] = ()
    scale: Any = None
    zero: Any = 0
    values: Any = None
    dtype: str = "int8"
    axis: int = 0
    """Along which scales of channels lie."""


@dataclass(frozen=True)
class Operator:
    """An operator by its name in the schema, with names of tensors, and options."""

    op: str
    inputs: Sequence[str]
    output: str
    table: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


def write_tflite(
    path: Path,
    tensors: Sequence[Tensor],
    operators: Sequence[Operator],
    given: str = "x",
    answer: str = "y",
) -> Path:
    """Write a file with one graph."""
    builder = flatbuffers.Builder(1024)
    places = {one.name: at for at, one in enumerate(tensors)}
    buffers = [_buffer(builder, None)]
    made = []
    for one in tensors:
        at = 0
        if one.values is not None:
            buffers.append(_buffer(builder, np.asarray(one.values, one.dtype).tobytes()))
            at = len(buffers) - 1
        made.append(_tensor(builder, one, at))
    kinds = sorted({one.op for one in operators})
    codes = [_code(builder, getattr(tflite.BuiltinOperator, kind)) for kind in kinds]
    nodes = [_operator(builder, one, places, kinds.index(one.op)) for one in operators]
    parts = {"Tensors": _vector(builder, made), "Operators": _vector(builder, nodes)}
    parts |= {
        "Inputs": builder.CreateNumpyVector(np.array([places[given]], np.int32)),
        "Outputs": builder.CreateNumpyVector(np.array([places[answer]], np.int32)),
    }
    graph = _table(builder, "SubGraph", parts)
    whole = {
        "Version": 3,
        "OperatorCodes": _vector(builder, codes),
        "Subgraphs": _vector(builder, [graph]),
        "Buffers": _vector(builder, buffers),
    }
    builder.Finish(_table(builder, "Model", whole), b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    return path


def _table(builder: flatbuffers.Builder, name: str, fields: Mapping[str, Any]) -> int:
    module = __import__(f"tflite.{name}", fromlist=[name])
    getattr(module, f"{name}Start")(builder)
    for key, value in fields.items():
        getattr(module, f"{name}Add{key}")(builder, value)
    return int(getattr(module, f"{name}End")(builder))


def _vector(builder: flatbuffers.Builder, offsets: Sequence[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for one in reversed(offsets):
        builder.PrependUOffsetTRelative(one)
    return int(builder.EndVector())


def _buffer(builder: flatbuffers.Builder, data: bytes | None) -> int:
    held = {} if data is None else {"Data": builder.CreateByteVector(data)}
    return _table(builder, "Buffer", held)


def _code(builder: flatbuffers.Builder, number: int) -> int:
    fields = {"DeprecatedBuiltinCode": min(number, 127), "BuiltinCode": number, "Version": 1}
    return _table(builder, "OperatorCode", fields)


def _tensor(builder: flatbuffers.Builder, one: Tensor, buffer: int) -> int:
    shape = np.shape(one.values) if one.values is not None else one.shape
    fields: dict[str, Any] = {
        "Shape": builder.CreateNumpyVector(np.array(shape, np.int32)),
        "Type": getattr(tflite.TensorType, _TYPES[one.dtype]),
        "Buffer": buffer,
        "Name": builder.CreateString(one.name),
    }
    if one.scale is not None:
        scales = np.atleast_1d(np.asarray(one.scale, np.float32))
        zeros = np.broadcast_to(np.asarray(one.zero, np.int64), scales.shape)
        parts = {
            "Scale": builder.CreateNumpyVector(scales),
            "ZeroPoint": builder.CreateNumpyVector(np.ascontiguousarray(zeros)),
            "QuantizedDimension": one.axis,
        }
        fields["Quantization"] = _table(builder, "QuantizationParameters", parts)
    return _table(builder, "Tensor", fields)


def _operator(
    builder: flatbuffers.Builder, one: Operator, places: Mapping[str, int], code: int
) -> int:
    fields: dict[str, Any] = {
        "OpcodeIndex": code,
        "Inputs": builder.CreateNumpyVector(
            np.array([places[name] if name else -1 for name in one.inputs], np.int32)
        ),
        "Outputs": builder.CreateNumpyVector(np.array([places[one.output]], np.int32)),
    }
    if one.table:
        fields["BuiltinOptionsType"] = getattr(tflite.BuiltinOptions, one.table)
        fields["BuiltinOptions"] = _table(builder, one.table, one.options)
    return _table(builder, "Operator", fields)
