"""What Replay computes against plain loops over integers, for shapes, rows and inputs at random."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis.strategies import DrawFn

from tests.support.evm import Replayer

pytest.importorskip("pyrevm", reason="pyrevm has no wheel for this Python or processor")

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.plain_qi8 import (
    AVERAGE_POOL,
    CONVOLUTION,
    LOOKUP,
    MAX_POOL,
    Layer,
    Net,
    Row,
    StepRecord,
    conv,
    dense,
    windowed,
)
from tests.support.replay import random_net

BYTE = st.integers(0, 255)
SEED = st.integers(0, 2**32 - 1)
SMALL_SCALES = st.integers(0x00800000, 0x3F7FFFFF)
SCALES = st.one_of(
    st.integers(0x00800000, 0x7F7FFFFF),
    # Where the short way ends, and the usual ones.
    st.integers(0x37800000 - 3, 0x38000000 + 3),
    st.integers(0x3E800000 - 3, 0x3F800000 + 3),
    st.integers(0x3A000000, 0x3E000000),
)
ACCUMULATORS = st.one_of(
    st.integers(-(2**31) + 1, 2**31 - 1),
    st.integers(-(2**24) - 5, 2**24 + 5),
    st.integers(-999, 999),
)


@pytest.fixture(scope="module")
def replayer() -> Replayer:
    return Replayer()


@st.composite
def clamps(draw: DrawFn) -> dict[str, int]:
    lo, hi = sorted((draw(BYTE), draw(BYTE)))
    if draw(st.booleans()):
        lo, hi = 0, 255
    return {"za": draw(BYTE), "zw": draw(BYTE), "zy": draw(BYTE), "lo": lo, "hi": hi}


@st.composite
def windows(draw: DrawFn, kind: int) -> StepRecord:
    kernel = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    stride = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    pads = tuple(draw(st.integers(0, kernel[axis % 2] - 1)) for axis in range(4))
    image = draw(st.integers(kernel[0], 7)), draw(st.integers(kernel[1], 7))
    if kind == CONVOLUTION:
        groups = draw(st.integers(1, 3))
        inside = groups * draw(st.integers(1, 13))
        outside = groups * draw(st.integers(1, 6))
    else:
        groups, inside = 1, draw(st.integers(1, 40))
        outside = inside
    fields = {} if kind == MAX_POOL else draw(clamps())
    if kind == AVERAGE_POOL:
        fields["zw"] = 0
    return windowed(kind, (*image, inside), outside, kernel, stride, pads, groups, **fields)


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 3000), st.integers(1, 9), clamps(), SEED)
def test_dense__any_shape__is_the_references(
    replayer: Replayer, inputs: int, outputs: int, fields: dict[str, int], seed: int
) -> None:
    net = random_net([dense(inputs, outputs, **fields)], seed)
    data = np.random.default_rng(seed).bytes(inputs)

    assert replayer.run_net(net, data) == net.run(data)


@settings(max_examples=150, deadline=None)
@given(windows(CONVOLUTION), SEED)
def test_convolution__any_shape__is_the_references(
    replayer: Replayer, record: StepRecord, seed: int
) -> None:
    net = random_net([record], seed)
    data = np.random.default_rng(seed).bytes(record.in_size)

    assert replayer.run_net(net, data) == net.run(data)


@st.composite
def few_kernels(draw: DrawFn) -> StepRecord:
    """A convolution with 1 to 8 kernels a group, up to 700 products, fewer windows or more."""
    kernel = draw(st.integers(1, 7)), draw(st.integers(1, 7))
    stride = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    pads = tuple(draw(st.integers(0, kernel[axis % 2] - 1)) for axis in range(4))
    windows_ = draw(st.integers(1, 9)), draw(st.integers(1, 11))
    image = tuple(
        max(1, stride[axis] * (windows_[axis] - 1) + kernel[axis] - pads[axis] - pads[axis + 2])
        + draw(st.integers(0, stride[axis] - 1))
        for axis in range(2)
    )
    if any(image[axis] + pads[axis] + pads[axis + 2] < kernel[axis] for axis in range(2)):
        pads = (kernel[0] - 1, kernel[1] - 1, 0, 0)
    groups = draw(st.integers(1, 2))
    channels = draw(st.integers(1, max(1, 700 // (kernel[0] * kernel[1]))))
    kernels = groups * draw(st.integers(1, 8))
    image = (*image, groups * channels)
    fields = draw(clamps())
    return windowed(CONVOLUTION, image, kernels, kernel, stride, pads, groups, **fields)


@settings(max_examples=150, deadline=None)
@given(few_kernels(), SEED)
def test_convolution__of_few_kernels__is_the_references(
    replayer: Replayer, record: StepRecord, seed: int
) -> None:
    net = random_net([record], seed)
    data = np.random.default_rng(seed).bytes(record.in_size)

    assert replayer.run_net(net, data) == net.run(data)


@pytest.mark.parametrize("kernels", [1, 2, 3, 5])
@pytest.mark.parametrize("width", range(1, 10))
@pytest.mark.parametrize("height", range(1, 10))
def test_convolution__any_number_of_windows__is_the_references(
    replayer: Replayer, height: int, width: int, kernels: int
) -> None:
    record = windowed(
        CONVOLUTION, (height, width, 3), kernels, (3, 3), pads=(1,) * 4, za=7, zw=130, zy=128
    )
    net = random_net([record], seed=height * width)
    data = np.random.default_rng(kernels).bytes(record.in_size)

    assert replayer.run_net(net, data) == net.run(data)


def test_dense__many_outputs_where_another_step_wrote__is_the_references(
    replayer: Replayer,
) -> None:
    """Memory is used again, and sums begin with zeros all the same."""
    net = random_net([dense(1200, 390), dense(390, 400, zw=128)], seed=4)
    data = np.random.default_rng(4).bytes(1200)

    assert replayer.run_net(net, data) == net.run(data)


@pytest.mark.parametrize("image", [(2, 1), (1, 2), (2, 2), (3, 5)])
def test_convolution__groups_of_more_kernels_than_windows__is_the_references(
    replayer: Replayer, image: tuple[int, int]
) -> None:
    record = windowed(CONVOLUTION, (*image, 6), 90, (2, 2), (1, 1), (1, 1, 0, 0), 3, za=7, zw=128)
    net = random_net([record], seed=5)
    data = np.random.default_rng(5).bytes(record.in_size)

    assert replayer.run_net(net, data) == net.run(data)


class TestMemory:
    """It is given back, and does not grow with what is computed: its price would, squared."""

    def gas(self, replayer: Replayer, net: Net) -> int:
        replayer.run_net(net, bytes(net.in_size))
        return replayer.gas_used - replayer.calldata_gas

    def test_steps__one_after_another__cost_no_more_than_alone(self, replayer: Replayer) -> None:
        pools = [
            windowed(MAX_POOL, (16, width, 1024), 1024, (1, 2), (1, 2), (0, 1, 0, 0))
            for width in (63, 32)
        ]
        assert pools[0].out_w == pools[1].in_w
        alone = [self.gas(replayer, Net([Layer(pool)])) for pool in pools]

        assert self.gas(replayer, Net([Layer(pool) for pool in pools])) <= sum(alone)

    def test_windows_one_by_one__many__cost_no_more_than_alone(self, replayer: Replayer) -> None:
        rows = [Row(0, 0x3B000000, bytes(32_768)) for _ in range(9)]
        one, eight = (Net([Layer(conv((1, width, 32_768), 9, 1), rows)]) for width in (1, 8))

        assert self.gas(replayer, eight) <= 8 * self.gas(replayer, one)

    def test_kernels__many__cost_no_more_than_alone(self, replayer: Replayer) -> None:
        rows = [Row(0, 0x3F800000, b"\0") for _ in range(16)]
        one, many = (Net([Layer(conv((64, 64, 1), n, 1), rows[:n])]) for n in (1, 16))

        assert self.gas(replayer, many) <= 16 * self.gas(replayer, one)


@pytest.mark.parametrize("kernel", [(1, 2), (2, 1), (2, 2)])
@pytest.mark.parametrize(
    ("image", "stride"),
    [((2, 9), (65_535, 1)), ((9, 2), (1, 65_535)), ((2, 2), (1, 65_535)), ((2, 2), (65_535,) * 2)],
)
def test_convolution__stride_beyond_the_image__reaches_for_no_memory(
    replayer: Replayer, image: tuple[Any, ...], stride: tuple[Any, ...], kernel: tuple[Any, ...]
) -> None:
    record = windowed(CONVOLUTION, (*image, 30), 1, kernel, stride)
    net = random_net([record], seed=1)
    data = np.random.default_rng(1).bytes(record.in_size)

    assert replayer.run_net(net, data) == net.run(data)
    assert replayer.gas_used < 200_000


@settings(max_examples=60, deadline=None)
@given(st.one_of(windows(MAX_POOL), windows(AVERAGE_POOL)), SEED)
def test_pool__any_shape__is_the_references(
    replayer: Replayer, record: StepRecord, seed: int
) -> None:
    net = random_net([record], seed)
    data = np.random.default_rng(seed).bytes(record.in_size)

    assert replayer.run_net(net, data) == net.run(data)


@pytest.mark.parametrize("kind", [MAX_POOL, AVERAGE_POOL])
def test_pool__long_lines__is_the_references(replayer: Replayer, kind: int) -> None:
    """A line more would be written over what lies behind the output."""
    record = windowed(kind, (3, 9, 100), 100, (2, 2), (1, 1), (1, 1, 0, 0))
    net = random_net([record, record], seed=6)
    data = np.random.default_rng(6).bytes(record.in_size)

    assert replayer.run_net(net, data) == net.run(data)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 9), st.integers(1, 6), st.sampled_from([1, 2]), SEED)
def test_depthwise__any_channels__is_the_references(
    replayer: Replayer, channels: int, size: int, multiplier: int, seed: int
) -> None:
    pads = (1, 1, 1, 1)
    record = windowed(
        CONVOLUTION, (size, size, channels), channels * multiplier, (3, 3), (1, 1), pads, channels,
        za=3, zw=128, zy=128,
    )  # fmt: skip
    net = random_net([record], seed)
    data = np.random.default_rng(seed).bytes(record.in_size)

    assert replayer.run_net(net, data) == net.run(data)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(ACCUMULATORS, SCALES), min_size=1, max_size=40), clamps())
def test_requantizing__any_accumulators_and_scales__is_float32s(
    replayer: Replayer, pairs: list[tuple[int, int]], fields: dict[str, int]
) -> None:
    net = _biased(pairs, fields)

    assert replayer.run_net(net, b"\0") == net.run(b"\0")


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(ACCUMULATORS, SCALES, BYTE), min_size=1, max_size=8),
    st.integers(1, 6),
    st.integers(1, 6),
    clamps(),
    SEED,
)
def test_requantizing__at_many_windows__is_float32s(
    replayer: Replayer,
    kernels: list[tuple[int, int, int]],
    height: int,
    width: int,
    fields: dict[str, int],
    seed: int,
) -> None:
    rows = [Row(bias, scale, bytes([weight])) for bias, scale, weight in kernels]
    record = replace(conv((height, width, 1), len(rows), 1), **fields)
    net = Net([Layer(record, rows)])
    data = np.random.default_rng(seed).bytes(height * width)

    assert replayer.run_net(net, data) == net.run(data)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    "size", [0, 1, 2, 3, 998, 4097, 2**23, 2**24 - 1, 2**24, 2**24 + 1, 3 * 2**24, 2**31 - 1, 2**62]
)
def test_requantizing__scale_of_every_exponent__is_float32s(
    replayer: Replayer, size: int, sign: int
) -> None:
    scales = [exponent << 23 | part for exponent in range(1, 255) for part in (0, 5592405, 8388607)]
    net = _biased([(sign * size, scale) for scale in scales], {"zy": 100})

    assert replayer.run_net(net, b"\0") == net.run(b"\0")


def test_requantizing__scale_of_every_exponent_at_many_windows__is_float32s(
    replayer: Replayer,
) -> None:
    """More windows than kernels in a group: one row's sums are requantized at once."""
    biases = -100, 0, 2**23, 2**24 - 99, -(2**24) - 99, 2**31
    rows = [Row(bias, e << 23 | 5592405, b"\1") for e in range(1, 255) for bias in biases]
    channels = len(rows)
    record = windowed(CONVOLUTION, (2, 2, channels), channels, (1, 1), groups=channels, zy=100)
    net = Net([Layer(record, rows)])
    data = np.random.default_rng(1).bytes(4 * channels)

    assert replayer.run_net(net, data) == net.run(data)


