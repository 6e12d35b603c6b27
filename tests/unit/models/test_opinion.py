"""An answer is wrong where two kernels say so and agree; where they part, nobody is convicted."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import helper

from tallystick.errors import ModelRefusedError, RunnerError
from tallystick.models.apart import Kernel
from tallystick.models.comparison import Comparison
from tallystick.models.opinion import SecondOpinion, comparison_of
from tallystick.models.runner import OnnxModel
from tallystick.models.spec import OnnxSpec
from tallystick.node.runner import load_onnx
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.verdicts import Judged, Verdict
from tests.support.onnx_files import FLOAT, INT64, dense, write

GOOD, DOUBTFUL, WRONG = Verdict
STRICT = b"tallystick ONNX-1\ncomparison tolerance\noutput 0 allclose 0 0.000001 1 2\n"
REFERENCE = Kernel("reference")
"""Another implementation: its sums run in another order."""


def judge(file: Path, kernel: Kernel) -> tuple[OnnxModel, Callable[..., list[Judged]]]:
    model = OnnxModel(file)
    compare = Comparison(model.graph, OnnxSpec.parse(STRICT)).judge
    return model, SecondOpinion(file, model.graph, compare, kernel).judge


def test_judge__two_kernels_agree__wrong_stands_and_the_others_are_as_they_were(
    tmp_path: Path,
) -> None:
    file = dense(tmp_path / "model.onnx")
    model, judged = judge(file, REFERENCE)
    inputs = [np.full(16, value, "<f4").tobytes() for value in (0.5, 1, 2)]
    own = model.infer(inputs)
    near = (np.frombuffer(own[1], "<f4") + np.float32(1.5e-6)).tobytes()

    found = judged(inputs, [own[0], near, own[0]], own)

    assert [one.verdict for one in found] == [GOOD, DOUBTFUL, WRONG]


def test_judge__kernels_part_on_an_input__nobody_is_convicted(tmp_path: Path) -> None:
    node = helper.make_node("ReduceSum", ["x", "axes"], ["y"], keepdims=1)
    given_as, gives = [("x", FLOAT, ["n", 5000])], [("y", FLOAT, ["n", 1])]
    file = write(tmp_path / "model.onnx", [node], given_as, gives, {"axes": np.array([1])})
    model, judged = judge(file, REFERENCE)
    # Terms that cancel: what is left is by the order of the sum, which is each library's own.
    random = np.random.default_rng(2)
    terms = random.normal(0, 1, 2500) * 1e8
    given = random.permutation(np.r_[terms, -terms]).astype("<f4").tobytes()
    (own,) = model.infer([given])

    (found,) = judged([given], [np.zeros(1, "<f4").tobytes()], [own])

    assert (found.verdict, found.reason) == (DOUBTFUL, "two kernels differ from each other")


def test_judge__second_kernel_is_not_there__no_verdict(tmp_path: Path) -> None:
    file = dense(tmp_path / "model.onnx")
    model, judged = judge(file, Kernel(python="/nowhere/bin/python"))
    given = np.ones(16, "<f4").tobytes()
    own = model.infer([given])

    assert [one.verdict for one in judged([given], own, own)] == [GOOD]
    with pytest.raises(RunnerError, match="/nowhere/bin/python"):
        judged([given], [bytes(16)], own)


def test_comparison_of__exact__needs_an_integer_graph(tmp_path: Path) -> None:
    file = dense(tmp_path / "model.onnx")
    with pytest.raises(ModelRefusedError, match="x: its elements are FLOAT, so that bytes can"):
        comparison_of(file, OnnxModel(file).graph, OnnxSpec())

    layers = [helper.make_node("Add", ["x", "x"], ["y"])]
    write(file, layers, [("x", INT64, ["n", 2])], [("y", INT64, ["n", 2])])
    model = OnnxModel(file)
    (own,) = model.infer([np.array([1, 2], "<i8").tobytes()])
    found = comparison_of(file, model.graph, OnnxSpec())
    assert found.judge(own, own).verdict is GOOD
    assert found.judge(own[:-1] + b"\1", own).verdict is WRONG


@pytest.mark.parametrize(
    ("text", "comparison", "reason"),
    [
        (b"tallystick ONNX-1\ncomparison exact\n", "", "x: its elements are FLOAT"),
        (STRICT.replace(b"0 allclose", b"0 nearly"), "", "line 3, 'output 0 nearly"),
        (STRICT + b"output 1 same\n", "", "the spec has 2 outputs; needed: 1"),
        (STRICT.replace(b"comp", b"size 3 time\ncomp"), "", "time: no free size has this name"),
        (b"ten digits", "", "is not ONNX-1; needed: comparison"),
        (None, "", "no spec is named; needed: the spec whose keccak256 is 0x"),
    ],
)
def test_load_onnx__spec_that_does_not_fit__is_refused(
    tmp_path: Path, text: bytes | None, comparison: str, reason: str
) -> None:
    file, spec = dense(tmp_path / "model.onnx"), tmp_path / "spec.txt"
    spec.write_bytes(text or b"")
    with pytest.raises(RunnerError, match=reason):
        load_onnx(file, spec if text else None, keccak256(text or STRICT), comparison)


def test_load_onnx__another_text_than_registered__is_refused(tmp_path: Path) -> None:
    file, spec = dense(tmp_path / "model.onnx"), tmp_path / "spec.txt"
    spec.write_bytes(STRICT)
    with pytest.raises(RunnerError, match="another text; needed: the spec whose keccak256 is"):
        load_onnx(file, spec, keccak256(b"other"))
    assert load_onnx(file, spec, keccak256(STRICT))


def test_load_onnx__fixed_size__goes_before_the_batch_of_one(tmp_path: Path) -> None:
    file, spec = tmp_path / "model.onnx", tmp_path / "spec.txt"
    # A cloud of points: their number is free, and is no batch.
    layers = [helper.make_node("ReduceMax", ["x"], ["y"], axes=[0], keepdims=0)]
    write(file, layers, [("x", FLOAT, ["points", 3])], [("y", FLOAT, [3])])
    text = STRICT.replace(b"comp", b"size 5 points\ncomp")
    spec.write_bytes(text)

    runner, _ = load_onnx(file, spec, keccak256(text))

    given = np.arange(15, dtype="<f4").tobytes()
    assert np.frombuffer(runner.infer([given])[0], "<f4").tolist() == [12, 13, 14]
