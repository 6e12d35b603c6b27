"""A replay game's moves before it begins: the bytes they bring, and about how much gas they use."""

from typing import NamedTuple

from tallystick.replay.element import element_of
from tallystick.replay.game import GameTrace
from tallystick.replay.trace import ARITY, CHUNK

MOST_DATA = 131_072
"""Bytes of one transaction that nodes pass on."""
MOST_GAS = 1 << 24
"""Of one transaction (EIP-7825)."""
_FLOOR_GAS = 40
"""A byte at the floor of EIP-7623, none of them zero."""
_CALLDATA_GAS = 16
"""A byte, none of them zero."""
_HEAD = 1000
"""Bytes of a pre-image, a leaf and offsets."""
_PRODUCT_GAS = 22
"""A product: four rows are multiplied at a time, and one is wanted."""
_READ_GAS = 800
"""A pixel that is read by itself."""
_BYTE_GAS = 8
"""A byte that is brought, besides calldata: in an event, or hashed and copied."""
_FIXED = {"open": 127_000, "answer": 58_000, "choose": 45_700, "show": 45_000, "prove": 123_000}
"""Of a move that brings nothing but its head."""
_FLOOR = 31_000
"""A transaction at the floor, with a head whose bytes are mostly zero."""


class MoveCost(NamedTuple):
    """One move."""

    name: str
    side: str
    size: int
    """Bytes of calldata, about; the most that it may be."""
    gas: int
    """Of the whole transaction, about."""


def move_costs(trace: GameTrace) -> list[MoveCost]:
    """Return the moves of a game about a model, whatever tensor and element it will be about.

    Args:
        trace: of the inference, the challenger's own.
    """
    steps = trace.model.steps
    roots, packed = len(trace.roots), 40 * len(steps)
    chunks = max(len(tree.levels[0]) // 32 for tree in trace.trees[1:])
    chunk = min(CHUNK, max(step.out_size for step in steps))
    path = 0 if chunks == 1 else 32 * min(chunks, ARITY)
    if chunks > ARITY:
        path += 32 * -(-chunks // ARITY)
    element, computing = _largest(trace)
    return [
        _cost("open", "challenger", packed + roots),
        _cost("answer", "operator", packed + 2 * roots + 32 * chunks),
        _cost("choose", "challenger", path),
        _cost("show", "operator", chunk),
        _cost("prove", "challenger", packed + roots + chunk + element, computing),
    ]


def unprovable(moves: list[MoveCost]) -> str | None:
    """Return which of a game's moves no transaction may hold, by move_costs; None: each fits."""
    for one in moves:
        if one.size > MOST_DATA or one.gas > MOST_GAS:
            return (
                f"its move {one.name} may take {one.size:,} bytes and {one.gas:,} gas; a "
                f"transaction holds {MOST_DATA:,} and {MOST_GAS:,}"
            )
    return None


def _cost(name: str, side: str, brought: int, computing: int = 0) -> MoveCost:
    used = _FIXED[name] + (_CALLDATA_GAS + _BYTE_GAS) * brought + computing
    return MoveCost(name, side, brought + _HEAD, max(_FLOOR + _FLOOR_GAS * brought, used))


def _largest(trace: GameTrace) -> tuple[int, int]:
    """Return the most bytes that an element's openings have, and the most gas to compute one."""
    size = gas = 0
    for index, step in enumerate(trace.model.steps):
        # The middle of the image, where no padding saves an opening.
        middle = step.out_h // 2 * step.out_w * step.out_c + step.out_w // 2 * step.out_c
        place = min(middle + step.out_c // 2, step.out_size - 1)
        one = element_of(trace.model, index, place, list(trace.trees), trace.rows)
        reads = step.k_h * step.k_w
        size, gas = max(size, one.size), max(gas, _PRODUCT_GAS * step.k + _READ_GAS * reads)
    return size, gas
