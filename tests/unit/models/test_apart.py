"""Another kernel runs a model in a process of its own, and gives canonical answers."""

from pathlib import Path

import numpy as np
import pytest
from onnx import helper

from tallystick.errors import RunnerError
from tallystick.models.apart import PLAIN, SECOND, Kernel, run_apart
from tallystick.models.graph import load
from tallystick.models.integer import not_integer
from tallystick.models.runner import OnnxModel
from tests.support.onnx_files import INT64, STRING, dense, write
from tests.support.onnx_kinds import KINDS

node = helper.make_node


@pytest.mark.parametrize("kind", list(KINDS))
def test_run_apart__same_kernel__gives_the_nodes_own_bytes(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "model.onnx"
    inputs = KINDS[kind](file)[:3]
    model = OnnxModel(file)

    found = run_apart(file, model.graph, inputs, PLAIN)

    assert found.outputs == model.infer(inputs)


@pytest.mark.parametrize("kernel", [SECOND, Kernel("reference", coretype="Haswell")], ids=str)
def test_run_apart__another_kernel__gives_nearly_the_same(tmp_path: Path, kernel: Kernel) -> None:
    file = dense(tmp_path / "model.onnx")
    inputs = [np.full(16, value, "<f4").tobytes() for value in (0.1, 7)]
    model = OnnxModel(file)

    found = run_apart(file, model.graph, inputs, kernel).outputs

    for other, own in zip(found, model.infer(inputs), strict=True):
        assert np.allclose(np.frombuffer(other, "<f4"), np.frombuffer(own, "<f4"), rtol=1e-5)


def test_run_apart__together__rows_are_told_apart(tmp_path: Path) -> None:
    file = dense(tmp_path / "model.onnx")
    inputs = [np.full(16, value, "<f4").tobytes() for value in range(5)]
    graph = OnnxModel(file).graph

    together = run_apart(file, graph, inputs, Kernel(together=2)).outputs

    assert [len(one) for one in together] == [16] * 5
    assert len(set(together)) == 5


@pytest.mark.parametrize(
    ("kernel", "reason"),
    [
        (Kernel(python="/nowhere/python"), "gave no answer"),
        (Kernel(python="/bin/true"), "gave no answer"),
        (Kernel(level="ENABLE_NONE"), "ENABLE_NONE"),
    ],
)
def test_run_apart__no_such_kernel__is_told_in_one_line(
    tmp_path: Path, kernel: Kernel, reason: str
) -> None:
    file = dense(tmp_path / "model.onnx")
    with pytest.raises(RunnerError, match=reason) as caught:
        run_apart(file, OnnxModel(file).graph, [b"\0" * 64], kernel)
    assert "\n" not in str(caught.value)


def test_not_integer__graphs__are_told_by_what_is_not(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    summed = [node("Add", ["x", "x"], ["a"]), node("ReduceMax", ["a"], ["y"], axes=[1])]
    write(file, summed, [("x", INT64, ["n", 3])], [("y", INT64, ["n", 1])])
    assert not_integer(load(file)) is None

    dense(file)
    assert not_integer(load(file)) == "x: its elements are FLOAT"

    divided = [node("Div", ["x", "x"], ["y"], name="ratio")]
    write(file, divided, [("x", INT64, ["n", 3])], [("y", INT64, ["n", 3])])
    assert "ratio: Div is not among" in str(not_integer(load(file)))

    # A float on the way between integers.
    floats = [
        node("Cast", ["x"], ["f"], to=1),
        node("Mul", ["f", "f"], ["g"]),
        node("Cast", ["g"], ["y"], to=7),
    ]
    write(file, floats, [("x", INT64, ["n", 3])], [("y", INT64, ["n", 3])])
    assert not_integer(load(file)) == "f: its elements are FLOAT"

    write(file, [node("Identity", ["x"], ["y"])], [("x", STRING, [1])], [("y", STRING, [1])])
    assert not_integer(load(file)) is None


def test_not_integer__eight_bit_products__saturate_on_some_machines(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    KINDS["dynamically quantized"](file)
    assert "is not among" in str(not_integer(load(file)))
