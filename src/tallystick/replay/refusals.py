"""Reasons why ONNX operators have no step, and what to do instead."""

from tallystick.replay.errors import UnportableError
from tallystick.replay.graph import Graph, GraphNode

_STATIC = "quantize statically, in QOperator form (tallystick.replay.quantize)"
_FOLD = "fold it into the weights before, or leave it out"
_POOL = (
    "GlobalAveragePool, or a convolution of equal weights (tallystick.replay.quantize makes one)"
)
_FUSED = "its fused multiply-add differs between processors"
_DYNAMIC = "dynamic quantization: its scale follows from each input, in float32"
_QDQ = "the QDQ form means float32 in between, and changes with the optimisation level"
_CHAIN = "convolutions, products, pools, sums, concats and functions of one element"

REASONS = {
    "QLinearMul": (_FUSED, _FOLD),
    "QLinearAveragePool": ("onnxruntime sums it up in float32", _POOL),
    "DynamicQuantizeLinear": (_DYNAMIC, _STATIC),
    "DynamicQuantizeMatMul": (_DYNAMIC, _STATIC),
    "MatMulInteger": (_DYNAMIC, _STATIC),
    "MatMulIntegerToFloat": (_DYNAMIC, _STATIC),
    "ConvInteger": (_DYNAMIC, _STATIC),
    "QuantizeLinear": (_QDQ, _STATIC),
    "DequantizeLinear": (_QDQ, _STATIC),
    "QLinearSoftmax": ("it is computed in float32", "end the graph before it: clients can do it"),
    "QLinearReduceMean": ("it is computed in float32", _POOL),
    **dict.fromkeys(
        (
            *("Gather", "Pad", "QLinearWhere", "Resize", "Slice"),
            *("Split", "Transpose", "Where"),
        ),
        ("it moves bytes: there is no step for that", _CHAIN),
    ),
}
"""Reason and advice of each operator; tests/unit/replay/test_advice.py has a case for all."""

FLOATS = (
    "a float operator: its answers differ between machines",
    f"quantize it too, or leave it to clients at either end; {_STATIC}",
)
"""Reason and advice of all others."""

_BY_PLACE = ("QuantizeLinear", "DequantizeLinear", "Transpose")
"""Operators that some places of a graph allow."""


def refusal(node: GraphNode) -> UnportableError:
    """Return the error for a node whose operator, or whose place in the graph, has no step."""
    reason, instead = REASONS.get(node.op, FLOATS)
    return node.refusal(reason, instead)


def check_form(graph: Graph) -> None:
    """Raise UnportableError for the first node that tells another form than QOperator."""
    for node in graph.nodes:
        known = node.op in REASONS and node.op not in _BY_PLACE
        within = node.op == "DequantizeLinear" and node.outputs[0] != graph.output
        if known or within:
            raise refusal(node)
