"""Operators and tensors of a TFLite file, as its flatbuffers have them."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick.replay.errors import UnportableError

IDENTIFIER = b"TFL3"
_DTYPES = {
    "FLOAT32": np.float32,
    "INT32": np.int32,
    "INT64": np.int64,
    "INT8": np.int8,
    "UINT8": np.uint8,
}
_BROKEN = (
    *(AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError),
    *(MemoryError, RecursionError, struct.error),
)
"""Raised by flatbuffers, which checks nothing, where a file is cut or made up."""


@dataclass(frozen=True, slots=True, eq=False)
class TfliteTensor:
    """A tensor of the file."""

    index: int
    name: str
    """Unlike all others'."""
    shape: tuple[int, ...]
    """With the batch first, images (n, h, w, c)."""
    kind: str
    """TFLite's name of it, such as INT8."""
    scales: NDArray[np.float32]
    """None where it isn't quantized, one, or one per channel."""
    zero_points: NDArray[np.int64]
    data: NDArray[Any] | None
    """Of a constant."""

    @property
    def is_quantized(self) -> bool:
        """True if it has 8 bits with a scale."""
        return self.kind in ("INT8", "UINT8") and bool(self.scales.size)


@dataclass(frozen=True, slots=True, eq=False)
class TfliteOperator:
    """An operator of the file."""

    op: str
    """TFLite's name of it, such as CONV_2D."""
    inputs: tuple[TfliteTensor | None, ...]
    """None where one is left out."""
    outputs: tuple[TfliteTensor, ...]
    options: dict[str, Any] = field(default_factory=dict)
    """Those of _OPTIONS, by their names in the schema."""

    @property
    def name(self) -> str:
        """The name of its first output."""
        return self.outputs[0].name

    def refusal(self, reason: str, instead: str) -> UnportableError:
        """Return the error that refuses it."""
        return UnportableError(f"{self.op} {self.name}", reason, instead)


@dataclass(frozen=True, slots=True, eq=False)
class TfliteFile:
    """A file with one graph, of one input and one output."""

    operators: tuple[TfliteOperator, ...]
    """In the order of the file, each behind those that it reads."""
    input: TfliteTensor
    output: TfliteTensor


def is_tflite(file: Path) -> bool:
    """Return whether a file says that it is TFLite; see read_tflite for errors."""
    with file.open("rb") as content:
        return content.read(8)[4:] == IDENTIFIER


def read_tflite(file: Path) -> TfliteFile:
    """Return what a file has.

    Raises:
        UnportableError: it is broken, or has several graphs, inputs or outputs.
        OSError: it cannot be read.
    """
    data = file.read_bytes()
    try:
        return _Reader(data).read()
    except UnportableError:
        raise
    except _BROKEN as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise UnportableError(
            file.name, f"is a broken TFLite file ({reason})", "a whole"
        ) from error


class _Reader:
    """Reads a file's bytes."""

    def __init__(self, data: bytes) -> None:
        import tflite

        self._schema = tflite
        self._model = tflite.Model.GetRootAs(data, 0)

    def read(self) -> TfliteFile:
        """Return the file; see read_tflite for errors."""
        model = self._model
        if model.SubgraphsLength() != 1:
            found = f"has {model.SubgraphsLength()} graphs"
            raise UnportableError("graph", found, "one graph, without control flow")
        graph = model.Subgraphs(0)
        if (graph.InputsLength(), graph.OutputsLength()) != (1, 1):
            found = f"{graph.InputsLength()} inputs and {graph.OutputsLength()} outputs"
            raise UnportableError("graph", found, "one of each")
        tensors = list(self._tensors(graph))
        operators = []
        for place in range(graph.OperatorsLength()):
            one = graph.Operators(place)
            inputs = [one.Inputs(at) for at in range(one.InputsLength())]
            outputs = [one.Outputs(at) for at in range(one.OutputsLength())]
            op = self._op(one.OpcodeIndex())
            operators.append(
                TfliteOperator(
                    op,
                    tuple(tensors[at] if at >= 0 else None for at in inputs),
                    tuple(tensors[at] for at in outputs),
                    self._options(op, one),
                )
            )
        return TfliteFile(tuple(operators), tensors[graph.Inputs(0)], tensors[graph.Outputs(0)])

    def _op(self, index: int) -> str:
        code = self._model.OperatorCodes(index)
        # Old files have the first, new ones both; the greater is right.
        number = max(code.DeprecatedBuiltinCode(), code.BuiltinCode())
        name = self._schema.opcode2name(number)
        return (code.CustomCode() or b"").decode() or "CUSTOM" if name == "CUSTOM" else str(name)

    def _options(self, op: str, one: Any) -> dict[str, Any]:
        table, names = _OPTIONS.get(op, ("", ()))
        given = one.BuiltinOptions()
        if not table or given is None:
            return {}
        options = getattr(self._schema, table)()
        options.Init(given.Bytes, given.Pos)
        return {name: getattr(options, name)() for name in names}

    def _tensors(self, graph: Any) -> Iterator[TfliteTensor]:
        types = {
            number: name
            for name, number in vars(self._schema.TensorType).items()
            if isinstance(number, int)
        }
        seen: set[str] = set()
        for index in range(graph.TensorsLength()):
            one = graph.Tensors(index)
            name = (one.Name() or b"").decode() or "tensor"
            name = f"{name}#{index}" if name in seen else name
            seen.add(name)
            quantized = one.Quantization()
            scales, zeros = np.zeros(0, np.float32), np.zeros(0, np.int64)
            if quantized is not None and quantized.ScaleLength():
                scales = np.array(quantized.ScaleAsNumpy(), np.float32)
                count = quantized.ZeroPointLength()
                zeros = np.array([quantized.ZeroPoint(at) for at in range(count)], np.int64)
                zeros = zeros if zeros.size else np.zeros(1, np.int64)
            shape = tuple(one.Shape(at) for at in range(one.ShapeLength()))
            kind = types[one.Type()]
            data = self._constant(one.Buffer(), kind, shape)
            yield TfliteTensor(index, name, shape, kind, scales, zeros, data)

    def _constant(self, buffer: int, kind: str, shape: tuple[int, ...]) -> NDArray[Any] | None:
        held = self._model.Buffers(buffer)
        if not held.DataLength() or kind not in _DTYPES:
            return None
        raw = held.DataAsNumpy().tobytes()
        return np.frombuffer(raw, np.dtype(_DTYPES[kind]).newbyteorder("<")).reshape(shape)


_WINDOW = ("Padding", "StrideH", "StrideW", "FusedActivationFunction")
_POOL = ("Pool2DOptions", (*_WINDOW, "FilterHeight", "FilterWidth"))
_DILATED = (*_WINDOW, "DilationHFactor", "DilationWFactor")
_OPTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "ADD": ("AddOptions", ("FusedActivationFunction",)),
    "AVERAGE_POOL_2D": _POOL,
    "CONCATENATION": ("ConcatenationOptions", ("Axis", "FusedActivationFunction")),
    "CONV_2D": ("Conv2DOptions", _DILATED),
    "DEPTHWISE_CONV_2D": ("DepthwiseConv2DOptions", _DILATED),
    "FULLY_CONNECTED": (
        "FullyConnectedOptions",
        ("FusedActivationFunction", "KeepNumDims", "WeightsFormat"),
    ),
    "LEAKY_RELU": ("LeakyReluOptions", ("Alpha",)),
    "MAX_POOL_2D": _POOL,
}
"""Table of the schema, and the fields that are read of it."""
