"""What the importer refuses: by node, with a reason and what to do instead.

types       full-range u8s8 | s8u8 | 16 bits | zero points per channel
forms       QDQ | dynamic | floats before, within, after | nothing quantized
operators   QLinearMul | QLinearAveragePool | Transpose | QGemm to float | alpha
shapes      dilated | ceil_mode | indices | batches of 2 | a flattened image at the end
bounds      K | accumulator | scales: zero, subnormal, negative, infinite, NaN; their product
self-test   flipped weight, bias, scale, zero point, stride, table; no samples; what isn't a model
"""

from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantFormat, QuantType, quantize_dynamic, quantize_static

from tallystick.errors import FieldError
from tallystick.replay.errors import MismatchError, UnportableError
from tallystick.replay.importer import import_file, import_onnx, read_graph
from tallystick.replay.model import Model
from tallystick.replay.quantize import Samples, Types, quantize
from tallystick.replay.selftest import check_against_onnxruntime
from tests.support.nets import build, cnn, digits, in_bytes, mlp, weights
from tests.support.zoo import ZOO, conv, pooled, samples

node = helper.make_node


@pytest.fixture(scope="module")
def quantized() -> onnx.ModelProto:
    """The digits CNN, u8u8, one scale a layer."""
    return quantize(cnn(), digits()[:100], Types.U8U8, per_channel=False)


def copied(model: onnx.ModelProto) -> onnx.ModelProto:
    other = onnx.ModelProto()
    other.CopyFrom(model)
    return other


def with_constant(model: onnx.ModelProto, name: str, value: np.ndarray) -> onnx.ModelProto:
    other = copied(model)
    (tensor,) = (t for t in other.graph.initializer if t.name == name)
    tensor.CopyFrom(numpy_helper.from_array(np.array(value), name))
    return other


def dense(
    k=4, n=2, w_scale=0.01, y_scale=0.02, bias=0, w_type=np.uint8, w_zero=None, **attributes: Any
):
    """QGemm from k to n bytes, written by hand."""
    w_zero = w_type(0) if w_zero is None else w_zero
    constants = {
        "s": np.float32(0.02),
        "z": np.uint8(3),
        "w": np.full((k, n), 7, w_type),
        "ws": np.float32(w_scale),
        "wz": w_zero,
        "ys": np.float32(y_scale),
        "b": np.full(n, bias, np.int32),
    }
    names = ["x", "s", "z", "w", "ws", "wz", "b", "ys", "z"]
    return in_bytes(
        [node("QGemm", names, ["y"], "dense", domain="com.microsoft", **attributes)],
        constants,
        (k,),
    )


def assert_refused(model: onnx.ModelProto, named: str, reason: str) -> None:
    with pytest.raises(UnportableError, match=reason) as caught:
        read_graph(model)
    assert caught.value.node.startswith(named)
    assert caught.value.instead
    assert "\n" not in str(caught.value)


def test_read_graph__full_range_u8s8__names_the_node_and_7_bits(tmp_path):
    onnx.save(cnn(), str(tmp_path / "float.onnx"))
    for reduce_range in (False, True):
        quantize_static(
            str(tmp_path / "float.onnx"),
            str(tmp_path / "q.onnx"),
            Samples("image", digits()[:50]),
            quant_format=QuantFormat.QOperator,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            reduce_range=reduce_range,
        )
        model = onnx.load(str(tmp_path / "q.onnx"))
        if reduce_range:
            import_onnx(model, digits()[:100])
        else:
            assert_refused(model, "QLinearConv c1", "overflow on AVX2")


