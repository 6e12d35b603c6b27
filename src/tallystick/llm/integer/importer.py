"""Import of GGUF files of the llama architecture into integers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tallystick.errors import FieldError, ModelRefusedError
from tallystick.llm.engine.gguf_file import read_gguf
from tallystick.llm.gguf_tensors import read_tensors
from tallystick.llm.integer.arithmetic import FRACTION
from tallystick.llm.integer.file import KEY
from tallystick.llm.integer.model import IntegerModel, Layer, Matrix, Shape
from tallystick.llm.integer.quantize import quantize
from tallystick.llm.spec import ARITHMETIC

MOST_CONTEXT = 8192
"""Positions that sums over them stay exact for."""
_ROTATION = 30


def import_gguf(source: Path, context: int | None = None) -> IntegerModel:
    """Return a model whose weights are a GGUF file's, rounded row by row.

    Args:
        source: of the architecture llama: RMSNorm, rotary positions of neighbouring pairs, SiLU
            gates, no biases. Of any types of tensors that the package gguf can read.
        context: positions; None: what it was trained on, at most 8,192.

    Raises:
        ModelRefusedError: it is another architecture, or has a tensor or a setting that LLM-I8 has
            not.
        FieldError: more context than it was trained on, or than LLM-I8 has.
        OSError: it cannot be read.
    """
    metadata = read_gguf(source).metadata
    file = _Source(source, metadata)
    trained = file.number("context_length")
    most = min(trained, MOST_CONTEXT)
    if context is not None and context > most:
        raise FieldError("context", context, f"at most {most}")
    shape = _shape(file, context or most)
    embedding = file.matrix("token_embd", 16)
    model = IntegerModel(
        shape,
        embedding,
        tuple(_layer(file, f"blk.{number}") for number in range(shape.layers)),
        file.norm("output_norm"),
        file.matrix("output", 16) if file.has("output") else embedding,
        _rotation(shape, file),
    )
    file.check_end()
    return model


class _Source:
    """A GGUF file, each tensor of which has to be asked for."""

    def __init__(self, path: Path, metadata: Mapping[str, Any]) -> None:
        self._path, self._metadata = path, metadata
        if metadata.get(KEY) == ARITHMETIC:
            raise self.refused(f"it is one of {ARITHMETIC} already")
        architecture = metadata.get("general.architecture")
        if architecture != "llama":
            raise self.refused(f"its architecture is {architecture}; LLM-I8 has llama's alone")
        scaling = metadata.get("llama.rope.scaling.type", "none")
        if scaling != "none":
            raise self.refused(f"it scales positions ({scaling}), which LLM-I8 does not")
        self._tensors = read_tensors(path)
        self._left = set(self._tensors)

    def refused(self, reason: str) -> ModelRefusedError:
        return ModelRefusedError(self._path.name, reason)

    def setting(self, name: str, default: Any = None) -> Any:
        found = self._metadata.get(f"llama.{name}", default)
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise self.refused(f"its llama.{name} is {found!r}")
        return found

    def number(self, name: str, default: int | None = None) -> int:
        found = self.setting(name, default)
        if not isinstance(found, int):
            raise self.refused(f"its llama.{name} is {found!r}")
        return found

    def has(self, name: str) -> bool:
        return f"{name}.weight" in self._tensors

    def values(self, name: str) -> NDArray[np.float32]:
        from gguf.quants import dequantize

        try:
            tensor = self._tensors[f"{name}.weight"]
        except KeyError:
            raise self.refused(f"it has no {name}.weight") from None
        self._left.discard(tensor.name)
        try:
            found = dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        except NotImplementedError:
            raise self.refused(f"{tensor.name} is of {tensor.tensor_type.name}") from None
        if not np.isfinite(found).all():
            raise self.refused(f"{tensor.name} holds what is no number")
        finite: NDArray[np.float32] = found
        return finite

    def matrix(self, name: str, bits: Literal[8, 16] = 8) -> Matrix:
        return quantize(self.values(name), bits)

    def norm(self, name: str) -> NDArray[np.int32]:
        scaled = np.rint(self.values(name).astype(np.float64) * (1 << FRACTION))
        if np.abs(scaled).max() >= 1 << 31:
            raise self.refused(f"{name}.weight is out of range")
        fixed: NDArray[np.int32] = scaled.astype(np.int32)
        return fixed

    def rows(self, name: str) -> int:
        if not self.has(name):
            raise self.refused(f"it has no {name}.weight")
        return int(self._tensors[f"{name}.weight"].shape[-1])

    def check_end(self) -> None:
        if self._left:
            raise self.refused(f"it has {min(self._left)}, which LLM-I8 has not")


def _shape(file: _Source, context: int) -> Shape:
    heads, width = file.number("attention.head_count"), file.number("embedding_length")
    head = file.number("attention.key_length", width // max(heads, 1))
    if file.number("rope.dimension_count", head) != head:
        raise file.refused("it turns a part of each head only, which LLM-I8 does not")
    if file.number("attention.value_length", head) != head:
        raise file.refused("its values are not as wide as its keys")
    return Shape(
        vocabulary=file.rows("token_embd"),
        context=context,
        layers=file.number("block_count"),
        width=width,
        hidden=file.number("feed_forward_length"),
        heads=heads,
        groups=file.number("attention.head_count_kv", heads),
        head=head,
        epsilon=round(file.setting("attention.layer_norm_rms_epsilon") * (1 << 32)),
    )


def _layer(file: _Source, name: str) -> Layer:
    return Layer(
        file.norm(f"{name}.attn_norm"),
        file.matrix(f"{name}.attn_q"),
        file.matrix(f"{name}.attn_k"),
        file.matrix(f"{name}.attn_v"),
        file.matrix(f"{name}.attn_output"),
        file.norm(f"{name}.ffn_norm"),
        file.matrix(f"{name}.ffn_gate"),
        file.matrix(f"{name}.ffn_up"),
        file.matrix(f"{name}.ffn_down"),
    )


def _rotation(shape: Shape, file: _Source) -> NDArray[np.int32]:
    """Return cosines and sines of position * base^(-2 i / head), by doubles."""
    base = float(file.setting("rope.freq_base", 10_000.0))
    steps = base ** (-np.arange(0, shape.head, 2) / shape.head)
    if file.has("rope_freqs"):
        steps = steps / file.values("rope_freqs").astype(np.float64)
    angles = np.arange(shape.context)[:, None] * steps
    turned = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    fixed: NDArray[np.int32] = np.rint(turned * (1 << _ROTATION)).astype(np.int32)
    return fixed
