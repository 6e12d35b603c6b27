"""A replay game in an in-process EVM, and models as the package has them."""

from dataclasses import astuple
from typing import Any

import numpy as np

from tallystick.replay.element import Element, element_of
from tallystick.replay.game import GameTrace
from tallystick.replay.model import Model
from tallystick.replay.step import Step, StepKind
from tests.support.evm import SOME, Caller
from tests.support.plain_qi8 import Net


def model_of(net: Net) -> Model:
    """Return the package's model of a plain net."""
    records = (layer.record for layer in net.layers)
    steps = tuple(Step(StepKind(record.kind), *astuple(record)[1:]) for record in records)
    return Model(steps, net.rows)


def trace_of(net: Net, seed: int = 1) -> GameTrace:
    """Return the trace of a random input."""
    return GameTrace.of(model_of(net), np.random.default_rng(seed).bytes(net.in_size))


class GameCaller(Caller):
    """Calls of a ReplayGame that need no registry."""

    def __init__(self) -> None:
        super().__init__("ReplayGame", SOME)

    def compute(self, trace: GameTrace, index: int, place: int, **changes: Any) -> int:
        """Have an element computed; changes of the arguments by name."""
        arguments = {
            "program": trace.program(),
            "roots": trace.roots,
            "step": index,
            "place": place,
        } | changes
        if "proof" not in changes:
            arguments["proof"] = element(trace, index, place).abi()
        return int(self.call("compute", *arguments.values()))


def element(trace: GameTrace, index: int, place: int) -> Element:
    """Return an element with its openings."""
    return element_of(trace.model, index, place, list(trace.trees), trace.rows)
