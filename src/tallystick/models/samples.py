"""Real inputs of a model, as numpy keeps them, made canonical."""

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick.errors import FieldError, RunnerError
from tallystick.models.graph import Graph
from tallystick.models.tensors import STRING, TensorSpec, encode

NEEDED = ".npy of one input, or .npz with each input by its name; the first axis counts samples"


def read_samples(file: Path, graph: Graph) -> list[bytes]:
    """Return the samples of a file as canonical inputs.

    Args:
        file: .npy or .npz; a sample may leave out the leading axis of size 1 that the model has.
        graph: the model's.

    Raises:
        FieldError: no such file, none that the model takes, not finite, or all blank.
        OSError: the file cannot be read.
    """
    try:
        loaded = np.load(file, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            arrays: Mapping[str, NDArray[Any]] = {graph.inputs[0].name: loaded}
        else:
            arrays = {name: loaded[name] for name in loaded.files}
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise FieldError("samples", f"{file} ({error})", NEEDED) from error
    names = [one.name for one in graph.inputs]
    if sorted(arrays) != sorted(names):
        raise FieldError("samples", f"inputs {', '.join(arrays)}", f"{', '.join(names)}: {NEEDED}")
    counts = {len(one) if one.ndim else 0 for one in arrays.values()}
    if len(counts) != 1 or not min(counts):
        raise FieldError("samples", f"{sorted(counts)} of them", "as many of each, at least one")
    _check(list(arrays.values()))
    return [
        _sample(graph.inputs, [arrays[name][place] for name in names], place)
        for place in range(counts.pop())
    ]


def random_inputs(graph: Graph, count: int) -> list[bytes]:
    """Return made-up inputs, the same each time: no measure of what people ask.

    Free sizes are 4, numbers of a float type normal, others 0 or 1, texts "a".
    """
    rng = np.random.default_rng(16)
    return [encode(graph.inputs, [_random(one, rng) for one in graph.inputs]) for _ in range(count)]


def _random(spec: TensorSpec, rng: np.random.Generator) -> Any:
    shape = tuple(size if isinstance(size, int) else 4 for size in spec.shape)
    if spec.dtype == STRING:
        return np.full(shape, "a", STRING)
    if spec.dtype.kind == "f":
        return rng.normal(0, 1, shape).astype(spec.dtype)
    return rng.integers(0, 2, shape).astype(spec.dtype)


def _check(arrays: list[NDArray[Any]]) -> None:
    for one in arrays:
        if one.dtype.kind == "f" and not np.isfinite(one).all():
            raise FieldError("samples", "infinite or not a number", "finite ones")
    if all((one == one.ravel()[0]).all() for one in arrays if one.size):
        raise FieldError("samples", "blank: all numbers are the same", "real inputs")


def _sample(specs: Sequence[TensorSpec], values: list[Any], place: int) -> bytes:
    shaped = []
    for spec, value in zip(specs, values, strict=True):
        lacks = value.ndim == len(spec.shape) - 1 and spec.shape[0] == 1
        given = value[None] if lacks else value
        shaped.append(given.astype(spec.dtype) if spec.dtype.kind == "f" else given)
    try:
        return encode(specs, shaped)
    except RunnerError as error:
        raise FieldError("samples", f"sample {place}: {error}", NEEDED) from error