def test_read_graph__s8u8__refused():
    constants = {"s": np.float32(0.02), "z": np.int8(3), "w": np.ones((4, 2), np.uint8)}
    names = ["x", "s", "z", "w", "s", "wz", "s", "z"]
    model = in_bytes(
        [node("QLinearMatMul", names, ["y"])],
        {**constants, "wz": np.uint8(0)},
        (4,),
        TensorProto.INT8,
    )

    assert_refused(model, "QLinearMatMul y", "int8 activations meet uint8 weights")


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (lambda: dense(w_type=np.int16), "weights are int16"),
        (lambda: dense(w_zero=np.array([1, 2], np.uint8)), "differ between channels"),
        (lambda: dense(alpha=0.5), "alpha"),
        (lambda: dense(transA=1), "transA"),
        (lambda: dense(k=32769), "K is 32769"),
        (lambda: dense(bias=2**31 - 255 * 28), "exceed 2\\^31"),
        (lambda: dense(bias=-(2**31) + 255 * 28), "exceed 2\\^31"),
        (lambda: dense(w_scale=0.0), "scale is 0.0"),
        (lambda: dense(w_scale=1e-39), "scale is"),
        (lambda: dense(w_scale=-0.5), "scale is -0.5"),
        (lambda: dense(w_scale=np.inf), "scale is inf"),
        (lambda: dense(w_scale=np.nan), "scale is nan"),
        # Normal each, but not what they make together.
        (lambda: dense(w_scale=1.2e-38, y_scale=4.0), "scale is"),
        (lambda: dense(w_scale=1.2e-38, y_scale=1e-4), "scale is"),
        (lambda: dense(w_scale=3e38, y_scale=1e-4), "scale is inf"),
    ],
)
def test_read_graph__dense_out_of_range__refused(model, reason):
    assert_refused(model(), "QGemm dense", reason)


@pytest.mark.parametrize(("k", "bias"), [(32768, 0), (4, 2**31 - 255 * 28 - 1)])
def test_import_onnx__dense_at_the_bounds__taken(k, bias):
    model = import_onnx(dense(k=k, bias=bias), np.zeros((1, k), np.uint8))

    assert model.steps[0].k == k


def test_read_graph__gemm_to_float__refused():
    model = dense()
    del model.graph.node[0].input[7:]

    assert_refused(model, "QGemm dense", "float32")


@pytest.mark.parametrize("name", ["image_scale", "w2_scale", "logits_scale"])
@pytest.mark.parametrize("value", [0, 1e-40, np.inf, np.nan, -1])
def test_read_graph__any_scale_not_normal__refused(quantized, name, value):
    with pytest.raises(UnportableError, match="scale is"):
        read_graph(with_constant(quantized, name, np.float32(value)))


def test_read_graph__qdq__refused(tmp_path):
    onnx.save(cnn(), str(tmp_path / "float.onnx"))
    quantize_static(
        str(tmp_path / "float.onnx"),
        str(tmp_path / "q.onnx"),
        Samples("image", digits()[:50]),
        quant_format=QuantFormat.QDQ,
    )

    with pytest.raises(UnportableError, match="QDQ"):
        read_graph(onnx.load(str(tmp_path / "q.onnx")))


@pytest.mark.parametrize("net", [cnn, mlp])
def test_read_graph__dynamic__refused(tmp_path, net):
    onnx.save(net(), str(tmp_path / "float.onnx"))
    quantize_dynamic(str(tmp_path / "float.onnx"), str(tmp_path / "q.onnx"))

    with pytest.raises(UnportableError, match="dynamic quantization"):
        read_graph(onnx.load(str(tmp_path / "q.onnx")))


def test_read_graph__product_of_tensors__refused():
    nodes = [node("Conv", ["x", "w"], ["c"]), node("Mul", ["c", "x"], ["y"], "gate")]
    net = build(nodes, {"w": weights(1, 3, 3, 1, 1)}, (3, 9, 7), (3, 9, 7))

    assert_refused(quantize(net, samples(9, 3, 9, 7)), "QLinearMul gate", "fused multiply-add")


def test_read_graph__average_pool_of_onnxruntime__refused():
    names = ["x", "s", "z", "s", "z"]
    pool = node(
        "QLinearAveragePool", names, ["y"], "pool", domain="com.microsoft", kernel_shape=[2, 2]
    )
    model = in_bytes([pool], {"s": np.float32(0.1), "z": np.uint8(7)}, (3, 4, 4))

    assert_refused(model, "QLinearAveragePool pool", "sums it up in float32")


