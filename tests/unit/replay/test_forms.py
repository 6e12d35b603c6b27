"""Forms in which quantized models come: each becomes the same integers, or is refused by name.

QDQ            onnxruntime's default form, fused by itself
u8s8           int8 weights under uint8 activations, by another zero point
tables         functions of one element between DequantizeLinear and QuantizeLinear
channels last  a transpose at either end moves no byte
--until        a graph that ends before its Softmax
samples        none, of another shape, not finite, blank: refused
"""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

from tallystick.cli.main import main
from tallystick.errors import FieldError
from tallystick.replay.client import decode, encode
from tallystick.replay.engine import Engine
from tallystick.replay.errors import UnportableError
from tallystick.replay.importer import import_onnx
from tallystick.replay.prepare import prepare, until, with_unsigned_weights
from tallystick.replay.quantize import Samples, Types, quantize
from tallystick.replay.runtime import run, session
from tallystick.replay.step import StepKind
from tests.support.nets import build, cnn, digits, mlp, weights

node = helper.make_node


def normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).normal(0, 1, shape).astype(np.float32)


def quantized_by_onnxruntime(folder: Path, form: QuantFormat, weight: QuantType, **more: object):
    """The digits CNN, as onnxruntime's own quantizer leaves it."""
    onnx.save(cnn(), str(folder / "float.onnx"))
    quantize_static(
        *(str(folder / "float.onnx"), str(folder / "q.onnx"), Samples("image", digits()[:50])),
        quant_format=form,
        activation_type=QuantType.QUInt8,
        weight_type=weight,
        **more,
    )
    return onnx.load(str(folder / "q.onnx"))


@pytest.mark.parametrize("weight", [QuantType.QUInt8, QuantType.QInt8])
def test_import_onnx__qdq_file__answers_as_onnxruntime_does(tmp_path, weight):
    source = quantized_by_onnxruntime(tmp_path, QuantFormat.QDQ, weight)

    model = import_onnx(source, digits()[:200])

    plain = quantized_by_onnxruntime(tmp_path, QuantFormat.QOperator, weight)
    kinds = [step.kind for step in import_onnx(plain, digits()[:200]).steps]
    assert [step.kind for step in model.steps] == kinds
    if weight == QuantType.QUInt8:
        ours = decode(model, Engine(model).run(encode(model, digits()[:200])))
        assert np.array_equal(ours, run(session(source), "image", digits()[:200])[0])


def test_import_onnx__u8s8__is_the_same_integers_by_another_zero_point(tmp_path):
    source = quantized_by_onnxruntime(tmp_path, QuantFormat.QOperator, QuantType.QInt8)

    model = import_onnx(source, digits()[:200])

    moved = with_unsigned_weights(source)
    assert model.content_hash() == import_onnx(moved, digits()[:200]).content_hash()
    before = {one.name: numpy_helper.to_array(one) for one in source.graph.initializer}
    after = {one.name: numpy_helper.to_array(one) for one in moved.graph.initializer}
    changed = [name for name in after if name not in before]
    assert changed
    for name in changed:
        old = before[name.removesuffix("/unsigned")]
        assert after[name].dtype == np.uint8
        assert np.array_equal(after[name].astype(int) - 128, old)


def test_prepare__portable_model__stays(tmp_path):
    narrow = quantized_by_onnxruntime(
        tmp_path, QuantFormat.QOperator, QuantType.QInt8, reduce_range=True
    )
    assert prepare(narrow) == narrow


FUNCTIONS = [
    ("Tanh", {}),
    ("HardSwish", {}),
    ("Elu", {"alpha": 0.7}),
    ("HardSigmoid", {}),
    ("Softplus", {}),
    ("Abs", {}),
]


@pytest.mark.parametrize(("op", "attributes"), FUNCTIONS)
@pytest.mark.parametrize("types", [Types.U8U8, Types.S8S8])
def test_import_onnx__function_between_layers__is_a_table(op, attributes, types):
    layers = [
        node("Gemm", ["x", "w"], ["a"]),
        node(op, ["a"], ["b"], "inside", **attributes),
        node("Gemm", ["b", "v"], ["y"]),
    ]
    net = build(layers, {"w": weights(1, 6, 16), "v": weights(2, 16, 2)}, (6,), (2,))
    inputs = normal(40, 6)

    model = import_onnx(quantize(net, inputs, types), inputs)

    kinds = [StepKind.DENSE, StepKind.LOOKUP, StepKind.DENSE]
    assert [step.kind for step in model.steps] == kinds


