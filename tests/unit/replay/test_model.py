"""step.py, model.py and client.py: records, rows, hashes, the file, and what they refuse.

records   20 words as Solidity's abi.encode has them | unknown kind, another length
hash      as eth_abi computes it | a vector that stays | what it does and does not depend on
file      there and back | cut or too long | any bytes changed | other magic, reserved bytes
checks    each field of each kind out of range | shapes that do not meet | rows: size, scale, bound
client    as onnxruntime quantizes | clamped, not finite, other shapes, unknown scale
"""

from dataclasses import fields, replace

import numpy as np
import pytest
from eth_abi import encode as abi_encode
from eth_utils import keccak
from hypothesis import example, given
from hypothesis import strategies as st

from tallystick.errors import FieldError
from tallystick.replay.client import decode, encode
from tallystick.replay.engine import Engine
from tallystick.replay.errors import ModelError
from tallystick.replay.model import SPEC_ID, Model, Quantization, Rows
from tallystick.replay.requantize import scale_bits
from tallystick.replay.step import Step, StepKind
from tests.support import qi8

CONV = Step(
    *(StepKind.CONV, 4, 4, 2, 2, 2, 4, 3, 3, 2, 2, 1, 1),
    **{"groups": 2, "k": 9, "za": 3, "zw": 128, "zy": 7, "lo": 7, "hi": 255},
)
POOL = Step(StepKind.MAX_POOL, 2, 2, 4, 1, 1, 4, 2, 2, 2, 2)
AVERAGE = Step(
    *(StepKind.AVERAGE_POOL, 2, 2, 4, 1, 1, 4, 2, 2, 2, 2), **{"k": 4, "za": 7, "zy": 1, "hi": 255}
)
DENSE = Step(
    *(StepKind.DENSE, 1, 1, 4, 1, 1, 3, 1, 1, 1, 1),
    **{"groups": 1, "k": 4, "za": 7, "zw": 0, "zy": 0, "hi": 255},
)
LOOKUP = Step(StepKind.LOOKUP, 1, 1, 3, 1, 1, 3)
STEPS = {"conv": CONV, "max_pool": POOL, "average_pool": AVERAGE, "dense": DENSE, "lookup": LOOKUP}
SUM = Step(*(StepKind.SUM, 2, 2, 4, 2, 2, 4), **{"groups": 1, "za": 3, "zw": 9, "zy": 1, "hi": 255})
CONCAT = Step(StepKind.CONCAT, 2, 2, 4, 2, 2, 6, groups=0)
RECALL = Step(StepKind.RECALL, 2, 2, 4, 2, 2, 4, groups=0)
LOOKUP_OF_CONV = Step(StepKind.LOOKUP, 2, 2, 4, 2, 2, 4)
POOL_OF_EIGHT = Step(StepKind.MAX_POOL, 2, 2, 8, 1, 1, 8, 2, 2, 2, 2)
JOINS = {"sum": SUM, "concat": CONCAT, "recall": RECALL}
EVERY = STEPS | JOINS

VECTOR = "25e269594cf087042f6d79b07fa540e0a1db7097ea242931de64fa372e36c91a"


def rows_of(step: Step) -> bytes:
    if step.kind == StepKind.LOOKUP:
        return bytes(reversed(range(256)))
    if step.kind == StepKind.SUM:
        return bytes.fromhex("00c0000000400000")
    if not step.row_count:
        return b""
    k = step.k if step.kind != StepKind.AVERAGE_POOL else 0
    weights = np.arange(step.row_count * k, dtype=np.uint8).reshape(step.row_count, k)
    scales = np.full(step.row_count, scale_bits(0.01), np.uint32)
    return Rows(np.arange(step.row_count) - 5, scales, weights).pack()


def model_of(*steps: Step) -> Model:
    rows = b"".join(rows_of(step) for step in steps)
    return Model(steps, rows, Quantization(scale_bits(0.5), 3), Quantization(scale_bits(2.0), 9))


@pytest.fixture
def model() -> Model:
    return model_of(CONV, POOL, DENSE, LOOKUP)


@pytest.mark.parametrize("step", EVERY.values(), ids=EVERY)
def test_pack__any_step__is_abi_encoding_of_20_words(step):
    values = [int(getattr(step, field.name)) for field in fields(step)]

    assert step.pack() == abi_encode(["uint256"] * 20, values)
    assert step.hash() == keccak(step.pack())
    assert Step.unpack(step.pack()) == step