@pytest.mark.parametrize("op", ["Sin", "Softmax"])
def test_read_graph__float_operator_within__refused(op):
    nodes = [
        node("Conv", ["x", "w"], ["c"]),
        node(op, ["c"], ["t"], "inside"),
        node("Conv", ["t", "w"], ["y"]),
    ]
    net = build(nodes, {"w": weights(1, 3, 3, 1, 1)}, (3, 9, 7), (3, 9, 7))

    with pytest.raises(UnportableError, match="QDQ|float operator|in float32"):
        read_graph(quantize(net, samples(9, 3, 9, 7)))


def test_read_graph__float_operator_after__refused(quantized):
    model = copied(quantized)
    model.graph.node.append(node("Exp", [model.graph.output[0].name], ["odds"], "odds"))
    model.graph.output[0].name = "odds"

    with pytest.raises(UnportableError, match="QDQ"):
        read_graph(model)


def test_read_graph__float_operator_before__refused(quantized):
    model = copied(quantized)
    model.graph.node.insert(0, node("Sqrt", ["image"], ["root"], "root"))
    model.graph.node[1].input[0] = "root"

    assert_refused(model, "Sqrt root", "float operator")


def test_read_graph__float_model__refused():
    assert_refused(cnn(), "Conv c1", "float operator")


def test_read_graph__nothing_but_quantization__refused():
    nodes = [node("QuantizeLinear", ["x", "s", "z"], ["q"]), node("Identity", ["q"], ["y"])]
    model = in_bytes(nodes, {"s": np.float32(1), "z": np.uint8(0)}, (4,), TensorProto.FLOAT)

    assert_refused(model, "output y", "no quantized node")


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (lambda: conv((4, 3, 3, 3), (4, 5, 3), dilations=[2, 2]), "dilated"),
        (
            lambda: pooled("MaxPool", (8, 5, 4), kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1),
            "ceil_mode",
        ),
    ],
)
def test_read_graph__window_without_a_field__refused(model, reason):
    source = quantize(model(), samples(9, 3, 9, 7))

    with pytest.raises(UnportableError, match=reason):
        read_graph(source)


def test_read_graph__windows_beyond_the_input__refused():
    source = quantize(conv((4, 3, 3, 3), (4, 10, 9), pads=[0, 1, 3, 3]), samples(9, 3, 9, 7))

    assert_refused(source, "QLinearConv y", "outside the input")


def test_read_graph__pool_with_indices__refused():
    pool = node("MaxPool", ["x"], ["y", "places"], "pool", kernel_shape=[2, 2])

    assert_refused(in_bytes([pool], {}, (3, 4, 4)), "MaxPool pool", "indices")


@pytest.mark.parametrize("op", ["Slice", "Pad"])
def test_read_graph__moves_bytes__refused(op):
    model = in_bytes([node(op, ["x"], ["y"], "moves")], {}, (3, 4, 4))

    assert_refused(model, f"{op} moves", "no step")


def test_read_graph__no_node_but_a_transpose__refused():
    model = in_bytes([node("Transpose", ["x"], ["y"], perm=[0, 1, 3, 2])], {}, (3, 4, 4))

    assert_refused(model, "output y", "no quantized")


def test_read_graph__image_flattened_at_the_end__refused():
    nodes = [node("MaxPool", ["x"], ["p"], kernel_shape=[2, 2]), node("Flatten", ["p"], ["y"])]

    assert_refused(in_bytes(nodes, {}, (3, 4, 4)), "output y", "order h, w, c")


def test_read_graph__tensor_that_nothing_makes__refused():
    pools = [
        node("MaxPool", ["x"], ["p"], kernel_shape=[2, 2]),
        node("MaxPool", ["q"], ["y"], "aside", kernel_shape=[2, 2]),
    ]

    assert_refused(in_bytes(pools, {}, (3, 4, 4)), "MaxPool aside", "which no quantized node makes")


