"""Print what each move of a replay game costs, by the size of what is in dispute, and why.

`python -m tests.gas.replay_game`; JSON=1 for objects. Whole transactions under Osaka's rules, for
a batch of one, first of their kind on the chain. Weights and input are random bytes; what the
operator has wrong is the middle byte of what the step makes.
"""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from rich.console import Console
from rich.table import Table as Shown

from tallystick.chain.localnet import localnet
from tallystick.replay.game import GameTrace
from tallystick.replay.model import Model
from tallystick.replay.trace import CHUNK, TensorTree
from tests.support.chain import Chain
from tests.support.mobilenet import image_bytes, mobilenet
from tests.support.plain_qi8 import LOOKUP, MAX_POOL, StepRecord, conv, dense, joined, windowed
from tests.support.replay import random_net
from tests.support.replay_game import model_of
from tests.support.replay_play import found

GENESIS = 1_800_000_000
MOVES = ("open", "answer", "choose", "show", "prove")
GAME = "game"
"""All moves together."""
BASE_GAS, ZERO_GAS, BYTE_GAS = 21_000, 10, 40
"""A transaction at the floor of EIP-7623, and a byte of its calldata."""


@dataclass(frozen=True)
class Case:
    """A step in dispute, the first of a model unless told otherwise."""

    model: Callable[[int], Model]
    """By a seed."""
    ceiling: int
    """Of its proof, in gas."""
    prototype: int | None = None
    """What the proof alone cost in a prototype, in gas, where one was measured."""
    step: int = 0
    data: Callable[[int], bytes] | None = None
    """Input by a seed; random bytes where there is none."""


@dataclass(frozen=True)
class Figures:
    """What a game cost."""

    moves: dict[str, int]
    """Gas."""
    proof: dict[str, int]
    """What calldata of the proof costs at the floor, in gas, by what it is for."""


def _random(*records: StepRecord) -> Callable[[int], Model]:
    return lambda seed: model_of(random_net(list(records), seed))


CASES: dict[str, Case] = {
    "lookup": Case(_random(joined(LOOKUP, (1, 1, 256), 0)), 150_000),
    "dense, K = 256": Case(_random(dense(256, 10, zw=128)), 170_000, 127_000),
    "dense, K = 4,096": Case(_random(dense(4096, 10, zw=128)), 470_000, 379_000),
    "dense, K = 32,768": Case(_random(dense(32_768, 10, zw=128)), 2_950_000, 2_660_000),
    "3x3x512 of 7x7, 2.4 MB of weights": Case(
        _random(replace(conv((7, 7, 512), 512, 3, pad=1), zw=128)), 620_000, 510_000
    ),
    "3x3x3 to 112x112x64": Case(
        _random(
            replace(conv((112, 112, 3), 64, 3, pad=1), zw=128),
            windowed(MAX_POOL, (112, 112, 64), 64, (112, 112)),
        ),
        205_000,
    ),
    "max pool of 14x14x512": Case(
        _random(windowed(MAX_POOL, (14, 14, 512), 512, (2, 2), (2, 2))), 215_000
    ),
    "MobileNet, 30 steps: depthwise 3x3 of 8x8x128": Case(
        lambda seed: mobilenet(), 310_000, step=15, data=image_bytes
    ),
    "MobileNet, 30 steps: dense, K = 256": Case(
        lambda seed: mobilenet(), 265_000, step=29, data=image_bytes
    ),
}