@pytest.mark.parametrize("step", EVERY.values(), ids=EVERY)
def test_pack_short__any_step__is_the_low_two_bytes_of_each_word(step):
    record = step.pack()

    assert step.pack_short() == b"".join(record[at + 30 : at + 32] for at in range(0, 640, 32))


def test_fields__step__are_those_of_the_page():
    assert tuple(field.name for field in fields(Step)) == qi8.NAMES


@pytest.mark.parametrize("kind", [0, 9, 2**255])
def test_unpack__unknown_kind__raises(kind):
    with pytest.raises(ModelError, match="kind is"):
        Step.unpack(kind.to_bytes(32, "big") + POOL.pack()[32:])


@pytest.mark.parametrize("record", [b"", bytes(639), bytes(641)])
def test_unpack__another_length__raises(record):
    with pytest.raises(ModelError, match="needed: 640"):
        Step.unpack(record)


def test_content_hash__model__is_what_solidity_computes(model):
    hashes = [keccak(step.pack()) for step in model.steps]
    encoded = abi_encode(
        ["bytes32", "bytes32[]", "bytes32"], [keccak(b"QI8-1"), hashes, keccak(model.rows)]
    )

    assert keccak(b"QI8-1") == SPEC_ID
    assert model.content_hash() == keccak(encoded)


def test_content_hash__vector__stays(model):
    assert model.content_hash().hex() == VECTOR


def test_content_hash__ends__are_not_in_it_and_all_else_is(model):
    other_ends = replace(model, input=Quantization(0, 0), output=Quantization(0, 0))
    other_rows = replace(model, rows=model.rows[:-1] + b"\x07")
    fewer = replace(model, steps=model.steps[:-1])

    assert other_ends.content_hash() == model.content_hash()
    assert len({m.content_hash() for m in (model, other_rows, fewer)}) == 3


def test_from_bytes__own_file__is_the_model(model, tmp_path):
    (tmp_path / "model.qi8").write_bytes(model.to_bytes())

    assert Model.from_bytes(model.to_bytes()) == model
    assert Model.read(tmp_path / "model.qi8") == model


def test_to_bytes__model__lies_as_the_page_says(model):
    data = model.to_bytes()
    steps, rows = qi8.read(data)

    assert data[:20] == b"QI8-1\0\0\0" + (4).to_bytes(4, "big") + len(rows).to_bytes(8, "big")
    assert data[20:32].hex() == "3f000000" + "03" + "40000000" + "09" + "0000"
    assert [step["kind"] for step in steps] == [2, 3, 1, 5]
    assert rows == model.rows
    assert sum(qi8.rows_size(step) for step in steps) == len(rows)


@pytest.mark.parametrize("size", [0, 7, 8, 31, 32, 671, 672, -1])
def test_from_bytes__cut_off__raises(model, size):
    with pytest.raises(ModelError, match="file"):
        Model.from_bytes(model.to_bytes()[:size])


@pytest.mark.parametrize(
    ("at", "reason"), [(0, "begin with"), (31, "30 and 31"), (11, "bytes; needed"), (63, "kind is")]
)
def test_from_bytes__a_byte_changed__raises(model, at, reason):
    data = bytearray(model.to_bytes())
    data[at] ^= 0x80

    with pytest.raises(ModelError, match=reason):
        Model.from_bytes(bytes(data))


def test_from_bytes__a_byte_more__raises(model):
    with pytest.raises(ModelError, match="needed"):
        Model.from_bytes(model.to_bytes() + b"\0")


@example([(126, 1)])  # A taller input, of more than 256 bytes.
@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(1, 255)), min_size=1, max_size=3))
def test_from_bytes__bytes_changed__raises_only_model_errors_or_gives_what_runs(changes):
    model = model_of(CONV, POOL, DENSE, LOOKUP)
    data = bytearray(model.to_bytes())
    for at, mask in changes:
        data[at % len(data)] ^= mask

    try:
        read = Model.from_bytes(bytes(data))
    except ModelError:
        return
    one = bytes(place % 256 for place in range(read.steps[0].in_size))
    assert Engine(read).infer([one]) == [qi8.run(bytes(data), one)[-1]]


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_check__a_step_as_it_should_be__passes(step):
    model_of(step).check()