@pytest.mark.parametrize(
    ("op", "new", "shape"),
    [
        ("Reshape", [-1, 3, 4, 4, 1], (3, 4, 4)),
        ("Squeeze", [1], (1, 4, 4)),
        ("Unsqueeze", [2], (9,)),
    ],
)
def test_read_graph__pool_of_another_rank__refused(op, new, shape):
    nodes = [
        node(op, ["x", "new"], ["r"]),
        node("MaxPool", ["r"], ["y"], "pool", kernel_shape=[2, 2]),
    ]

    assert_refused(in_bytes(nodes, {"new": np.array(new)}, shape), "MaxPool pool", "not an image")


def test_read_graph__batches_of_two__refused():
    model = in_bytes([node("MaxPool", ["x"], ["y"], kernel_shape=[2, 2])], {}, (3, 4, 4))
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 2

    assert_refused(model, "input x", "shape is")


def test_read_graph__two_inputs__refused():
    model = in_bytes([node("MaxPool", ["x"], ["y"], kernel_shape=[2, 2])], {}, (3, 4, 4))
    model.graph.input.append(helper.make_tensor_value_info("x2", TensorProto.UINT8, ["n", 1]))

    assert_refused(model, "graph", "2 inputs")


def test_read_graph__input_of_another_type__refused():
    pool = node("MaxPool", ["x"], ["y"], kernel_shape=[2, 2])

    assert_refused(in_bytes([pool], {}, (3, 4, 4), TensorProto.FLOAT16), "input x", "8 bits")


def test_import_onnx__onnxruntime_cannot_load_it__refused_in_one_line(quantized):
    model = copied(quantized)
    model.graph.node[1].attribute.append(helper.make_attribute("nonsense", 1))

    with pytest.raises(UnportableError, match="onnxruntime refuses it") as caught:
        import_onnx(model, digits()[:3])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("op", "new", "shape"),
    [
        ("Flatten", None, (3, 4, 4)),
        ("Reshape", [3, -1, 4, 4], (3, 4, 4)),
        ("Reshape", [0, 4, 3, 4], (3, 4, 4)),
        ("Reshape", [0, 3, 4, 5], (3, 4, 4)),
        ("Reshape", [-1], (3, 4, 4)),
        ("Squeeze", [2, 3], (3, 4, 4)),
        ("Squeeze", [0], (3, 4, 4)),
        ("Squeeze", [4], (1, 4, 4)),
        ("Unsqueeze", [0], (3, 4)),
    ],
)
def test_read_graph__shape_without_a_tensor__refused(op, new, shape):
    attributes = {"axis": 2} if op == "Flatten" else {}
    names = ["x"] if new is None else ["x", "new"]
    nodes = [
        node(op, names, ["r"], "shape", **attributes),
        node("MaxPool", ["r"], ["y"], kernel_shape=[2, 2]),
    ]
    model = in_bytes(nodes, {} if new is None else {"new": np.array(new)}, shape)

    assert_refused(model, f"{op} shape", "in a way that has no step|order h, w, c")


def test_import_onnx__runs_for_one_sample_only__refused_in_one_line():
    nodes = [
        node("Reshape", ["x", "new"], ["r"]),
        node("MaxPool", ["r"], ["y"], kernel_shape=[2, 2]),
    ]
    model = in_bytes(nodes, {"new": np.array([1, 1, 8, 8])}, (64,))

    with pytest.raises(UnportableError, match="onnxruntime refuses it") as caught:
        import_onnx(model, np.zeros((3, 64), np.uint8))
    assert "\n" not in str(caught.value)


def test_import_file__not_onnx__refused(tmp_path):
    (tmp_path / "junk.onnx").write_bytes(b"\xff" * 100)

    with pytest.raises(UnportableError, match="junk.onnx: is not an ONNX file"):
        import_file(tmp_path / "junk.onnx", tmp_path / "out.qi8", digits())


