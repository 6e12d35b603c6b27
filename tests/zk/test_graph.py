"""Graphs as EZKL reads them.

batch: free sizes are 1 | strides: written down, of convolutions and pools | kept where given
no ONNX file: refused
"""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from tallystick.replay.errors import UnportableError
from tallystick.zk.graph import write_out
from tests.support.nets import build


def strides(model: onnx.ModelProto) -> list[list[int]]:
    return [
        helper.get_attribute_value(one)
        for node in model.graph.node
        for one in node.attribute
        if one.name == "strides"
    ]


def test_write_out__what_the_standard_allows_to_leave_out__is_there(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"]),
        helper.make_node("Conv", ["a", "w"], ["b"], strides=[2, 2]),
        helper.make_node("MaxPool", ["b"], ["y"], kernel_shape=[2, 2]),
    ]
    weights = {"w": np.ones((1, 1, 3, 3), np.float32)}
    source, target = tmp_path / "source.onnx", tmp_path / "target.onnx"
    onnx.save(build(nodes, weights, (1, 9, 9), (1, 2, 2)), source)

    write_out(source, target)

    made = onnx.load(target)
    assert strides(made) == [[1, 1], [2, 2], [1, 1]]
    assert [one.dim_value for one in made.graph.input[0].type.tensor_type.shape.dim] == [1, 1, 9, 9]
    (kept,) = made.graph.initializer
    assert np.array_equal(numpy_helper.to_array(kept), weights["w"])


def test_write_out__no_onnx_file__is_refused(tmp_path: Path) -> None:
    (tmp_path / "source.onnx").write_bytes(b"none")

    with pytest.raises(UnportableError, match="is not an ONNX file"):
        write_out(tmp_path / "source.onnx", tmp_path / "target.onnx")
