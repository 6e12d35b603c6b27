"""An ONNX graph as the importer reads it: nodes in order, constants apart."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from tallystick.replay.errors import UnportableError

Array = NDArray[Any]

_TYPES = (onnx.TensorProto.FLOAT, onnx.TensorProto.UINT8, onnx.TensorProto.INT8)


@dataclass(frozen=True, slots=True)
class GraphNode:
    """One node; attributes as Python values."""

    op: str
    name: str
    inputs: tuple[str, ...]
    """An input left out in the middle is empty text."""
    outputs: tuple[str, ...]
    attributes: dict[str, Any]
    constants: dict[str, Array] = field(repr=False)
    """All of the graph, by name."""

    @classmethod
    def of(cls, node: onnx.NodeProto, constants: dict[str, Array]) -> "GraphNode":
        """Return the node of ONNX's own."""
        return cls(
            node.op_type,
            node.name or node.output[0],
            tuple(node.input),
            tuple(node.output),
            {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute},
            constants,
        )

    @property
    def label(self) -> str:
        """The name that errors give it."""
        return f"{self.op} {self.name}"

    def refusal(self, reason: str, instead: str) -> UnportableError:
        """Return the error that refuses the node."""
        return UnportableError(self.label, reason, instead)

    def optional(self, place: int) -> Array | None:
        """Return a constant input by its place; None when it was left out.

        Raises:
            UnportableError: it is computed.
        """
        name = self.inputs[place] if place < len(self.inputs) else ""
        if not name:
            return None
        if name not in self.constants:
            raise self.refusal(
                f"input {name} is computed", "store it in the file as an initializer"
            )
        return self.constants[name]

    def constant(self, place: int) -> Array:
        """Return a constant input by its place; see optional for errors, also if left out."""
        found = self.optional(place)
        if found is None:
            raise self.refusal(f"input {place} is missing", "store it in the file")
        return found


@dataclass(frozen=True, slots=True)
class Graph:
    """A graph with one input and one output."""

    input: str
    dtype: "np.dtype[Any]"
    batch: int
    """1, or 0 where any number of samples goes in at once."""
    shape: tuple[int, ...]
    """Shape of the input, less the batch dimension."""
    output: str
    nodes: tuple[GraphNode, ...]
    """Without constants, each after those that it reads."""
    opset: int
    """Version of the standard operators."""

    @classmethod
    def of(cls, model: onnx.ModelProto) -> "Graph":
        """Return the graph of a model.

        Raises:
            UnportableError: several inputs or outputs, or an input of unknown or unfit shape.
        """
        graph = model.graph
        constants = constants_of(graph)
        inputs = [value for value in graph.input if value.name not in constants]
        if len(inputs) != 1 or len(graph.output) != 1:
            found = f"{len(inputs)} inputs and {len(graph.output)} outputs"
            raise UnportableError("graph", found, "one of each")
        kind = inputs[0].type.tensor_type
        batch, *shape = (d.dim_value for d in kind.shape.dim) if kind.shape.dim else (0,)
        if batch > 1 or not shape or min(shape) < 1:
            raise UnportableError(
                f"input {inputs[0].name}",
                f"shape is {[batch, *shape]}",
                "(n, k), (n, c, h, w) or more, with n free or 1 and the others fixed",
            )
        if kind.elem_type not in _TYPES:
            raise UnportableError(
                f"input {inputs[0].name}", "is neither float32 nor of 8 bits", "float32"
            )
        nodes = (GraphNode.of(node, constants) for node in graph.node if node.op_type != "Constant")
        return cls(
            inputs[0].name,
            onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type),
            batch,
            tuple(shape),
            graph.output[0].name,
            tuple(nodes),
            next((one.version for one in model.opset_import if one.domain in ("", "ai.onnx")), 17),
        )


def leads_with_transpose(graph: Graph) -> bool:
    """Return whether floats come as (n, h, w, c) and are turned before they are quantized."""
    ops = [node.op for node in graph.nodes if node.op != "Identity"]
    return graph.dtype == np.float32 and ops[:1] == ["Transpose"]


def constants_of(graph: onnx.GraphProto) -> dict[str, Array]:
    """Return a graph's constants by their names."""
    return dict(_constants(graph))


def _constants(graph: onnx.GraphProto) -> Iterator[tuple[str, Array]]:
    for tensor in graph.initializer:
        yield tensor.name, numpy_helper.to_array(tensor)
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            yield node.output[0], numpy_helper.to_array(node.attribute[0].t)
