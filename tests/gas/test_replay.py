"""A disproof by replay costs what the snapshot says, to the gas, and no more than its ceiling.

`python -m tests.gas.test_replay` writes the snapshot anew.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.gas.replay import SIZES, Figure, measure
from tests.support.builds import manifest
from tests.support.plain_qi8 import Record, conv, dense
from tests.support.replay import random_net

SNAPSHOT = Path(__file__).with_name("replay_snapshot.json")
PER_MAC = 6


def gas_by_model(figures: dict[str, Figure]) -> dict[str, int]:
    return {name: figure.gas for name, figure in figures.items()}


@pytest.fixture(scope="module")
def figures() -> dict[str, int]:
    return gas_by_model(measure())


def test_figures__all__are_the_snapshots(figures):
    assert figures == json.loads(SNAPSHOT.read_text())


@pytest.mark.parametrize("name", SIZES)
def test_figure__within_its_ceiling(figures, name):
    assert figures[name] <= SIZES[name].ceiling


@pytest.mark.parametrize(
    ("fewer", "more"),
    [
        pytest.param(dense(240, 40), dense(240, 80), id="dense, K = 240"),
        pytest.param(dense(784, 40), dense(784, 80), id="dense, K = 784"),
        pytest.param(conv((9, 9, 240), 16, 1), conv((18, 9, 240), 16, 1), id="conv, K = 240"),
    ],
)
def test_arithmetic__of_more_rows_or_positions__is_six_gas_a_mac(fewer, more):
    pytest.importorskip("pyrevm", reason="pyrevm has no wheel for this Python or processor")

    spent = [_computing(record) for record in (fewer, more)]

    assert (spent[1] - spent[0]) / (more.macs - fewer.macs) <= PER_MAC


def test_code__is_within_eip_170():
    runtime = manifest()["Replay"]["runtimeBytecode"]["bytecode"].removeprefix("0x")

    assert len(runtime) // 2 <= 24_576


def _computing(record: Record) -> int:
    """Return the gas of a run less what its calldata costs."""
    from tests.support.evm import Replayer

    replayer = Replayer()
    net = random_net([record], seed=1)
    replayer.run_net(net, np.random.default_rng(1).bytes(net.in_size))
    return replayer.gas_used - replayer.calldata_gas


if __name__ == "__main__":
    SNAPSHOT.write_text(json.dumps(gas_by_model(measure()), indent=2) + "\n")