def test_import_file__weights_beside_it_are_missing__says_which(tmp_path):
    weights = onnx.numpy_helper.from_array(np.ones((64, 64), np.int8), "w")
    graph = onnx.helper.make_graph([], "g", [], [], [weights])
    beside = {"save_as_external_data": True, "location": "w.bin", "size_threshold": 10}
    onnx.save(onnx.helper.make_model(graph), str(tmp_path / "m.onnx"), **beside)
    (tmp_path / "w.bin").unlink()

    with pytest.raises(UnportableError, match=r"m\.onnx: .*w\.bin") as caught:
        import_file(tmp_path / "m.onnx", tmp_path / "out.qi8", digits())
    assert "\n" not in str(caught.value)


def change(model: Model, what: str) -> Model:
    first, *others = model.steps
    if what in ("zy", "za", "zw"):
        return replace(model, steps=(replace(first, **{what: getattr(first, what) ^ 1}), *others))
    if what == "input":
        shifted = replace(model.input, zero_point=model.input.zero_point + 1)
        return replace(model, input=shifted)
    if what == "output":
        return replace(model, output=replace(model.output, scale=model.output.scale + 1))
    # Of the last layer: a channel of the first could be one that is always clamped.
    rows = bytearray(model.rows)
    rows[{"bias": -72, "scale": -67, "weight": -1}[what]] ^= 0x40
    return replace(model, rows=bytes(rows))


@pytest.mark.parametrize(
    "what",
    ["zy", "za", "zw", "bias", "scale", "weight", "input", "output"],
)
def test_check_against_onnxruntime__model_changed__raises(quantized, what):
    model, tensors = read_graph(quantized)
    check_against_onnxruntime(quantized, model, tensors, digits()[:50], 50)

    with pytest.raises(MismatchError):
        check_against_onnxruntime(quantized, change(model, what), tensors, digits()[:50], 50)


@pytest.mark.parametrize(("real", "count"), [(0, 5), (5, 0)])
def test_check_against_onnxruntime__nothing_to_try__raises(quantized, real, count):
    with pytest.raises(FieldError, match="inputs to try"):
        import_onnx(quantized, digits()[:real], count)


@pytest.mark.parametrize(
    "samples",
    [digits()[:5].astype(np.float64), digits()[:5].reshape(5, 64), np.ones((5, 1, 8, 8), np.uint8)],
)
def test_import_onnx__samples_of_another_type_or_shape__raises(quantized, samples):
    with pytest.raises(FieldError, match="samples is"):
        import_onnx(quantized, samples)


def test_read_graph__pool_in_one_dimension__refused():
    pool = node("MaxPool", ["x"], ["y"], "pool", kernel_shape=[2])

    assert_refused(in_bytes([pool], {}, (3, 4, 4)), "MaxPool pool", "not an image")


def test_import_file__refused__writes_nothing(tmp_path):
    source, target = tmp_path / "float.onnx", tmp_path / "out.qi8"
    onnx.save(cnn(), str(source))

    with pytest.raises(UnportableError):
        import_file(source, target, digits()[:9])

    assert not target.exists()


def test_import_file__portable__writes_the_model(tmp_path, quantized):
    source, target = tmp_path / "quantized.onnx", tmp_path / "out.qi8"
    onnx.save(quantized, str(source))

    model = import_file(source, target, digits()[:9])

    assert Model.read(target) == model


def test_quantize__average_pool_that_does_not_count_its_padding__refused():
    net = pooled("AveragePool", (8, 9, 7), kernel_shape=[3, 3], pads=[1, 1, 1, 1])

    with pytest.raises(UnportableError, match="divisor"):
        quantize(net, samples(9, 3, 9, 7))


def test_import_onnx__lookup_changed__raises():
    source = quantize(ZOO["sigmoid"](), samples(20, 3, 9, 7))
    model, tensors = read_graph(source)
    wrong = replace(model, rows=bytes([model.rows[0] ^ 1]) + model.rows[1:])

    with pytest.raises(MismatchError):
        check_against_onnxruntime(source, wrong, tensors, samples(5, 3, 9, 7), 5)
