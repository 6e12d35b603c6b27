"""importer.py and engine.py against onnxruntime, on every tensor of whole networks.

digits     CNN and MLP; u8u8, s8s8, 7-bit u8s8; per channel and per tensor; all 1,797 samples
operators  each thing that a step can do, once, in the three pairs of types
nodes      one of each kind with any zero points and scales: powers of two (ties), tiny, huge
ends       bytes in and out; floats flattened before; batches of one; no bias; a scale per row
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from sklearn.datasets import load_digits

from tallystick.replay.client import decode, encode
from tallystick.replay.engine import Engine
from tallystick.replay.importer import import_onnx, read_graph
from tallystick.replay.model import Model
from tallystick.replay.quantize import Types, quantize
from tallystick.replay.runtime import session
from tallystick.replay.step import StepKind
from tests.support.nets import cnn, digits, in_bytes, mlp
from tests.support.zoo import ZOO, samples

byte = st.integers(0, 255)


@pytest.mark.parametrize("per_channel", [True, False])
@pytest.mark.parametrize("types", Types)
@pytest.mark.parametrize("net", [cnn, mlp])
def test_import_onnx__digits__is_onnxruntime_on_every_tensor(net, types, per_channel):
    source = quantize(net(), digits()[:200], types, per_channel)

    model = import_onnx(source, digits(), count=256)

    expected = session(source).run(None, {source.graph.input[0].name: digits()})[0]
    outputs = Engine(model).run(encode(model, digits()))
    np.testing.assert_array_equal(decode(model, outputs), expected)


@pytest.mark.parametrize("types", Types)
@pytest.mark.parametrize("name", ZOO)
def test_import_onnx__each_operator__is_onnxruntime_on_every_tensor(name, types):
    net = ZOO[name]()
    shape = [dim.dim_value for dim in net.graph.input[0].type.tensor_type.shape.dim][1:]
    source = quantize(net, samples(50, *shape), types)

    # Outside what was calibrated, too: outputs are then clamped.
    wide = np.concatenate([samples(40, *shape), 3 * samples(10, *shape, seed=4)])
    model = import_onnx(source, wide, count=64)

    assert Model.from_bytes(model.to_bytes()) == model


@st.composite
def products(draw):
    """One QLinearConv or QGemm node of bytes, with any parameters that the format allows."""
    signed, w_signed = draw(st.sampled_from([(False, False), (True, True), (False, True)]))
    x_type, w_type = (np.int8 if s else np.uint8 for s in (signed, w_signed))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    low, high = (-64, 64) if w_signed and not signed else ((-128, 127) if w_signed else (0, 255))
    groups = draw(st.sampled_from([1, 1, 2, 3]))
    each, c, k_h, k_w = (draw(st.integers(1, 4)) for _ in range(4))
    out_c, in_c = groups * each, groups * c
    pads = [draw(st.integers(0, k - 1)) for k in (k_h, k_w, k_h, k_w)]
    scales = st.sampled_from([2.0**-9, 2.0**-7, 0.004, 0.0117, 1e-6, 3.0])
    per_row = draw(st.booleans())
    x_zero = np.iinfo(x_type)
    constants = {
        "xs": np.float32(draw(scales)),
        "xz": x_type(draw(st.integers(x_zero.min, x_zero.max))),
        "w": rng.integers(low, high, (out_c, c, k_h, k_w), w_type, endpoint=True),
        "ws": rng.uniform(1e-3, 1e-1, out_c).astype(np.float32)
        if per_row
        else np.float32(draw(scales)),
        "wz": w_type(draw(st.integers(low, high))),
        "ys": np.float32(draw(scales)),
        "yz": x_type(draw(st.integers(x_zero.min, x_zero.max))),
        "b": rng.integers(-(2**20), 2**20, out_c, np.int32),
    }
    if per_row:
        constants["wz"] = np.full(out_c, constants["wz"])
    names = ["x", "xs", "xz", "w", "ws", "wz", "ys", "yz", *(["b"] if draw(st.booleans()) else [])]
    attributes = {"group": groups, "pads": pads, "strides": [1, draw(st.integers(1, 2))]}
    node = helper.make_node("QLinearConv", names, ["y"], **attributes)
    shape = (in_c, 5, 6)
    if groups == 1 and draw(st.booleans()):
        constants["w"] = constants["w"].reshape(out_c, -1).T.copy()
        shape = (c * k_h * k_w,)
        names = ["x", "xs", "xz", "w", "ws", "wz", "b" if "b" in names else "", "ys", "yz"]
        node = helper.make_node("QGemm", names, ["y"], domain="com.microsoft")
    kind = TensorProto.INT8 if signed else TensorProto.UINT8
    return in_bytes([node], constants, shape, kind, kind), shape, x_type


@given(products())
@settings(deadline=None, max_examples=150)
def test_import_onnx__any_product__is_onnxruntime(drawn):
    source, shape, kind = drawn

    model = import_onnx(source, np.zeros((1, *shape), kind), count=64)

    assert model.input.scale == model.output.scale == 0


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("x_scale", [2.0**-6, 0.0123])
@given(st.tuples(*[st.integers(1, 15)] * 3), byte, byte, st.floats(0.25, 4))
@settings(deadline=None, max_examples=25)
def test_import_onnx__any_global_average_pool__is_onnxruntime(signed, x_scale, shape, za, zy, r):
    kind, shift = (np.int8, 128) if signed else (np.uint8, 0)
    constants = {
        "xs": np.float32(x_scale),
        "xz": kind(za - shift),
        "ys": np.float32(x_scale * r),
        "yz": kind(zy - shift),
    }
    names = ["x", "xs", "xz", "ys", "yz"]
    node = helper.make_node("QLinearGlobalAveragePool", names, ["y"], domain="com.microsoft")
    onnx_kind = TensorProto.INT8 if signed else TensorProto.UINT8
    source = in_bytes([node], constants, shape, onnx_kind, onnx_kind)

    model = import_onnx(source, np.zeros((1, *shape), kind), count=64)

    assert model.steps[0].kind == StepKind.AVERAGE_POOL


def test_import_onnx__floats_flattened_before__takes_them_as_they_come():
    source = quantize(mlp(), digits()[:50])
    first, *others = source.graph.node
    flat = helper.make_node("Flatten", ["x"], ["before"])
    first.input[0] = "before"
    del source.graph.node[:]
    source.graph.node.extend([flat, first, *others])

    model = import_onnx(source, digits()[:100])

    assert model.steps[0].in_shape == (1, 1, 64)


def test_import_onnx__batches_of_one__is_onnxruntime():
    net = cnn()
    net.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    net.graph.output[0].type.tensor_type.shape.dim[0].dim_value = 1
    source = quantize(net, digits()[:50])

    model = import_onnx(source, digits()[:20], count=20)

    many = import_onnx(quantize(cnn(), digits()[:50]), digits()[:20], count=20)
    assert model.content_hash() == many.content_hash()


def test_read_graph__channels_flattened_first__are_in_the_order_of_onnx():
    source = quantize(ZOO["gemm of an image"](), samples(50, 3, 9, 7))

    model, tensors = read_graph(source)

    assert model.steps[0].in_shape == (1, 1, 189)
    assert tensors[0].in_order


def test_quantize__digits__stays_as_right_as_the_float_model():
    images, labels = digits(), load_digits().target
    model = import_onnx(quantize(cnn(), images[:200]), images[:50])

    answers = Engine(model).run(encode(model, images)).argmax(axis=1)

    # Measured: 1796 of 1797 right, with each pair of types, as many as the float model.
    assert (answers == labels).mean() > 0.99


# onnxruntime has no Relu of uint8, where it would do nothing.
@pytest.mark.parametrize(("op", "signed"), [("Relu", True), ("Clip", False), ("Clip", True)])
def test_import_onnx__clamp_of_bytes__becomes_a_table(op, signed):
    kind, onnx_kind = (np.int8, TensorProto.INT8) if signed else (np.uint8, TensorProto.UINT8)
    names = ["x", "lo", "hi"] if op == "Clip" else ["x"]
    constants = {"lo": kind(5), "hi": kind(90)} if op == "Clip" else {}
    nodes = [helper.make_node(op, names, ["y"])]
    source = in_bytes(nodes, constants, (3, 4, 4), onnx_kind, onnx_kind)

    model = import_onnx(source, np.zeros((1, 3, 4, 4), kind), count=64)

    zero = 128 if signed else 0
    lo, hi = (zero + 5, zero + 90) if op == "Clip" else (zero, 255)
    assert model.table_of(0).tolist() == [min(max(value, lo), hi) for value in range(256)]


POOL = helper.make_node("MaxPool", ["r"], ["y"], kernel_shape=[2, 2])


@pytest.mark.parametrize(
    ("nodes", "shape", "new"),
    [
        ([helper.make_node("Reshape", ["x", "new"], ["r"]), POOL], (64,), [-1, 1, 8, 8]),
        ([helper.make_node("Reshape", ["x", "new"], ["r"]), POOL], (64,), [0, 1, 8, -1]),
        ([helper.make_node("Reshape", ["x", "new"], ["r"]), POOL], (1, 4, 16), [-1, 1, 16, 4]),
        ([helper.make_node("Identity", ["x"], ["r"]), POOL], (3, 8, 8), None),
        (
            [
                helper.make_node("MaxPool", ["x"], ["p"], kernel_shape=[8, 8]),
                helper.make_node("Squeeze", ["p", "new"], ["r"]),
                helper.make_node("Unsqueeze", ["r", "new"], ["s"]),
                helper.make_node("MaxPool", ["s"], ["y"], kernel_shape=[1, 1]),
            ],
            (3, 8, 8),
            [2, 3],
        ),
    ],
)
def test_import_onnx__shapes_that_move_no_byte__have_no_step(nodes, shape, new):
    source = in_bytes(nodes, {} if new is None else {"new": np.array(new)}, shape)

    model = import_onnx(source, np.zeros((1, *shape), np.uint8), count=64)

    assert {step.kind for step in model.steps} == {StepKind.MAX_POOL}