OUT_OF_RANGE = [
    *((name, "in_h", 0) for name in STEPS),
    *((name, "in_c", 65536) for name in STEPS),
    *((name, "out_c", 0) for name in STEPS),
    *((name, "k", -1) for name in STEPS),
    *((name, "k", 32769) for name in STEPS),
    *((name, "k", 5) for name in STEPS),
    *((name, field, 256) for name in STEPS for field in ("za", "zw", "zy", "hi")),
    *((name, field, 1) for name in ("max_pool", "lookup") for field in ("za", "zw", "zy", "hi")),
    *((name, "lo", 255) for name in ("max_pool", "lookup")),
    *((name, "groups", 3) for name in STEPS),
    *((name, "groups", 0) for name in ("conv", "dense")),
    *((name, "k_h", 0) for name in ("conv", "max_pool", "average_pool", "dense")),
    *((name, "stride_w", 0) for name in ("conv", "max_pool", "average_pool", "dense")),
    *((name, "stride_w", 65536) for name in ("conv", "max_pool", "average_pool")),
    *((name, "pad_top", 3) for name in ("conv", "max_pool", "average_pool", "dense")),
    *((name, "out_h", 9) for name in STEPS),
    *((name, "k_w", 1) for name in ("lookup",)),
    ("average_pool", "zw", 1),
    ("conv", "lo", 256),
    *((name, field, value) for name in JOINS for field, value in (("in_h", 0), ("out_c", 65536))),
    *((name, field, 1) for name in JOINS for field in ("k", "k_h", "stride_w", "pad_top")),
    *((name, "out_h", 3) for name in JOINS),
    *((name, "out_c", 3) for name in JOINS),
    ("concat", "out_c", 4),
    *(("sum", field, 256) for field in ("za", "zw", "zy", "hi")),
    *((name, field, 1) for name in ("concat", "recall") for field in ("za", "zw", "zy", "hi")),
]


@pytest.mark.parametrize(("name", "field", "value"), OUT_OF_RANGE)
def test_check__a_field_out_of_range__raises(name, field, value):
    with pytest.raises(ModelError, match=f"{name} step"):
        replace(EVERY[name], **{field: value}).check()


def test_check__clamp_upside_down__raises():
    with pytest.raises(ModelError, match="lo at most hi"):
        replace(CONV, lo=8, hi=7).check()


def test_check__tensor_too_large__raises():
    step = Step(StepKind.LOOKUP, 65535, 65535, 1, 65535, 65535, 1)

    with pytest.raises(ModelError, match="over 2147483648"):
        step.check()


def test_check__shapes_that_do_not_meet__raises():
    with pytest.raises(ModelError, match="goes in where"):
        model_of(CONV, DENSE).check()
    # As many bytes, but another image.
    wide = replace(POOL, in_h=1, in_w=4, k_h=1, k_w=4)
    with pytest.raises(ModelError, match="goes in where"):
        model_of(CONV, wide).check()


def test_check__dense_of_an_image__takes_its_bytes_as_they_lie():
    model_of(POOL, replace(DENSE, za=0)).check()
    whole = replace(DENSE, in_c=16, k=16)
    model_of(CONV, whole).check()


def test_check__tensors_named_that_there_are__passes():
    model_of(AVERAGE, replace(RECALL, out_c=4)).check()
    model_of(CONV, LOOKUP_OF_CONV, SUM, replace(CONCAT, out_c=8, groups=1), POOL_OF_EIGHT).check()
    # A concat of one pixel takes images as they lie.
    flat = Step(StepKind.CONCAT, 1, 1, 16, 1, 1, 48, groups=0)
    model_of(CONV, flat).check()


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (replace(SUM, groups=3), "reads tensor 3; tensors 0 to 2 there are before it"),
        (replace(SUM, groups=65535), "reads tensor 65535"),
        (replace(SUM, groups=0), "goes in where"),
        (replace(RECALL, groups=0), "goes in where"),
        (replace(CONCAT, groups=1), "goes in where"),
        # As many bytes, but another image.
        (replace(SUM, in_h=1, in_w=4, out_h=1, out_w=4), "goes in where"),
    ],
)
def test_check__tensor_named_that_is_not_there_or_unfit__raises(step, reason):
    with pytest.raises(ModelError, match=reason):
        model_of(CONV, LOOKUP_OF_CONV, step).check()


