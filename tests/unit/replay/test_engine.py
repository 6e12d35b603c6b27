"""engine.py against a twin in plain integers, over random models.

joins    sums, concats and recalls of any earlier tensors
steps    dense, convolution (grouped, depthwise), both pools, lookup; any zero points and clamps
sums     in float32, in float64, up to the bounds of the format
batches  none, one, more than fit in a block; flat or shaped; wrong sizes and types
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.errors import FieldError
from tallystick.replay.engine import Engine
from tallystick.replay.model import Model, Rows
from tallystick.replay.requantize import scale_bits
from tallystick.replay.step import Step, StepKind
from tests.support import qi8

small = st.integers(1, 6)
byte = st.integers(0, 255)
ONE_TENSOR = [kind for kind in StepKind if kind < StepKind.SUM]


@st.composite
def windows(draw, size):
    """Kernel, stride, padding and output size along one axis of a size."""
    kernel, stride = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    pad = draw(st.integers(0, kernel - 1))
    # The last window starts within the input.
    most = (size - 1 + pad) // stride + 1
    return kernel, stride, pad, draw(st.integers(1, most))


@st.composite
def models(draw):
    kind = draw(st.sampled_from(ONE_TENSOR))
    h, w = (1, 1) if kind == StepKind.DENSE else (draw(small), draw(small))
    groups = draw(st.integers(1, 4)) if kind == StepKind.CONV else 1
    in_c = groups * draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    if kind == StepKind.LOOKUP:
        table = rng.integers(0, 256, 256, np.uint8).tobytes()
        return Model((Step(kind, h, w, in_c, h, w, in_c),), table)
    if kind == StepKind.DENSE:
        (k_h, s_h, top, out_h), (k_w, s_w, left, out_w) = (1, 1, 0, 1), (1, 1, 0, 1)
    else:
        (k_h, s_h, top, out_h), (k_w, s_w, left, out_w) = draw(windows(h)), draw(windows(w))
    window = {
        **{"k_h": k_h, "k_w": k_w, "stride_h": s_h, "stride_w": s_w},
        **{"pad_top": top, "pad_left": left},
    }
    if kind == StepKind.MAX_POOL:
        return Model((Step(kind, h, w, in_c, out_h, out_w, in_c, **window),), b"")
    lo, hi = sorted((draw(byte), draw(byte)))
    za, zw, zy = draw(byte), draw(byte), draw(byte)
    clamp = {"za": za, "zy": zy, "lo": lo, "hi": hi}
    if kind == StepKind.AVERAGE_POOL:
        k = k_h * k_w
        step = Step(kind, h, w, in_c, out_h, out_w, in_c, **window, k=k, **clamp)
        scale = np.array([scale_bits(draw(st.floats(0.125, 2, width=32)) / k)], np.uint32)
        rows = Rows(np.array([-za * k]), scale, np.empty((1, 0), np.uint8))
        return Model((step,), rows.pack())
    out_c = groups * draw(st.integers(1, 3))
    k = k_h * k_w * in_c // groups
    step = Step(
        *(kind, h, w, in_c, out_h, out_w, out_c), **window, groups=groups, k=k, zw=zw, **clamp
    )
    weights = rng.integers(0, 256, (out_c, k), np.uint8)
    sums = (weights.astype(np.int64) - zw).sum(axis=1)
    bias = rng.integers(-(2**30), 2**30, out_c) >> rng.integers(0, 30, out_c)
    reach = rng.uniform(1e-4, 1e-1, out_c).astype(np.float32)
    return Model((step,), Rows(bias - za * sums, reach.view(np.uint32), weights).pack())


@given(models(), st.data())
@settings(deadline=None, max_examples=300)
def test_trace__any_step__is_the_twin_in_integers(model, data):
    model.check()
    size = model.steps[0].in_size
    inputs = [data.draw(st.binary(min_size=size, max_size=size)) for _ in range(3)]

    traced = Engine(model).trace(np.array([list(one) for one in inputs], np.uint8))

    for place, one in enumerate(inputs):
        expected = qi8.run(model.to_bytes(), one)
        assert [tensor[place].tobytes() for tensor in traced] == expected


@st.composite
def joined(draw):
    """A chain of tables, sums, concats and recalls, each of any tensors that fit."""
    h, w, c = draw(small), draw(small), draw(small)
    shapes, steps, rows = [(h, w, c)], [], b""
    for _ in range(draw(st.integers(1, 9))):
        kind = draw(st.sampled_from([kind for kind in StepKind if kind >= StepKind.LOOKUP]))
        last = shapes[-1]
        alike = [at for at, shape in enumerate(shapes) if shape == last]
        lo, hi = sorted((draw(byte), draw(byte)))
        if kind == StepKind.LOOKUP:
            step = Step(kind, *last, *last)
            rows += np.random.default_rng(draw(byte)).bytes(256)
        elif kind == StepKind.SUM:
            zeros = {"za": draw(byte), "zw": draw(byte), "zy": draw(byte), "lo": lo, "hi": hi}
            step = Step(kind, *last, *last, groups=draw(st.sampled_from(alike)), **zeros)
            rows += draw(st.binary(min_size=8, max_size=8))
        else:
            source = draw(st.integers(0, len(shapes) - 1))
            shape = shapes[source]
            into = last if kind == StepKind.CONCAT else shape
            more = shape[2] if kind == StepKind.CONCAT else 0
            step = Step(kind, *into, *into[:2], into[2] + more, groups=source)
        steps.append(step)
        shapes.append(step.out_shape)
    return Model(tuple(steps), rows)


@given(joined(), st.data())
@settings(deadline=None, max_examples=200)
def test_trace__steps_of_any_tensors__is_the_twin_in_integers(model, data):
    model.check()
    size = model.steps[0].in_size
    inputs = [data.draw(st.binary(min_size=size, max_size=size)) for _ in range(3)]

    traced = Engine(model).trace(np.array([list(one) for one in inputs], np.uint8))

    for place, one in enumerate(inputs):
        expected = qi8.run(model.to_bytes(), one)
        assert [tensor[place].tobytes() for tensor in traced] == expected


def dense(k: int, weight: int, zw: int, bias: int = 0, za: int = 0) -> Model:
    step = Step(
        *(StepKind.DENSE, 1, 1, k, 1, 1, 2, 1, 1, 1, 1),
        **{"groups": 1, "k": k, "za": za, "zw": zw, "zy": 128, "hi": 255},
    )
    weights = np.full((2, k), weight, np.uint8)
    folded = np.full(2, bias - za * k * (weight - zw))
    scale = np.array([scale_bits(2.0**-24), scale_bits(1.3e-7)], np.uint32)
    return Model((step,), Rows(folded, scale, weights).pack())


@pytest.mark.parametrize("k", [257, 258, 4096, 32768])
@pytest.mark.parametrize(("weight", "zw"), [(255, 0), (0, 255), (255, 1)])
def test_run__sums_up_to_the_bounds__are_exact(k, weight, zw):
    model = dense(k, weight, zw, bias=12345, za=3)
    model.check()
    rng = np.random.default_rng(k)
    inputs = rng.integers(0, 256, (8, k), np.uint8)
    inputs[0], inputs[1], inputs[2] = 0, 255, 254

    outputs = Engine(model).run(inputs)

    for one, output in zip(inputs, outputs, strict=True):
        assert output.tobytes() == qi8.run(model.to_bytes(), one.tobytes())[-1]


@given(st.integers(-(2**31) + 255 * 64 * 7, 2**31 - 255 * 64 * 7), byte)
def test_run__any_bias__is_exact(bias, za):
    model = dense(64, 6, 0, bias=bias, za=za)
    one = bytes(range(64))

    assert Engine(model).infer([one]) == [qi8.run(model.to_bytes(), one)[-1]]


def conv() -> Model:
    step = Step(
        *(StepKind.CONV, 20, 20, 8, 20, 20, 16, 3, 3, 1, 1, 1, 1),
        **{"groups": 1, "k": 72, "za": 9, "zw": 128, "zy": 7, "hi": 255},
    )
    rng = np.random.default_rng(6)
    weights = rng.integers(0, 256, (16, 72), np.uint8)
    scale = np.full(16, scale_bits(3e-3), np.uint32)
    bias = -9 * (weights.astype(np.int64) - 128).sum(axis=1)
    return Model((step,), Rows(bias, scale, weights).pack())


def test_run__more_than_a_block__is_each_alone():
    engine = Engine(conv())
    inputs = np.random.default_rng(7).integers(0, 256, (120, 20, 20, 8), np.uint8)

    alone = np.concatenate([engine.run(inputs[at : at + 1]) for at in range(120)])

    np.testing.assert_array_equal(engine.run(inputs), alone)
    assert len(np.unique(alone)) == 256


def test_run__no_inputs__returns_no_outputs():
    assert Engine(conv()).run(np.empty((0, 3200), np.uint8)).shape == (0, 6400)


@pytest.mark.parametrize(
    "inputs",
    [
        np.zeros((2, 3199), np.uint8),
        np.zeros((0, 3199), np.uint8),
        np.zeros(3200, np.uint8),
        np.zeros((2, 3200), np.int8),
    ],
)
def test_run__inputs_of_another_size_or_type__raises(inputs):
    with pytest.raises(FieldError, match="inputs is"):
        Engine(conv()).run(inputs)


def test_infer__input_of_another_length__raises():
    with pytest.raises(FieldError, match="input 1 is 3199 bytes"):
        Engine(conv()).infer([bytes(3200), bytes(3199)])
