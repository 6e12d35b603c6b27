"""A disproof by replay costs what the snapshot says, to the gas, and no more than its ceiling.

`python -m tests.gas.test_replay` writes the snapshot anew.
"""

import json
from dataclasses import astuple, dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from tallystick.replay import transaction
from tallystick.replay.model import Model
from tallystick.replay.step import Step, StepKind
from tests.gas.replay import SIZES, Figure, measure
from tests.support.builds import manifest
from tests.support.plain_qi8 import (
    AVERAGE_POOL,
    CONCAT,
    CONVOLUTION,
    MAX_POOL,
    RECALL,
    SUM,
    StepRecord,
    dense,
    joined,
    windowed,
)
from tests.support.replay import random_net

SNAPSHOT = Path(__file__).with_name("replay_snapshot.json")
PER_MAC = 6
BASE = 21_000
"""Gas of any transaction."""


def gas_by_model(figures: dict[str, Figure]) -> dict[str, int]:
    return {name: figure.gas for name, figure in figures.items()}


@pytest.fixture(scope="module")
def figures() -> dict[str, int]:
    return gas_by_model(measure())


def test_figures__all__are_the_snapshots(figures: dict[str, int]) -> None:
    assert figures == json.loads(SNAPSHOT.read_text())


@pytest.mark.parametrize("name", SIZES)
def test_figure__within_its_ceiling(figures: dict[str, int], name: str) -> None:
    assert figures[name] <= SIZES[name].ceiling


@dataclass(frozen=True)
class Growth:
    """A step, and the same with more rows or positions."""

    fewer: StepRecord
    more: StepRecord


def _dense(k: int) -> Growth:
    return Growth(dense(k, 40), dense(k, 80))


def _conv(
    channels: int,
    kernel: int,
    stride: int = 1,
    pad: int = 0,
    kernels: int = 16,
) -> Growth:
    """Return a square window over an image and over one with twice the positions."""

    def of(rows: int) -> StepRecord:
        side = stride * 5 + kernel - 2 * pad
        height = stride * (rows - 1) + kernel - 2 * pad
        image, pads = (height, side, channels), (pad,) * 4
        return windowed(CONVOLUTION, image, kernels, (kernel,) * 2, (stride,) * 2, pads)

    return Growth(of(6), of(12))


def _sizes(least: int, kernel: int) -> range:
    """Return K from `least` to 300 that a window with `kernel` x `kernel` pixels can have."""
    return range(-(-least // kernel**2) * kernel**2, 301, kernel**2)


GROWTHS = (
    {f"dense, K = {k}": _dense(k) for k in [*range(240, 301), 784, 3072]}
    | {f"1x1, K = {k}": _conv(k, 1) for k in range(240, 301)}
    | {f"3x3, K = {k}": _conv(k // 9, 3) for k in [*_sizes(240, 3), 1152]}
    | {f"5x5, K = {k}": _conv(k // 25, 5) for k in [*_sizes(240, 5), 1600]}
    | {
        f"{kernel}x{kernel}x{channels}, stride {stride}, padding {pad}": _conv(
            channels, kernel, stride, pad
        )
        for kernel, channels in [(3, 27), (3, 31), (5, 10), (5, 11)]
        for stride in (1, 2, 3)
        for pad in (0, 1, 2)
        if (stride, pad) != (1, 0)
    }
    | {
        f"{kernel}x{kernel}x{channels}, stride {stride}, padding {pad}, {kernels} kernels": _conv(
            channels, kernel, stride, pad, kernels
        )
        for kernel, channels in [(3, 27), (3, 31), (5, 10), (5, 11), (7, 5), (11, 2), (16, 1)]
        for stride in (1, 2, 3)
        for pad in (0, 1, 2)
        for kernels in range(1, 9)
        # Nine inputs to an output, laid out again with their padding, for one kernel: 6.4.
        if kernels > 1 or stride < 3 or pad == 0
    }
    | {
        f"1x1, K = {k}, {kernels} kernels": _conv(k, 1, kernels=kernels)
        for k in [*range(240, 301), 784]
        for kernels in range(1, 9)
    }
    | {f"3x3x27, {count} kernels": _conv(27, 3, kernels=count) for count in (12, 20, 32)}
)
ZERO_POINTS = {"unsigned": {}, "signed": {"za": 128, "zw": 128, "zy": 128, "lo": 128}}


@pytest.mark.parametrize("zero_points", ZERO_POINTS)
@pytest.mark.parametrize("name", GROWTHS)
def test_arithmetic__of_more_rows_or_positions__is_six_gas_a_mac(
    name: str, zero_points: str
) -> None:
    pytest.importorskip("pyrevm", reason="pyrevm has no wheel for this Python or processor")
    growth = GROWTHS[name]
    fewer, more = (
        replace(record, **ZERO_POINTS[zero_points]) for record in (growth.fewer, growth.more)
    )

    assert (_computing(more) - _computing(fewer)) / (more.macs - fewer.macs) <= PER_MAC


SHAPES = {
    **{name: size.records for name, size in SIZES.items()},
    "depthwise": [windowed(CONVOLUTION, (16, 16, 8), 8, (3, 3), (1, 1), groups=8)],
    "one kernel": [windowed(CONVOLUTION, (20, 20, 27), 1, (3, 3), (1, 1))],
    "average pool": [windowed(AVERAGE_POOL, (12, 12, 8), 8, (2, 2), (2, 2))],
    "sum": [joined(SUM, (12, 12, 8), 0, za=3, zw=7, zy=9, hi=255)],
    "concat and recall": [joined(CONCAT, (12, 12, 8), 0, 8), joined(RECALL, (12, 12, 8), 0)],
    "max pool": [windowed(MAX_POOL, (24, 24, 8), 8, (3, 3), (2, 2))],
}


@pytest.mark.parametrize("name", SHAPES)
def test_estimate__without_a_chain__is_right_to_about_a_half(name: str) -> None:
    pytest.importorskip("pyrevm", reason="pyrevm has no wheel for this Python or processor")
    records = SHAPES[name]
    net = random_net(records, seed=1)
    steps = tuple(Step(StepKind(record.kind), *astuple(record)[1:]) for record in records)

    estimated = transaction.estimated_computing(Model(steps, net.rows))

    assert 2 / 3 <= estimated / (_computing(*records) - BASE) <= 3 / 2


def test_code__is_within_eip_170() -> None:
    runtime = manifest()["Replay"]["runtimeBytecode"]["bytecode"].removeprefix("0x")

    assert len(runtime) // 2 <= 24_576


def _computing(*records: StepRecord) -> int:
    """Return the gas of a run less what its calldata costs."""
    from tests.support.evm import Replayer

    replayer = Replayer()
    net = random_net(list(records), seed=1)
    replayer.run_net(net, np.random.default_rng(1).bytes(net.in_size))
    return replayer.gas_used - replayer.calldata_gas


if __name__ == "__main__":
    SNAPSHOT.write_text(json.dumps(gas_by_model(measure()), indent=2) + "\n")