def test_import_onnx__several_functions_and_a_slope__are_one_table():
    layers = [
        node("Conv", ["x", "w"], ["a"]),
        node("PRelu", ["a", "slope"], ["b"]),
        node("Mul", ["b", "half"], ["c"]),
        node("Tanh", ["c"], ["d"]),
        node("Conv", ["d", "v"], ["y"]),
    ]
    constants = {"w": weights(1, 4, 3, 3, 3), "v": weights(2, 2, 4, 1, 1)}
    constants |= {"slope": np.float32([[[0.2]]]), "half": np.float32(0.5)}
    net, inputs = build(layers, constants, (3, 9, 7), (2, 7, 5)), normal(20, 3, 9, 7)
    model = import_onnx(quantize(net, inputs), inputs)
    assert [step.kind for step in model.steps] == [StepKind.CONV, StepKind.LOOKUP, StepKind.CONV]


def beside_tanh(*others: onnx.NodeProto) -> onnx.ModelProto:
    """Two layers, and between them a's Tanh, b, and what is made of both, c."""
    layers = [node("Gemm", ["x", "w"], ["a"]), node("Tanh", ["a"], ["b"])]
    layers += [*others, node("Gemm", ["c", "v"], ["y"])]
    return build(layers, {"w": weights(1, 6, 16), "v": weights(2, 16, 2)}, (6,), (2,))


def test_import_onnx__sum_of_an_element_and_its_function__is_one_table():
    net, inputs = beside_tanh(node("Add", ["a", "b"], ["c"])), normal(40, 6)
    model = import_onnx(quantize(net, inputs), inputs)
    assert [step.kind for step in model.steps] == [StepKind.DENSE, StepKind.LOOKUP, StepKind.DENSE]


def test_import_onnx__sum_over_elements_within__is_refused():
    mean = node("ReduceMean", ["a"], ["m"], axes=[1], keepdims=1)
    net, inputs = beside_tanh(mean, node("Sub", ["b", "m"], ["c"])), normal(40, 6)
    with pytest.raises(UnportableError):
        import_onnx(quantize(net, inputs), inputs)


def channels_last(c: int, tail: bool) -> onnx.ModelProto:
    """A convolution of (n, h, w, c), as Keras exports it; flattened channels last, with a tail."""
    layers = [
        node("Transpose", ["x"], ["t"], perm=[0, 3, 1, 2]),
        node("Conv", ["t", "w"], ["a"]),
        node("Relu", ["a"], ["r" if tail else "y"]),
    ]
    constants = {"w": weights(1, 5, c, 3, 3)}
    if not tail:
        return build(layers, constants, (6, 8, c), (5, 4, 6))
    constants |= {"v": weights(2, 120, 3), "s": np.array([-1, 120])}
    layers += [
        node("Transpose", ["r"], ["u"], perm=[0, 2, 3, 1]),
        node("Reshape", ["u", "s"], ["f"]),
        node("MatMul", ["f", "v"], ["y"]),
    ]
    return build(layers, constants, (6, 8, c), (3,))


@pytest.mark.parametrize("tail", [False, True])
@pytest.mark.parametrize("c", [1, 3])
def test_import_onnx__channels_last__takes_the_bytes_as_they_lie(c, tail):
    inputs = normal(30, 6, 8, c)

    model = import_onnx(quantize(channels_last(c, tail), inputs), inputs)

    data = encode(model, inputs)
    first = np.rint(inputs[0].ravel() / np.uint32(model.input.scale).view(np.float32))
    assert np.array_equal(data[0], np.clip(first + model.input.zero_point, 0, 255))
    assert len(model.steps) == (2 if tail else 1)


def test_import_onnx__transpose_that_moves_bytes__is_refused():
    layers = [
        node("Transpose", ["x"], ["t"], perm=[0, 1, 3, 2]),
        node("Conv", ["t", "w"], ["y"]),
    ]
    net = build(layers, {"w": weights(1, 5, 3, 3, 3)}, (3, 6, 8), (5, 6, 4))
    inputs = normal(30, 3, 6, 8)
    with pytest.raises(UnportableError, match="order h, w, c|moves bytes"):
        import_onnx(quantize(net, inputs), inputs)