@pytest.mark.parametrize("count", [0, 1025])
def test_check__no_steps_or_too_many__raises(count):
    with pytest.raises(ModelError, match=f"program: {count} steps"):
        model_of(*[LOOKUP] * count).check()


@pytest.mark.parametrize("size", [-1, 1])
def test_check__rows_of_another_size__raises(model, size):
    rows = model.rows[:size] if size < 0 else model.rows + bytes(size)

    with pytest.raises(ModelError, match="rows"):
        replace(model, rows=rows).check()


@pytest.mark.parametrize("bits", [0, 1, 0x7FFFFF, 0x7F800000, 0x7FC00000, 0x80000000, 0xBF800000])
@pytest.mark.parametrize("step", [CONV, AVERAGE, DENSE], ids=["conv", "average pool", "dense"])
def test_check__scale_not_normal__raises(step, bits):
    rows = bytearray(rows_of(step))
    rows[8:12] = bits.to_bytes(4, "big")

    with pytest.raises(ModelError, match="scale 0 is .*positive and normal"):
        replace(model_of(step), rows=bytes(rows)).check()


@pytest.mark.parametrize("sign", [1, -1])
def test_check__accumulator_at_the_bound__is_the_last_to_pass(sign):
    weights = np.array([[0, 1, 2, 3]] * 3, np.uint8)
    most = 2**31 - 1 - 255 * 6

    def with_bias(bias):
        folded = np.array([0, bias - DENSE.za * 6, 0])
        rows = Rows(folded, np.full(3, scale_bits(1.0), np.uint32), weights)
        return Model((DENSE,), rows.pack())

    with_bias(sign * most).check()
    with pytest.raises(ModelError, match="row 1 can exceed"):
        with_bias(sign * (most + 1)).check()


@pytest.mark.parametrize("bias", [2**63 - 1, -(2**63)])
def test_check__bias_of_64_bits__raises_and_does_not_wrap(bias):
    rows = bytearray(rows_of(DENSE))
    rows[:8] = bias.to_bytes(8, "big", signed=True)

    with pytest.raises(ModelError, match="row 0 can exceed"):
        replace(model_of(DENSE), rows=bytes(rows)).check()


@pytest.mark.parametrize("known", [Quantization(1, 0), Quantization(0x7F800000, 0)])
def test_check__scale_of_an_end_not_normal__raises(model, known):
    with pytest.raises(ModelError, match="output"):
        replace(model, output=known).check()


def test_encode__floats__are_rounded_half_to_even_and_clamped():
    model = model_of(LOOKUP)
    values = np.array([[0.25, 0.75, -1.5], [1e30, -1e30, 126.0], [0, -1.25, 125.75]], np.float32)

    # Halves of scale: byte = value / 0.5 + 3.
    assert encode(model, values).tolist() == [[3, 5, 0], [255, 0, 255], [3, 1, 255]]


def test_encode__image__lies_as_h_w_c():
    values = np.arange(32, dtype=np.float32).reshape(1, 2, 4, 4)
    stored = encode(model_of(CONV), values)

    assert stored.tolist()[0] == [
        int(2 * values[0, c, y, x] + 3) for y in range(4) for x in range(4) for c in range(2)
    ]


def test_encode__no_values__returns_no_inputs():
    assert encode(model_of(LOOKUP), np.empty((0, 3), np.float32)).shape == (0, 3)


@pytest.mark.parametrize("shape", [(1, 4, 2, 4), (1, 32), (1, 2, 4, 5)])
def test_encode__other_shapes__raises(shape):
    with pytest.raises(FieldError, match="values is"):
        encode(model_of(CONV), np.zeros(shape, np.float32))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_encode__not_finite__raises(value):
    with pytest.raises(FieldError, match="finite"):
        encode(model_of(LOOKUP), np.full((1, 3), value, np.float32))


def test_decode__bytes__are_the_numbers_they_stand_for():
    outputs = np.array([[9, 0, 255]], np.uint8)

    assert decode(model_of(LOOKUP), outputs).tolist() == [[0.0, -18.0, 492.0]]


def test_encode__scale_unknown__raises():
    model = replace(model_of(LOOKUP), input=Quantization(0, 0), output=Quantization(0, 0))

    with pytest.raises(FieldError, match="input scale is unknown"):
        encode(model, np.zeros((1, 3), np.float32))
    with pytest.raises(FieldError, match="output scale is unknown"):
        decode(model, np.zeros((1, 3), np.uint8))
