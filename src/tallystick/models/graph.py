"""An ONNX graph as it is registered: its tensors, files and nodes; the weights are not loaded."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import onnx
from onnx import AttributeProto, TensorProto, helper

from tallystick.errors import ModelRefusedError
from tallystick.models.maps import MapsSpec
from tallystick.models.tensors import STRING, TensorSpec, encode

RANDOM = frozenset(
    {
        "Bernoulli",
        "Multinomial",
        "RandomNormal",
        "RandomNormalLike",
        "RandomUniform",
        "RandomUniformLike",
    }
)
"""Operators whose answer is another each time."""


@dataclass(frozen=True)
class Graph:
    """Inputs and outputs of a model, for one inference at a time."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec | MapsSpec, ...]
    classes: tuple[int | str, ...] = ()
    """Labels of a classifier, by the places of their scores; empty: it names none."""
    batched: bool = False
    """The first size of each input is 1 because it is the batch's."""

    @classmethod
    def read(cls, file: Path, sizes: Mapping[str, int] | None = None) -> "Graph":
        """Return what an ONNX file says of itself.

        The free first size that inputs share is the batch: it is 1, for an answer may depend on
        what is computed beside it. Other free sizes are part of each encoding, unless they are
        fixed.

        Args:
            file: the graph's.
            sizes: fixed ones, by their names in the graph, and as TENSOR/AXIS where a size has
                none; they go before the batch of 1.

        Raises:
            ModelRefusedError: no ONNX file, an answer of it can't be judged, a tensor has no
                canonical bytes, or no free size has the name of a fixed one; each is named.
            OSError: the file cannot be read.
        """
        model = load(file)
        refuse_random(model)
        weights = {one.name for one in model.graph.initializer}
        given = [one for one in model.graph.input if one.name not in weights]
        free = _Sizes(_batch(given), dict(sizes or {}))
        inputs = tuple(_spec(one, free) for one in given)
        outputs = tuple(_maps(one) or _spec(one, free, 0) for one in model.graph.output)
        if not inputs or not outputs:
            raise ModelRefusedError("graph", "it takes or gives nothing")
        unknown = sorted(set(free.fixed) - free.met)
        if unknown:
            known = ", ".join(sorted(free.names)) or "it has none"
            raise ModelRefusedError(unknown[0], f"no free size has this name; free sizes: {known}")
        batched = free.batch is not None and free.batch not in free.fixed
        return cls(inputs, outputs, _classes(model), batched)

    @property
    def size(self) -> int | None:
        """Bytes of every input and its output together; None where they differ."""
        sizes = [one.size for one in (*self.inputs, *self.outputs)]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    def zeros(self) -> bytes:
        """Return the canonical input of zeros, free sizes 1 and texts empty."""
        values = []
        for spec in self.inputs:
            shape = tuple(size if isinstance(size, int) else 1 for size in spec.shape)
            values.append(np.full(shape, "" if spec.dtype == STRING else 0, spec.dtype))
        return encode(self.inputs, values)


def load(file: Path) -> onnx.ModelProto:
    """Return an ONNX file's graph, without the weights that are in other files.

    Raises:
        ModelRefusedError: no ONNX file.
        OSError: the file cannot be read.
    """
    try:
        return onnx.load(str(file), load_external_data=False)
    except OSError:
        raise
    except Exception as error:
        # protobuf's errors are no ValueError.
        raise ModelRefusedError("file", f"it is no ONNX file: {error}") from error


def external_files(model: onnx.ModelProto) -> list[str]:
    """Return the files beside the graph that weights are in, as named there, each once.

    Raises:
        ModelRefusedError: a file is named by a path that leads out of the model's folder.
    """
    found = set()
    for tensor in _tensors(model):
        if tensor.data_location != TensorProto.EXTERNAL:
            continue
        location = {entry.key: entry.value for entry in tensor.external_data}.get("location", "")
        path = PurePosixPath(location)
        if not location or path.is_absolute() or ".." in path.parts or "\\" in location:
            raise ModelRefusedError(
                tensor.name, f"its weights are in {location!r}; needed: a file beside the model's"
            )
        found.add(location)
    return sorted(found)


def refuse_random(model: onnx.ModelProto) -> None:
    """Refuse a graph that answers the same input in another way each time.

    Raises:
        ModelRefusedError: a random operator, or one in training mode, by its node.
    """
    constants = {one.name: one for one in model.graph.initializer}
    for node in _nodes(model):
        name = node.name or node.op_type
        if node.op_type in RANDOM:
            raise ModelRefusedError(name, f"{node.op_type} is random: nobody can run it again")
        attributes = {one.name: one for one in node.attribute}
        if "training_mode" in attributes and attributes["training_mode"].i:
            raise ModelRefusedError(name, f"{node.op_type} is in training mode; needed: inference")
        if node.op_type == "Dropout" and len(node.input) > 2 and node.input[2]:
            mode = constants.get(node.input[2])
            if mode is None or onnx.numpy_helper.to_array(mode).any():
                raise ModelRefusedError(name, "Dropout is in training mode; needed: inference")