@pytest.mark.parametrize("many", [False, True], ids=["rows", "windows"])
@pytest.mark.parametrize("exponent", range(109, 129))
def test_requantizing__next_to_an_integer__takes_the_short_way_from_2_15_to_2_2(
    replayer: Replayer, exponent: int, many: bool
) -> None:
    """A float32 stores 2^-15 as exponent 112, and 2^-2 as 125. The exact way costs more gas."""

    def gas(exponent: int) -> int:
        scale = exponent << 23 | 5592405
        bias = round(10 / float(np.array(scale, np.uint32).view(np.float32)))
        net = (_at_windows if many else _biased)([(bias, scale)] * 64, {"zy": 100})
        assert replayer.run_net(net, bytes(net.in_size)) == net.run(bytes(net.in_size))
        return replayer.gas_used - replayer.calldata_gas

    assert (gas(exponent) < gas(108) * 3 // 4) is (112 <= exponent <= 125)


@pytest.mark.parametrize("many", [False, True], ids=["rows", "windows"])
@pytest.mark.parametrize(
    ("accumulator", "scale", "output"),
    [(7880691, 0x3800000E, 240), (7913469, 0x38000003, 242), (3, 0x3F955555, 4)],
)
def test_requantizing__product_that_float32_rounds_to_a_tie__goes_to_the_even_byte(
    replayer: Replayer, accumulator: int, scale: int, output: int, many: bool
) -> None:
    """The whole product is just beyond 240.5, or just short of 241.5 or of 3.5."""
    net = (_at_windows if many else _biased)([(accumulator, scale)], {})

    assert set(replayer.run_net(net, bytes(net.in_size))) == {output}


@pytest.mark.parametrize("many", [False, True], ids=["rows", "windows"])
@pytest.mark.parametrize("exponent", range(112, 126))
def test_requantizing__products_about_ties__are_float32s(
    replayer: Replayer, exponent: int, many: bool
) -> None:
    random = np.random.default_rng(exponent)
    pairs = []
    for tie in random.integers(0, 510, 300):
        significand = int(random.integers(2**23, 2**24))
        unit = 2 ** (150 - exponent)
        below = (2 * int(tie) + 1 - 255) * unit // 2 // significand
        pairs += [(below + off, exponent << 23 | significand - 2**23) for off in (0, 1)]
    net = (_at_windows if many else _biased)(pairs, {"zy": 128})

    assert replayer.run_net(net, bytes(net.in_size)) == net.run(bytes(net.in_size))


@settings(max_examples=200, deadline=None)
@given(st.integers(-300, 300), SMALL_SCALES, st.integers(-3, 3), clamps())
def test_requantizing__next_to_ties__is_float32s(
    replayer: Replayer, whole: int, scale: int, off: int, fields: dict[str, int]
) -> None:
    number = float(np.array(scale, np.uint32).view(np.float32))
    tie = round(min(max((whole + 0.5) / number, -(2.0**31) + 9), 2.0**31 - 9))
    net = _biased([(tie + off, scale), (-tie + off, scale)], fields)

    assert replayer.run_net(net, b"\0") == net.run(b"\0")


@pytest.mark.parametrize("byte", [0, 1, 127, 128, 255])
@pytest.mark.parametrize("k", [239, 240, 241, 250, 7200, 32_768])
def test_dense__greatest_sums__do_not_carry_over(replayer: Replayer, k: int, byte: int) -> None:
    scale = int(np.float32(1 / (k * 255)).view(np.uint32))
    rows = [Row(0, scale, bytes([255]) * k) for _ in range(5)]
    net = Net([Layer(dense(k, 5, zw=128), rows)])
    data = bytes([byte]) * k

    assert replayer.run_net(net, data) == net.run(data)


@pytest.mark.parametrize("lines", [1, 4, 6])
def test_convolution__greatest_sums__do_not_carry_over(replayer: Replayer, lines: int) -> None:
    record = windowed(CONVOLUTION, (2 + lines, 4, 900), 6, (3, 3))
    scale = int(np.float32(1 / (8100 * 255)).view(np.uint32))
    net = Net([Layer(record, [Row(-o, scale, bytes([255]) * 8100) for o in range(6)])])
    data = bytes([255]) * record.in_size

    assert replayer.run_net(net, data) == net.run(data) == bytes([255]) * record.out_size


@pytest.mark.parametrize("image", [(1, 2), (1, 7), (5, 5)])
@pytest.mark.parametrize("zw", [0, 1, 128, 254, 255])
@pytest.mark.parametrize("k", [29, 30, 240, 241, 257, 258, 259, 270, 498, 499, 7200])
def test_convolution__extreme_sums__do_not_carry_or_borrow(
    replayer: Replayer, k: int, zw: int, image: tuple[int, int]
) -> None:
    scale = int(np.float32(1 / (k * 255)).view(np.uint32))
    weights = [bytes(k), bytes([255]) * k, bytes([0, 255] * k)[:k], bytes([255, 0] * k)[:k]]
    rows = [Row(bias, scale, row) for bias in (0, 9) for row in weights]
    net = Net([Layer(conv((*image, k), 7, 1), rows[:7])]).with_record(0, zw=zw, zy=100)
    data = (bytes([255]) * k + bytes([255, 0] * k)[:k]) * (image[0] * image[1])

    assert replayer.run_net(net, data[: net.in_size]) == net.run(data[: net.in_size])


def test_accumulator__beyond_2_31__is_not_wrapped(replayer: Replayer) -> None:
    scale = int(np.float32(2**-58).view(np.uint32))
    net = _biased([(2**62, scale), (-(2**62), scale)], {"zy": 100})

    assert replayer.run_net(net, b"\0") == net.run(b"\0") == bytes([116, 84])


def test_lookup__every_byte__is_its_entry(replayer: Replayer) -> None:
    table = bytes(range(255, -1, -1))
    net = Net([Layer(StepRecord(LOOKUP, 2, 16, 8, 2, 16, 8), table=table)])

    assert replayer.run_net(net, bytes(range(256))) == table


def test_steps__one_after_another__is_the_references(replayer: Replayer) -> None:
    fields = {"za": 120, "zw": 128, "zy": 120, "lo": 120}
    records = [
        conv((9, 9, 2), 7, 3, pad=1),
        windowed(MAX_POOL, (9, 9, 7), 7, (3, 3), (2, 2), (1, 1, 1, 1)),
        windowed(CONVOLUTION, (5, 5, 7), 14, (3, 3), (2, 2), (1, 1, 1, 1), 7),
        windowed(AVERAGE_POOL, (3, 3, 14), 14, (2, 2), (1, 1), (0, 0, 1, 1)),
        StepRecord(LOOKUP, 3, 3, 14, 3, 3, 14, hi=0),
        dense(126, 33),
        dense(33, 10),
    ]
    requantized = (1, 2, 4)
    for seed in range(5):
        changed = [
            StepRecord(**(vars(r) | fields | ({"zw": 0} if r.kind == AVERAGE_POOL else {})))
            if r.kind in requantized
            else r
            for r in records
        ]
        net = random_net(changed, seed)
        data = np.random.default_rng(seed).bytes(net.in_size)

        assert replayer.run_net(net, data) == net.run(data)


def _biased(pairs: list[tuple[int, int]], fields: dict[str, int]) -> Net:
    """Return a model whose accumulators are its biases, for an input of zero with a zero zw."""
    rows = [Row(accumulator, scale, b"\0") for accumulator, scale in pairs]
    return Net([Layer(dense(1, len(pairs), **(fields | {"zw": 0})), rows)])


def _at_windows(pairs: list[tuple[int, int]], fields: dict[str, int]) -> Net:
    """The same at four windows each: kernels of a group each, one row's sums at a time."""
    rows = [Row(accumulator, scale, b"\0") for accumulator, scale in pairs]
    image = 2, 2, len(rows)
    record = windowed(CONVOLUTION, image, len(rows), (1, 1), groups=len(rows), **fields)
    return Net([Layer(record, rows)])
