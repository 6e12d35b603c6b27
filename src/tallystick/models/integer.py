"""Proof by construction that a graph is integer: its answers are the same on every machine."""

from typing import Any

import onnx
from onnx import TensorProto

_NAMES = """
    Abs Add And ArgMax ArgMin BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor Cast Compress
    Concat Constant ConstantOfShape CumSum DepthToSpace Equal Expand EyeLike Flatten Gather
    GatherElements GatherND Greater GreaterOrEqual Identity Less LessOrEqual MatMul Max MaxPool
    Min Mul Neg NonZero Not OneHot Or Pad Range ReduceMax ReduceMin ReduceSum Relu Reshape
    ReverseSequence Shape Sign Size Slice SpaceToDepth Split Squeeze Sub Sum Tile Transpose
    Trilu Unique Unsqueeze Where Xor
"""
EXACT = frozenset(_NAMES.split())
"""Operators of ONNX's own set that have one result for integers, in whatever order they add.

Not ConvInteger and MatMulInteger, whose 8-bit kernels saturate on some processors; nor Div and Mod,
which end the process at 0; nor TopK and ScatterElements, whose order can be free.
"""
_WHOLE = frozenset(
    {
        TensorProto.BOOL,
        TensorProto.STRING,
        *(TensorProto.INT8, TensorProto.INT16, TensorProto.INT32, TensorProto.INT64),
        *(TensorProto.UINT8, TensorProto.UINT16, TensorProto.UINT32, TensorProto.UINT64),
    }
)


def not_integer(model: onnx.ModelProto) -> str | None:
    """Return why a graph's bytes can differ between machines, by a node or tensor; None: none can.

    Args:
        model: any; weights in other files need not be there.
    """
    for node in model.graph.node:
        name = node.name or node.op_type
        if node.domain not in ("", "ai.onnx") or node.op_type not in EXACT:
            return f"{name}: {node.op_type} is not among the operators that are integer"
    try:
        inferred = onnx.shape_inference.infer_shapes(model).graph
    except Exception as error:
        # Its errors have no common base but Exception.
        return f"graph: its types are not known ({' '.join(str(error).split())})"
    types: dict[str, Any] = {one.name: one.data_type for one in inferred.initializer}
    for value in (*inferred.input, *inferred.output, *inferred.value_info):
        types[value.name] = value.type.tensor_type.elem_type
    if inferred.sparse_initializer:
        return "graph: a sparse constant is not among what is integer"
    for name in (name for node in inferred.node for name in (*node.input, *node.output) if name):
        kind = types.get(name, TensorProto.UNDEFINED)
        if kind not in _WHOLE:
            return f"{name}: its elements are {TensorProto.DataType.Name(kind)}"
    return None