def _measure(chain: Chain, case: Case, seed: int) -> Figures:
    owner, operator, challenger = chain.accounts[1:4]
    model = case.model(seed)
    step, tensor = model.steps[case.step], case.step + 1
    given = case.data or (lambda seed: np.random.default_rng(seed).bytes(model.steps[0].in_size))
    data = given(seed)
    ours = GameTrace.of(model, data)
    tensors = [tree.data for tree in ours.trees]
    # Where no padding spares an opening.
    place = (step.out_h // 2 * step.out_w + step.out_w // 2) * step.out_c + step.out_c // 2
    wrong = bytearray(tensors[tensor])
    wrong[place] ^= 1
    tensors[tensor] = bytes(wrong)
    theirs = GameTrace.of_tensors(model, tensors)
    table = found(chain, owner, operator, challenger, model, data)
    match = table.challenge(table.commit(operator, theirs), challenger)
    used = [match.open(ours), match.answer(theirs, ours)]
    chunk, nodes = ours.choose(tensor, theirs.trees[tensor].levels[0])
    used.append(match.choose(chunk, nodes))
    shown = theirs.show(tensor, chunk)
    used.append(match.show(shown))
    offset, element = ours.prove(tensor, chunk, shown)
    used.append(match.prove(ours, theirs.roots, shown, offset, element))
    moves = {name: mined.gas_used for name, mined in zip(MOVES, used, strict=True)}
    moves[GAME] = sum(moves.values())
    block = chain.w3.eth.get_block(used[-1].block_number, full_transactions=True)
    sent = bytes(block["transactions"][0]["input"])  # type: ignore[index]
    inputs = [ours.trees[number] for number in (case.step, step.source) if number is not None]
    parts = {
        "chunk shown": floor_of(shown),
        **_opened("inputs", inputs, element.tensor + element.source),
        **_opened("row", [ours.rows], element.rows),
        "steps, roots": floor_of(b"".join(ours.program()) + theirs.roots),
    }
    parts["the rest"] = BASE_GAS + floor_of(sent) - sum(parts.values())
    return Figures(moves, parts)


def _opened(name: str, trees: list[TensorTree], opened: tuple[bytes, ...]) -> dict[str, int]:
    """Return what chunks, and the nodes above them, cost at the floor."""
    chunks = {
        tree.data[at : at + CHUNK] for tree in trees for at in range(0, len(tree.data), CHUNK)
    }
    prices = {True: 0, False: 0}
    for one in opened:
        prices[one in chunks] += floor_of(one)
    return {name: prices[True], f"nodes over {name}": prices[False]}


def floor_of(data: bytes) -> int:
    """Return the gas of calldata at the floor."""
    return BYTE_GAS * len(data) - (BYTE_GAS - ZERO_GAS) * data.count(0)


def measure() -> dict[str, Figures]:
    """Return figures by case."""
    figures = {}
    with localnet(timestamp=GENESIS) as w3:
        chain = Chain(w3)
        for seed, (name, case) in enumerate(CASES.items()):
            with chain.isolated():
                figures[name] = _measure(chain, case, seed)
    return figures


def _objects(figures: dict[str, Figures]) -> Iterator[dict[str, object]]:
    for name, figure in figures.items():
        for move, gas in figure.moves.items():
            row: dict[str, object] = {"name": f"{name}: {move}", "value": gas, "unit": "gas"}
            if move == "prove":
                row["ceiling"] = CASES[name].ceiling
                if CASES[name].prototype:
                    row["prototype"] = CASES[name].prototype
            yield row
        for part, gas in figure.proof.items():
            yield {"name": f"{name}: prove, {part}", "value": gas, "unit": "gas"}


def main() -> None:
    figures = measure()
    if os.environ.get("JSON") == "1":
        for row in _objects(figures):
            print(json.dumps(row))
        return
    columns = "step in dispute", *MOVES, GAME, "ceiling of prove", "prototype's"
    table = Shown(*columns, title="Moves of a replay game, gas, whole transactions, Osaka")
    for name, figure in figures.items():
        case = CASES[name]
        known = f"{case.prototype:,}" if case.prototype else ""
        moves = (f"{figure.moves[move]:,}" for move in (*MOVES, GAME))
        table.add_row(name, *moves, f"{case.ceiling:,}", known)
    parts = list(figures[next(iter(figures))].proof)
    of_proof = Shown(
        "step in dispute", *parts, "floor", "used",
        title="What a proof's calldata costs at the floor of EIP-7623, gas",
    )  # fmt: skip
    for name, figure in figures.items():
        floor = sum(figure.proof.values())
        prices = (f"{figure.proof[part]:,}" for part in parts)
        of_proof.add_row(name, *prices, f"{floor:,}", f"{figure.moves['prove']:,}")
    console = Console(width=160)
    console.print(table)
    console.print(of_proof)


if __name__ == "__main__":
    main()