def test_quantize__average_pool_valid__has_no_edges():
    layers = [
        node("Conv", ["x", "w"], ["a"], pads=[1, 1, 1, 1]),
        node("AveragePool", ["a"], ["y"], kernel_shape=[2, 2], strides=[2, 2], auto_pad="VALID"),
    ]
    net = build(layers, {"w": weights(1, 4, 3, 3, 3)}, (3, 9, 7), (4, 4, 3))
    inputs = normal(30, 3, 9, 7)
    assert len(import_onnx(quantize(net, inputs), inputs).steps) == 2


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        (np.full((3, 64), np.nan, np.float32), "infinite or not a number"),
        (np.full((3, 64), np.inf, np.float32), "infinite or not a number"),
        (np.zeros((0, 64), np.float32), "n at least 1"),
        (np.ones((3, 65), np.float32), "n at least 1"),
        (np.ones((3, 8, 8), np.float32), "n at least 1"),
        (np.zeros((3, 64), np.float32), "all 0.0; needed: real inputs"),
    ],
)
def test_quantize__samples_without_ranges__are_refused(samples, reason):
    net = build([node("Gemm", ["x", "w"], ["y"])], {"w": weights(1, 64, 4)}, (64,), (4,))
    with pytest.raises(FieldError, match=reason):
        quantize(net, samples)


@pytest.mark.parametrize("form", list(QuantFormat))
def test_quantize__quantized_already__says_so(tmp_path, form):
    source = quantized_by_onnxruntime(tmp_path, form, QuantType.QUInt8)
    with pytest.raises(UnportableError, match="quantized already; instead: import it as it is"):
        quantize(source, digits()[:10])


def test_quantize__input_that_is_not_float__says_so():
    net = build([node("Gemm", ["x", "w"], ["y"])], {"w": weights(1, 64, 4)}, (64,), (4,))
    net.graph.input[0].type.tensor_type.elem_type = TensorProto.INT32
    with pytest.raises(UnportableError, match="input x: is not float32"):
        quantize(net, normal(3, 64))


def test_quantize__two_inputs__says_so():
    net = build([node("Gemm", ["x", "w"], ["y"])], {"w": weights(1, 64, 4)}, (64,), (4,))
    net.graph.input.append(helper.make_tensor_value_info("other", TensorProto.FLOAT, ["n", 4]))
    with pytest.raises(UnportableError, match="2 inputs and 1 outputs"):
        quantize(net, normal(3, 64))


def test_quantize__onnxruntime_cannot_run_it__is_one_line():
    layers = [node("Reshape", ["x", "s"], ["r"]), node("Gemm", ["r", "w"], ["y"])]
    constants = {"w": weights(1, 64, 4), "s": np.array([-1, 65])}
    net = build(layers, constants, (64,), (4,))
    with pytest.raises(UnportableError, match="refuses it") as caught:
        quantize(net, normal(3, 64))
    assert "\n" not in str(caught.value)


def with_softmax() -> onnx.ModelProto:
    model = onnx.ModelProto()
    model.CopyFrom(mlp())
    model.graph.node.append(node("Softmax", ["y"], ["odds"], "odds_of_digits"))
    del model.graph.output[:]
    model.graph.output.append(helper.make_tensor_value_info("odds", TensorProto.FLOAT, ["n", 10]))
    return model


@pytest.mark.parametrize("name", ["odds_of_digits", "odds"])
def test_model_import__until_a_node__ends_before_it_and_says_how_far_it_is(tmp_path, name):
    onnx.save(with_softmax(), str(tmp_path / "net.onnx"))
    np.save(tmp_path / "samples.npy", digits()[:300])
    words = ["model", "import", str(tmp_path / "net.onnx"), str(tmp_path / "net.qi8")]
    words += ["--samples", str(tmp_path / "samples.npy"), "--quantize", "--json"]

    refused = CliRunner().invoke(main, words)
    taken = CliRunner().invoke(main, [*words, "--until", name])

    assert refused.exit_code == 1
    assert isinstance(refused.exception, SystemExit)
    said = json.loads(taken.stdout)
    assert said["equal_argmax"] >= 0.97
    assert 0 < said["largest_difference"] < 5


def test_until__no_such_node__names_the_last_ones():
    with pytest.raises(UnportableError, match="the graph has no such node; .* odds_of_digits"):
        until(with_softmax(), "softmax")
