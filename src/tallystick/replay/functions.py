"""Functions of one element between DequantizeLinear and QuantizeLinear: each becomes a table."""

from collections.abc import Collection, Mapping, Sequence
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
_ENDS = ("DequantizeLinear", "QuantizeLinear")
_OF_TWO = frozenset({"Add", "Div", "Mul", "PRelu", "Pow", "Sub"})
"""Of one element where the other input is one number, or a function of the same element."""


def with_tables(graph: Graph) -> Graph:
    """Return the graph with a single node for each stretch from bytes by floats to bytes again.

    Nodes that nothing needs are left out.
    """
    made_by = {name: node for node in graph.nodes for name in node.outputs}
    nodes = []
    for node in graph.nodes:
        stretch = _stretch(node, made_by) if node.op == "QuantizeLinear" else []
        nodes.append(_table(stretch) if stretch else node)
    return replace(graph, nodes=_needed(graph, nodes))


def _stretch(last: GraphNode, made_by: Mapping[str, GraphNode]) -> list[GraphNode]:
    """Return the nodes between a DequantizeLinear and a QuantizeLinear, both included.

    None if the floats are more than functions of one element of one tensor of bytes.

    Args:
        last: the QuantizeLinear.
        made_by: the nodes of the graph, each by all that it makes.
    """
    found: dict[str, GraphNode] = {}
    waiting = [last]
    while waiting:
        node = waiting.pop()
        if node.outputs[0] in found:
            continue
        found[node.outputs[0]] = node
        if node.op != "DequantizeLinear":
            waiting += [made_by[name] for name in node.inputs if name in made_by]
            given = (name for name in node.inputs if name)
            if any(name not in made_by and name not in node.constants for name in given):
                # The graph's own input.
                return []
    # In the order of the graph.
    nodes = [node for name, node in made_by.items() if name in found]
    firsts = [node for node in nodes if node.op == "DequantizeLinear"]
    if not firsts or any(node.inputs != firsts[0].inputs for node in firsts):
        return []
    inside = {node.outputs[0] for node in firsts}
    for node in nodes:
        if node in firsts or node is last:
            continue
        if not is_of_one_element(node, inside):
            return []
        inside.add(node.outputs[0])
    return [*firsts, *(node for node in nodes if node not in firsts)]


def _needed(graph: Graph, nodes: Sequence[GraphNode]) -> tuple[GraphNode, ...]:
    needed, kept = {graph.output}, []
    for node in reversed(nodes):
        if needed.intersection(node.outputs):
            needed.update(node.inputs)
            kept.append(node)
    return tuple(reversed(kept))


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
    first, last = stretch[0], stretch[-1]
    inner = next((node for node in stretch if node.op not in _ENDS), last)
    return GraphNode(
        TABLE, inner.name, first.inputs[:1], last.outputs, {"nodes": stretch}, first.constants
    )
