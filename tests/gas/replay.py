"""Print what disproving a whole inference costs, for models of four sizes.

`python -m tests.gas.replay`; JSON=1 for objects. Whole transactions of disprove under Osaka's
rules, for a batch of one, in steady state: opening, replay, rejection, archive slot. Weights are
random bytes.
"""

import json
import os
from dataclasses import dataclass, replace

import numpy as np
from rich.console import Console
from rich.table import Table

from tallystick.chain.localnet import localnet
from tests.support.chain import Chain
from tests.support.plain_qi8 import MAX_POOL, Net, StepRecord, conv, dense, windowed
from tests.support.replay import found, random_net
from tests.support.story import fund

GENESIS = 1_800_000_000


@dataclass(frozen=True)
class Size:
    """A model's steps and the ceiling of its disproof, in gas."""

    records: list[StepRecord]
    ceiling: int


def _signed(*records: StepRecord) -> list[StepRecord]:
    """Weights and activations as a file with int8 has them, ReLU as a clamp."""
    fields = {"za": 128, "zw": 128, "zy": 128, "lo": 128}
    return [replace(record, **fields) if record.kind != MAX_POOL else record for record in records]


def _pool(height: int, width: int, channels: int) -> StepRecord:
    return windowed(MAX_POOL, (height, width, channels), channels, (2, 2), (2, 2))


SIZES = {
    "digits MLP, 64-32-10": Size(_signed(dense(64, 32), dense(32, 10)), 180_000),
    "digits CNN": Size(
        _signed(
            conv((8, 8, 1), 8, 3, pad=1), _pool(8, 8, 8), conv((4, 4, 8), 16, 3, pad=1),
            dense(256, 10),
        ),
        1_050_000,
    ),
    "MLP, 784-128-10": Size(_signed(dense(784, 128), dense(128, 10)), 4_300_000),
    "LeNet-5": Size(
        _signed(
            conv((28, 28, 1), 6, 5, pad=2), _pool(28, 28, 6), conv((14, 14, 6), 16, 5),
            _pool(10, 10, 16), dense(400, 120), dense(120, 84), dense(84, 10),
        ),
        11_500_000,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Figure:
    """What one disproof cost."""

    macs: int
    gas: int
    calldata: int
    """Bytes of evidence."""


def _measure(chain: Chain, net: Net) -> Figure:
    owner, operator, prover = chain.accounts[1:4]
    replayed = found(chain, net, owner, operator)
    # Counters of losses, and the credit that pays the prover, are not new.
    first = replayed.network.commit(operator, count=2, shape=lambda leaves: leaves[::-1])
    fund(chain, bytes(20), prover, 10**6)
    openings = first.opening(0), first.opening(1)
    chain.send(prover, "faultOrder", first.pre_image(), *openings)
    data = np.random.default_rng(7).bytes(net.in_size)
    wrong = bytes(net.layers[-1].record.out_size)
    batch = replayed.commit(operator, data, wrong)
    evidence = replayed.evidence(data)
    mined = replayed.disprove(prover, batch, evidence)
    return Figure(net.macs, mined.gas_used, len(evidence))


def measure() -> dict[str, Figure]:
    """Return the figures by model."""
    figures = {}
    with localnet(timestamp=GENESIS) as w3:
        chain = Chain(w3)
        for seed, (name, size) in enumerate(SIZES.items()):
            with chain.isolated():
                figures[name] = _measure(chain, random_net(size.records, seed))
    return figures


def main() -> None:
    figures = measure()
    if os.environ.get("JSON") == "1":
        for name, figure in figures.items():
            row = {
                "name": name,
                "macs": figure.macs,
                "value": figure.gas,
                "unit": "gas",
                "per_mac": round(figure.gas / figure.macs, 2),
                "ceiling": SIZES[name].ceiling,
            }
            print(json.dumps(row))
        return
    columns = "model", "MAC", "evidence, bytes", "gas", "gas per MAC", "ceiling"
    table = Table(*columns, title="Disproof by replay, whole transactions, Osaka")
    for name, figure in figures.items():
        table.add_row(
            name,
            f"{figure.macs:,}",
            f"{figure.calldata:,}",
            f"{figure.gas:,}",
            f"{figure.gas / figure.macs:.1f}",
            f"{SIZES[name].ceiling:,}",
        )
    Console().print(table)


if __name__ == "__main__":
    main()
