"""ONNX graphs as EZKL reads them: what the standard lets a graph leave out is written down."""

from pathlib import Path

import onnx
from onnx import helper

from tallystick.replay.importer import load

_WINDOWED = ("Conv", "MaxPool", "AveragePool")


def write_out(source: Path, target: Path) -> None:
    """Write a graph again, for one inference at a time and with strides written down.

    Args:
        source: the ONNX file.
        target: where to.

    Raises:
        UnportableError: the source is no ONNX file.
    """
    model = load(source)
    for value in (*model.graph.input, *model.graph.output):
        for dimension in value.type.tensor_type.shape.dim:
            if not dimension.dim_value:
                dimension.dim_value = 1
    ranks = {one.name: len(one.dims) - 2 for one in model.graph.initializer}
    for node in model.graph.node:
        given = {one.name: one for one in node.attribute}
        if node.op_type not in _WINDOWED or "strides" in given:
            continue
        if "kernel_shape" in given:
            rank = len(given["kernel_shape"].ints)
        else:
            rank = ranks.get(node.input[1], 0) if len(node.input) > 1 else 0
        if rank > 0:
            # The standard's default.
            node.attribute.append(helper.make_attribute("strides", [1] * rank))
    onnx.save(model, str(target))
