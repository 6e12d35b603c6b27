"""Functions of one element between DequantizeLinear and QuantizeLinear: each becomes a table."""

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from tallystick.replay.graph import Graph, GraphNode

TABLE = "Table"
"""Operator of the node that stands for such a stretch; `nodes` are the stretch's own."""

_UNARY = frozenset(
    {
        *(
            "Abs",
            "Celu",
            "Clip",
            "Elu",
            "Erf",
            "Exp",
            "Gelu",
            "HardSigmoid",
            "HardSwish",
            "Identity",
        ),
        *("LeakyRelu", "Log", "Mish", "Neg", "Reciprocal", "Relu", "Selu", "Sigmoid", "Softplus"),
        *("Softsign", "Sqrt", "Tanh", "ThresholdedRelu"),
    }
)
_OF_TWO = frozenset({"Add", "Div", "Mul", "PRelu", "Pow", "Sub"})
"""Of one element where the other input is one number, or a function of the same element."""


def with_tables(graph: Graph) -> Graph:
    """Return the graph with a single node for each stretch from floats back to bytes."""
    kept: list[GraphNode] = []
    taken: set[str] = set()
    for place, node in enumerate(graph.nodes):
        if node.outputs[0] in taken:
            continue
        stretch = _stretch(graph.nodes, place) if node.op == "DequantizeLinear" else []
        taken.update(one.outputs[0] for one in stretch)
        kept.append(_table(stretch) if stretch else node)
    return replace(graph, nodes=tuple(kept))


def _stretch(nodes: Sequence[GraphNode], place: int) -> list[GraphNode]:
    """Return the nodes from a DequantizeLinear to the QuantizeLinear behind; none if others read.

    Args:
        nodes: of the graph, in order.
        place: of the DequantizeLinear.
    """
    found = [nodes[place]]
    inside = {found[0].outputs[0]}
    for node in nodes[place + 1 :]:
        if not inside.intersection(node.inputs):
            continue
        if node.op == "QuantizeLinear" and len(found) > 1:
            rest = {one.outputs[0] for one in (*found, node)}
            others = (one for one in nodes if one.outputs[0] not in rest)
            read_elsewhere = any(inside.intersection(one.inputs) for one in others)
            return [] if read_elsewhere or node.inputs[0] not in inside else [*found, node]
        if not is_of_one_element(node, inside):
            return []
        found.append(node)
        inside.add(node.outputs[0])
    return []


def is_of_one_element(node: GraphNode, given: Collection[str]) -> bool:
    """Return whether each element of a node's output depends on one element of what is given.

    Args:
        node: any.
        given: names of tensors of one shape, each a function of one element of the same.
    """
    constants = [name for name in node.inputs if name and name not in given]
    if any(name not in node.constants for name in constants) or len(node.outputs) != 1:
        return False
    if node.op in _UNARY:
        return node.inputs[0] in given
    numbers = all(np.size(node.constants[name]) == 1 for name in constants)
    return node.op in _OF_TWO and len(node.inputs) == 2 and numbers


def _table(stretch: list[GraphNode]) -> GraphNode:
    first, *inner, last = stretch
    named = GraphNode(
        TABLE, inner[0].name, first.inputs[:1], last.outputs, {"nodes": stretch}, first.constants
    )
    return named
