"""Files of LLM-I8: GGUF, with a model's tokens and chat template, and tensors of integers."""

from collections.abc import Iterator
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick.errors import FieldError, ModelRefusedError
from tallystick.llm.engine.gguf_file import read_gguf
from tallystick.llm.gguf_tensors import copy_head, read_tensors, write_all
from tallystick.llm.integer.model import IntegerModel, Layer, Matrix, Shape
from tallystick.llm.spec import ARITHMETIC

KEY = "llm_i8.arithmetic"
"""Of the metadata."""
_SIZE = "llm_i8.{}"
_MATRICES = {
    "query": "attn_q", "key": "attn_k", "value": "attn_v", "attention_output": "attn_output",
    "gate": "ffn_gate", "up": "ffn_up", "down": "ffn_down",
}  # fmt: skip
_NORMS = {"attention_norm": "attn_norm", "feed_forward_norm": "ffn_norm"}


def is_integer(file: Path) -> bool:
    """Return whether a GGUF file is one of LLM-I8.

    Raises:
        ModelRefusedError: it is no GGUF file.
        OSError: it cannot be read.
    """
    return read_gguf(file).metadata.get(KEY) == ARITHMETIC


def read_model(file: Path) -> IntegerModel:
    """Read a model; its weights are mapped, not copied.

    Raises:
        ModelRefusedError: it is no file of LLM-I8, or a tensor is missing, too many, of another
            type or shape, or out of its range.
        OSError: it cannot be read.
    """
    metadata = read_gguf(file).metadata
    if metadata.get(KEY) != ARITHMETIC:
        raise ModelRefusedError(
            file.name, f"it is not one of {ARITHMETIC}; `tallystick llm import` makes one"
        )
    try:
        shape = Shape(**{one.name: metadata[_SIZE.format(one.name)] for one in fields(Shape)})
        tensors = _Tensors(file)
        model = _model(shape, tensors)
        tensors.check_end()
    except KeyError as error:
        raise ModelRefusedError(file.name, f"it has no {error.args[0]}") from error
    except FieldError as error:
        raise ModelRefusedError(file.name, str(error)) from error
    return model


def write_model(model: IntegerModel, target: Path, source: Path) -> None:
    """Write a model's file, with the tokens and the template of the file that it was made of.

    Args:
        model: to be written.
        target: the file; whole or not there.
        source: GGUF.
    """
    part = target.with_name(f"{target.name}.part")
    writer = copy_head(source, part)
    writer.add_string(KEY, ARITHMETIC)
    for name, value in asdict(model.shape).items():
        writer.add_uint64(_SIZE.format(name), value)
    for name, tensor in _named(model):
        writer.add_tensor(name, np.ascontiguousarray(tensor))
    try:
        write_all(writer)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


class _Tensors:
    """Tensors of a file by name, each read once."""

    def __init__(self, file: Path) -> None:
        self._tensors = {name: one.data for name, one in read_tensors(file).items()}
        self._file, self._left = file, set(self._tensors)

    def __contains__(self, name: str) -> bool:
        return name in self._tensors

    def take(self, name: str, kind: Any, shape: tuple[int, ...]) -> NDArray[Any]:
        found = self._tensors[name]
        if found.dtype != kind or found.shape != shape:
            raise ModelRefusedError(
                self._file.name,
                f"{name} is {found.dtype} of {found.shape}; needed: {np.dtype(kind)} of {shape}",
            )
        self._left.discard(name)
        taken: NDArray[Any] = found
        return taken

    def matrix(self, name: str, rows: int, columns: int, kind: Any = np.int8) -> Matrix:
        return Matrix(
            self.take(f"{name}.weight", kind, (rows, columns)),
            self.take(f"{name}.mantissa", np.int32, (rows,)),
            int(self.take(f"{name}.exponent", np.int32, (1,))[0]),
        )

    def norm(self, name: str, width: int) -> NDArray[np.int32]:
        return self.take(f"{name}.weight", np.int32, (width,))

    def check_end(self) -> None:
        if self._left:
            raise ModelRefusedError(self._file.name, f"{min(self._left)} is none of {ARITHMETIC}")


def _model(shape: Shape, tensors: _Tensors) -> IntegerModel:
    embedding = tensors.matrix("token_embd", shape.vocabulary, shape.width, np.int16)
    output = embedding
    if "output.weight" in tensors:
        output = tensors.matrix("output", shape.vocabulary, shape.width, np.int16)
    return IntegerModel(
        shape,
        embedding,
        tuple(_layer(shape, tensors, number) for number in range(shape.layers)),
        tensors.norm("output_norm", shape.width),
        output,
        tensors.take("rotation", np.int32, (shape.context, 2, shape.head // 2)),
    )


def _layer(shape: Shape, tensors: _Tensors, number: int) -> Layer:
    asked, held = shape.heads * shape.head, shape.groups * shape.head

    def norm(field: str) -> NDArray[np.int32]:
        return tensors.norm(f"blk.{number}.{_NORMS[field]}", shape.width)

    def matrix(field: str, rows: int, columns: int) -> Matrix:
        return tensors.matrix(f"blk.{number}.{_MATRICES[field]}", rows, columns)

    return Layer(
        norm("attention_norm"),
        matrix("query", asked, shape.width),
        matrix("key", held, shape.width),
        matrix("value", held, shape.width),
        matrix("attention_output", shape.width, asked),
        norm("feed_forward_norm"),
        matrix("gate", shape.hidden, shape.width),
        matrix("up", shape.hidden, shape.width),
        matrix("down", shape.width, shape.hidden),
    )


def _named(model: IntegerModel) -> Iterator[tuple[str, NDArray[Any]]]:
    yield from _parts("token_embd", model.embedding)
    if model.output is not model.embedding:
        yield from _parts("output", model.output)
    yield "output_norm.weight", model.norm
    yield "rotation", model.rotation
    for number, layer in enumerate(model.layers):
        for field, name in _NORMS.items():
            yield f"blk.{number}.{name}.weight", getattr(layer, field)
        for field, name in _MATRICES.items():
            yield from _parts(f"blk.{number}.{name}", getattr(layer, field))


def _parts(name: str, matrix: Matrix) -> Iterator[tuple[str, NDArray[Any]]]:
    yield f"{name}.weight", matrix.weights
    yield f"{name}.mantissa", matrix.mantissas
    yield f"{name}.exponent", np.array([matrix.exponent], np.int32)
