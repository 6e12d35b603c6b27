"""Networks whose layers read more than the one before: what the importer makes of them.

nets     ResNet, MobileNet, DenseNet, Inception: quantized here, or by onnxruntime to either form
sums     by our own rule: at most one off onnxruntime's, counted; all else, behind them too, equal
refused  other shapes, constants, scales too far apart, an axis that is not the channels
"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from onnx import helper
from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

from tallystick.cli.main import main
from tallystick.replay.distance import distance
from tallystick.replay.errors import MismatchError, UnportableError
from tallystick.replay.importer import import_measured, import_onnx, read_graph
from tallystick.replay.model import Model
from tallystick.replay.prepare import optimized
from tallystick.replay.quantize import Samples, Types, quantize
from tallystick.replay.selftest import check_against_onnxruntime
from tallystick.replay.step import StepKind
from tests.support.nets import in_bytes
from tests.support.residual import BRANCHED, IMAGE, resnet
from tests.support.zoo import samples

node = helper.make_node
REAL = samples(60, *IMAGE)


@pytest.mark.parametrize("types", Types)
@pytest.mark.parametrize("name", BRANCHED)
def test_import_measured__branched_net__differs_in_sums_alone(name, types):
    source = quantize(BRANCHED[name](), REAL, types)

    model, found = import_measured(source, REAL, count=64)

    kinds = [step.kind for step in model.steps]
    sums = [step for step in model.steps if step.kind == StepKind.SUM]
    assert StepKind.SUM in kinds or StepKind.CONCAT in kinds
    assert found.sums == sum(step.out_size for step in sums) * (len(REAL) + 64)
    assert found.sums_different <= found.sums / 1000
    assert Model.from_bytes(model.to_bytes()) == model


@pytest.mark.parametrize("form", list(QuantFormat))
@pytest.mark.parametrize("name", ["resnet", "mobilenet", "densenet", "inception"])
def test_import_measured__quantized_by_onnxruntime__is_taken(tmp_path, name, form):
    # As onnxruntime advises: normalisation folded into the layers first.
    onnx.save(optimized(BRANCHED[name](), extended=False), str(tmp_path / "float.onnx"))
    quantize_static(
        *(str(tmp_path / "float.onnx"), str(tmp_path / "q.onnx"), Samples("x", REAL)),
        quant_format=form,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        per_channel=True,
    )

    _, found = import_measured(onnx.load(str(tmp_path / "q.onnx")), REAL, count=64)

    assert found.sums_different <= found.sums / 1000


def test_quantize__resnet__answers_as_the_float_one_does():
    net = resnet()

    apart = distance(net, quantize(net, REAL), REAL)

    assert apart.equal_argmax >= 0.9


@pytest.mark.parametrize("place", [0, 4])
def test_check_against_onnxruntime__multiplier_changed__raises(place):
    source = quantize(resnet(), REAL)
    model, tensors = read_graph(source)
    index = next(at for at, step in enumerate(model.steps) if step.kind == StepKind.SUM)
    rows = bytearray(model.rows)
    rows[sum(step.rows_size for step in model.steps[:index]) + place] ^= 1
    changed = replace(model, rows=bytes(rows))

    with pytest.raises(MismatchError):
        check_against_onnxruntime(source, changed, tensors, REAL, 50)


def added(shape=(2, 3, 3), a_scale=0.1, y_scale=0.2, names=("x", "p")) -> onnx.ModelProto:
    """A pool of bytes, added to the bytes themselves."""
    pool = node("MaxPool", ["x"], ["p"], kernel_shape=[1, 1])
    constants = {
        "s": np.float32(a_scale),
        "z": np.uint8(3),
        "t": np.float32(y_scale),
        "one": np.ones((1, 2, 1, 1), np.uint8),
    }
    a, b = names
    places = [a, "s", "z", b, "s", "z", "t", "z"]
    join = node("QLinearAdd", places, ["y"], "sum", domain="com.microsoft")
    return in_bytes([pool, join], constants, shape)


@pytest.mark.parametrize("names", [("x", "p"), ("p", "x"), ("p", "p"), ("x", "x")])
def test_import_onnx__sum_of_any_two_tensors__is_right(names):
    model = import_onnx(added(names=names), np.zeros((1, 2, 3, 3), np.uint8))

    assert model.steps[-1].kind == StepKind.SUM
    assert all(step.kind != StepKind.RECALL for step in model.steps) or names == ("x", "x")


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (lambda: added(names=("x", "one")), "adds the constant one"),
        (lambda: added(a_scale=100.0, y_scale=0.1), "times the output's"),
        (lambda: added(a_scale=1e-9, y_scale=0.1), "times the output's"),
        (lambda: added(a_scale=0.0), "scale is 0.0"),
    ],
)
def test_read_graph__sum_without_a_step__is_refused(model, reason):
    with pytest.raises(UnportableError, match=reason) as caught:
        read_graph(model())
    assert caught.value.node == "QLinearAdd sum"


def test_read_graph__sum_of_other_shapes__is_refused():
    model = added()
    model.graph.node[0].CopyFrom(node("MaxPool", ["x"], ["p"], kernel_shape=[3, 3]))

    with pytest.raises(UnportableError, match="QLinearAdd sum: adds"):
        read_graph(model)


@pytest.mark.parametrize(("axis", "kernel"), [(2, 1), (3, 1), (0, 1), (1, 2)])
def test_read_graph__concat_along_another_axis__is_refused(axis, kernel):
    nodes = [
        node("MaxPool", ["x"], ["p"], kernel_shape=[kernel, kernel]),
        node("Concat", ["x", "p"], ["y"], "join", axis=axis),
    ]

    with pytest.raises(UnportableError, match="Concat join: joins"):
        read_graph(in_bytes(nodes, {}, (2, 3, 3)))


def test_import_onnx__concat_of_bytes_in_one_scale__has_no_tables():
    nodes = [
        node("MaxPool", ["x"], ["p"], kernel_shape=[1, 1]),
        node("Concat", ["x", "p", "x"], ["y"], axis=-3),
    ]

    model = import_onnx(in_bytes(nodes, {}, (2, 3, 3)), np.zeros((1, 2, 3, 3), np.uint8))

    assert [step.kind for step in model.steps] == [
        *(StepKind.MAX_POOL, StepKind.CONCAT, StepKind.RECALL, StepKind.CONCAT)
    ]


def test_import_onnx__answer_made_before_the_last_node__is_recalled():
    nodes = [
        node("MaxPool", ["x"], ["y"], kernel_shape=[2, 2]),
        node("MaxPool", ["x"], ["q"], kernel_shape=[3, 3]),
    ]

    model = import_onnx(in_bytes(nodes, {}, (2, 3, 3)), np.zeros((1, 2, 3, 3), np.uint8))

    assert model.steps[-1].out_shape == (2, 2, 2)


def test_model_import__residual_net__prints_how_many_sums_differ(tmp_path: Path):
    onnx.save(resnet(), str(tmp_path / "net.onnx"))
    np.save(tmp_path / "samples.npy", REAL)
    words = ["model", "import", str(tmp_path / "net.onnx"), str(tmp_path / "net.qi8")]
    words += ["--samples", str(tmp_path / "samples.npy"), "--quantize", "--json"]

    taken = CliRunner().invoke(main, words)

    said = json.loads(taken.stdout)
    assert said["sums_compared"] > 100_000
    assert said["sums_different"] <= said["sums_compared"] / 1000
    assert said["answers_different"] <= said["answers_compared"]
