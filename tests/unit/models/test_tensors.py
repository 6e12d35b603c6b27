"""Tensors as canonical bytes: docs/models.md in golden vectors, and one encoding a value."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tallystick.errors import InputRefusedError, RunnerError
from tallystick.models.tensors import STRING, TensorSpec, decode, encode

PAIR = TensorSpec("x", np.dtype("<f4"), (1, 2))
SERIES = TensorSpec("t", np.dtype("<i2"), ("time", 2))
TEXT = TensorSpec("s", STRING, (2,))


@pytest.mark.parametrize(
    ("specs", "values", "data"),
    [
        ([PAIR], [[[1.0, -2.0]]], "0000803f000000c0"),
        ([SERIES], [[[1, -1], [256, 0]]], "020000000100ffff00010000"),
        ([TEXT], [["a", "é"]], "010000006102000000c3a9"),
        ([PAIR, TEXT], [[[0, 0]], ["", "b"]], "0000000000000000000000000100000062"),
        ([TensorSpec("b", np.dtype("?"), (3,))], [[True, False, True]], "010001"),
    ],
)
def test_encode__golden_vectors__both_ways(
    specs: list[TensorSpec], values: list[object], data: str
) -> None:
    assert encode(specs, values).hex() == data
    for spec, value, found in zip(specs, values, decode(specs, bytes.fromhex(data)), strict=True):
        assert found.dtype == spec.dtype and found.tolist() == value


@given(st.data())
def test_decode__what_was_encoded__is_the_same_and_bytes_have_one_meaning(
    data: st.DataObject,
) -> None:
    specs, values = [], []
    for number in range(data.draw(st.integers(1, 3))):
        shape = data.draw(arrays.array_shapes(max_dims=3, max_side=3))
        free = data.draw(st.sets(st.integers(0, len(shape) - 1)))
        named = tuple(f"d{at}" if at in free else size for at, size in enumerate(shape))
        kind = data.draw(st.sampled_from(["<f4", "<f8", "<i8", "|u1", "?", "O"]))
        specs.append(TensorSpec(f"t{number}", np.dtype(kind), named))
        own = st.text(max_size=5) if kind == "O" else None
        values.append(data.draw(arrays.arrays(kind, shape, elements=own)))

    encoded = encode(specs, values)
    decoded = decode(specs, encoded)

    for before, after in zip(values, decoded, strict=True):
        equal_nan = before.dtype.kind == "f"
        assert before.shape == after.shape
        assert np.array_equal(before, after, equal_nan=equal_nan)
    assert encode(specs, decoded) == encoded
    with pytest.raises(InputRefusedError):
        decode(specs, encoded[:-1])
    with pytest.raises(InputRefusedError):
        decode(specs, encoded + b"\0")


@pytest.mark.parametrize(
    ("specs", "data", "reason"),
    [
        ([PAIR], b"abc", r"x, float32 \(1, 2\): 3 bytes are left; needed: 8"),
        ([PAIR, PAIR], bytes(17), "17 bytes; needed: 16, for x, float32"),
        ([SERIES], bytes(4), r"t, int16 \(time, 2\): size time is 0"),
        ([SERIES], b"\xff\xff\xff\xff", "needed: 17179869180, of the shape"),
        ([TEXT], b"\1\0\0\0\xff\0\0\0\0", "s, string .* no UTF-8"),
        ([TEXT], b"\1\0\0\0a\2\0\0\0b", "text is cut off; needed: 2 bytes"),
        ([TensorSpec("s", STRING, ("n",))], b"\xff\xff\xff\xff", "needed: 4294967295 texts"),
    ],
)
def test_decode__not_canonical__names_the_tensor_and_what_is_needed(
    specs: list[TensorSpec], data: bytes, reason: str
) -> None:
    with pytest.raises(InputRefusedError, match=reason):
        decode(specs, data)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ([[1.0, 2.0, 3.0]], "the shape"),
        ([1.0, 2.0], "the shape"),
        ([[1.0, 1e-60]], "no float32"),
    ],
)
def test_encode__another_tensor__is_refused(value: object, reason: str) -> None:
    with pytest.raises(RunnerError, match=reason):
        encode([PAIR], [value])


def test_encode__too_few_tensors__says_so() -> None:
    with pytest.raises(RunnerError, match="there are 1 tensors; needed: 2"):
        encode([PAIR, PAIR], [[[1, 2]]])
