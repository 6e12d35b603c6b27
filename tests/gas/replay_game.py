"""Print what each move of a replay game costs, by the size of what is in dispute.

`python -m tests.gas.replay_game`; JSON=1 for objects. Whole transactions under Osaka's rules, for
a batch of one, first of their kind on the chain. Weights and input are random bytes; what the
operator has wrong is the middle byte of what the first step makes.
"""

import json
import os
from dataclasses import replace
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table as Shown

from tallystick.chain.localnet import localnet
from tallystick.replay.game import GameTrace
from tests.support.chain import Chain
from tests.support.plain_qi8 import LOOKUP, MAX_POOL, StepRecord, conv, dense, joined, windowed
from tests.support.replay import random_net
from tests.support.replay_game import model_of
from tests.support.replay_play import found

GENESIS = 1_800_000_000
MOVES = ("open", "answer", "choose", "show", "prove")
CASES: dict[str, tuple[Any, ...]] = {
    "lookup": (joined(LOOKUP, (1, 1, 256), 0), 150_000),
    "dense, K = 256": (dense(256, 10, zw=128), 170_000),
    "dense, K = 4,096": (dense(4096, 10, zw=128), 490_000),
    "dense, K = 32,768": (dense(32_768, 10, zw=128), 3_200_000),
    "3x3x512 of 7x7, 2.4 MB of weights": (
        replace(conv((7, 7, 512), 512, 3, pad=1), zw=128),
        950_000,
    ),
    "3x3x3 to 112x112x64": (
        replace(conv((112, 112, 3), 64, 3, pad=1), zw=128),
        210_000,
        windowed(MAX_POOL, (112, 112, 64), 64, (112, 112)),
    ),
    "max pool of 14x14x512": (
        windowed(MAX_POOL, (14, 14, 512), 512, (2, 2), (2, 2)),
        310_000,
    ),
}
"""The step in dispute, the ceiling of its proof, and what follows the step."""


def _measure(chain: Chain, records: list[StepRecord], seed: int) -> dict[str, int]:
    owner, operator, challenger = chain.accounts[1:4]
    model = model_of(random_net(records, seed))
    data = np.random.default_rng(seed).bytes(records[0].in_size)
    ours = GameTrace.of(model, data)
    tensors = [tree.data for tree in ours.trees]
    # Where no padding spares an opening.
    record = records[0]
    place = (record.out_h // 2 * record.out_w + record.out_w // 2) * record.out_c
    place += record.out_c // 2
    wrong = bytearray(tensors[1])
    wrong[place] ^= 1
    theirs = GameTrace.of_tensors(model, [tensors[0], bytes(wrong), *tensors[2:]])
    table = found(chain, owner, operator, challenger, model, data)
    match = table.challenge(table.commit(operator, theirs), challenger)
    used = [match.open(ours), match.answer(theirs, ours)]
    chunk, nodes = ours.choose(1, theirs.trees[1].levels[0])
    used.append(match.choose(chunk, nodes))
    shown = theirs.show(1, chunk)
    used.append(match.show(shown))
    used.append(match.prove(ours, theirs.roots, shown, *ours.prove(1, chunk, shown)))
    return {name: mined.gas_used for name, mined in zip(MOVES, used, strict=True)}


def measure() -> dict[str, dict[str, int]]:
    """Return gas by case and move."""
    figures = {}
    with localnet(timestamp=GENESIS) as w3:
        chain = Chain(w3)
        for seed, (name, (record, _, *after)) in enumerate(CASES.items()):
            with chain.isolated():
                figures[name] = _measure(chain, [record, *after], seed)
    return figures


def main() -> None:
    figures = measure()
    if os.environ.get("JSON") == "1":
        for name, moves in figures.items():
            for move, gas in moves.items():
                print(json.dumps({"name": f"{name}: {move}", "value": gas, "unit": "gas"}))
        return
    table = Shown("step in dispute", *MOVES, "ceiling", title="Moves of a replay game, gas, Osaka")
    for name, moves in figures.items():
        table.add_row(name, *(f"{moves[move]:,}" for move in MOVES), f"{CASES[name][1]:,}")
    Console().print(table)


if __name__ == "__main__":
    main()