def _batch(given: list[Any]) -> str | None:
    """Return the name of the free first size of all inputs, empty where it has none."""
    firsts = []
    for one in given:
        dims = one.type.tensor_type.shape.dim
        if not dims or dims[0].HasField("dim_value"):
            return None
        firsts.append(dims[0].dim_param)
    return firsts[0] if len(set(firsts)) == 1 else None


@dataclass
class _Sizes:
    """Free sizes of a graph."""

    batch: str | None
    """Name of the batch's; empty: the first size of each tensor that has no name."""
    fixed: dict[str, int]
    met: set[str] = field(default_factory=set)
    """Fixed ones that a tensor has."""
    names: set[str] = field(default_factory=set)

    def size(self, name: str, dim_param: str, axis: int) -> int | str:
        """Return the size of a free one, or its name."""
        known = dim_param or f"{name}/{axis}"
        self.names.add(known)
        if known in self.fixed:
            self.met.add(known)
            return self.fixed[known]
        if self.batch is not None and dim_param == self.batch and (self.batch or axis == 0):
            return 1
        return known


def _spec(value: Any, free: _Sizes, least: int = 1) -> TensorSpec:
    if not value.type.HasField("tensor_type"):
        kind = value.type.WhichOneof("value")
        raise ModelRefusedError(value.name, f"it is a {kind}; needed: a tensor")
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        raise ModelRefusedError(value.name, "the graph does not say its number of dimensions")
    shape: list[int | str] = []
    for axis, dim in enumerate(tensor.shape.dim):
        is_fixed = dim.HasField("dim_value") and dim.dim_value > 0
        shape.append(dim.dim_value if is_fixed else free.size(value.name, dim.dim_param, axis))
    return TensorSpec(value.name, _dtype(value.name, tensor.elem_type), tuple(shape), least)


def _classes(model: onnx.ModelProto) -> tuple[int | str, ...]:
    """Return the labels that the graph's classifiers name, where they name the same ones."""
    found = set()
    for node in _nodes(model):
        for attribute in node.attribute:
            if attribute.name in ("classlabels_ints", "classlabels_int64s") and attribute.ints:
                found.add(tuple(attribute.ints))
            elif attribute.name == "classlabels_strings" and attribute.strings:
                found.add(tuple(one.decode() for one in attribute.strings))
    return found.pop() if len(found) == 1 else ()


def _maps(value: Any) -> MapsSpec | None:
    """Return a sequence of maps of numbers; None where it is something else."""
    kind = value.type.sequence_type.elem_type
    if not value.type.HasField("sequence_type") or not kind.HasField("map_type"):
        return None
    of = kind.map_type
    if of.key_type not in (TensorProto.INT64, TensorProto.STRING):
        return None
    number = _dtype(value.name, of.value_type.tensor_type.elem_type)
    return MapsSpec(value.name, _dtype(value.name, of.key_type), number)


def _dtype(name: str, elem_type: int) -> np.dtype[Any]:
    if elem_type == TensorProto.STRING:
        return STRING
    kind = TensorProto.DataType.Name(elem_type)
    try:
        found = np.dtype(helper.tensor_dtype_to_np_dtype(elem_type))
    except (KeyError, TypeError, ValueError):
        found = np.dtype(object)
    if found.kind not in "fiub" or found.name not in np.sctypeDict or kind == "BFLOAT16":
        raise ModelRefusedError(name, f"elements of {kind} have no canonical bytes")
    return found.newbyteorder("<")


def _nodes(model: onnx.ModelProto) -> Iterator[Any]:
    """Yield every node, those of branches, loops and functions too."""
    waiting = [*model.graph.node, *(node for one in model.functions for node in one.node)]
    while waiting:
        node = waiting.pop()
        yield node
        for attribute in node.attribute:
            graphs = [attribute.g] if attribute.type == AttributeProto.GRAPH else attribute.graphs
            waiting += [inner for graph in graphs for inner in graph.node]


def _tensors(model: onnx.ModelProto) -> Iterator[TensorProto]:
    """Yield every constant tensor of a model."""
    graphs = [model.graph]
    for node in _nodes(model):
        for attribute in node.attribute:
            if attribute.type == AttributeProto.GRAPH:
                graphs.append(attribute.g)
            graphs += attribute.graphs
            if attribute.type == AttributeProto.TENSOR:
                yield attribute.t
            yield from attribute.tensors
            for sparse in (*attribute.sparse_tensors, attribute.sparse_tensor):
                yield from (sparse.values, sparse.indices)
    for graph in graphs:
        yield from graph.initializer
        for sparse in graph.sparse_initializer:
            yield from (sparse.values, sparse.indices)
