"""Limits of a transaction for a model's replay: its bytes for sure, its gas about.

The exact gas is asked of the arbiter itself: see tallystick.ape.models.
"""

from typing import NamedTuple

from tallystick.replay.model import Model
from tallystick.replay.step import Step, StepKind

MAX_TRANSACTION = 128 * 1024
"""Bytes of a transaction that nodes pass on; a replay brings the whole model along."""
MAX_GAS = 2**24
"""Gas of a transaction, since Osaka."""
FIXED_GAS = 150_000
"""Opening, rejection, archive."""
_CALLDATA_GAS = 16
"""A byte, none of them zero."""
_FLOOR_GAS = 40
"""A byte at the floor of EIP-7623, none of them zero."""


class _Costs(NamedTuple):
    """Gas of a step: fitted to the contract's on random steps, right to about a half."""

    step: float
    group: float
    """Gas a group of a convolution."""
    product: float
    """Or comparison, or summand."""
    output: float
    channel: float
    """Gas a channel of the output."""
    line: float
    """That is copied, or looked at, of one window's height."""


_COSTS = {
    StepKind.DENSE: _Costs(6000, 0, 3.9, 430, 0, 0),
    StepKind.CONV: _Costs(7700, 3300, 4.2, 350, 1500, 260),
    StepKind.MAX_POOL: _Costs(6000, 0, 6.4, 0, 0, 450),
    StepKind.AVERAGE_POOL: _Costs(4000, 0, 56, 1400, 440, 120),
    StepKind.LOOKUP: _Costs(6000, 0, 0, 60, 0, 0),
    StepKind.SUM: _Costs(6000, 0, 0, 225, 0, 0),
    StepKind.CONCAT: _Costs(7000, 0, 0, 4, 0, 0),
    StepKind.RECALL: _Costs(6000, 0, 0, 0, 0, 0),
}


def proof_size(model: Model) -> int:
    """Return about how many bytes a disproof's transaction has."""
    return len(model.rows) + 40 * len(model.steps) + model.steps[0].in_size + 1200


def estimated_gas(model: Model) -> int:
    """Return about how much gas a disproof's transaction uses."""
    size = proof_size(model)
    used = _CALLDATA_GAS * size + estimated_computing(model)
    return FIXED_GAS + max(_FLOOR_GAS * size, used)


def estimated_computing(model: Model) -> int:
    """Return about how much of it running the model takes."""
    return sum(map(_step_gas, model.steps))


def too_long(model: Model) -> str | None:
    """Return why a model's proof has too many bytes for a transaction; None when it has not."""
    size = proof_size(model)
    if size > MAX_TRANSACTION:
        return f"its proof is about {size:,} bytes; a transaction holds {MAX_TRANSACTION:,}"
    return None


def too_large(model: Model) -> str | None:
    """Return why a model cannot be run again in one transaction; None when, it seems, it can."""
    if reason := too_long(model):
        return reason
    gas = estimated_gas(model)
    if gas > MAX_GAS:
        return f"its proof needs about {gas:,} gas; a transaction may use {MAX_GAS:,}"
    return None


def _step_gas(step: Step) -> int:
    costs, lines = _COSTS[step.kind], step.out_h * step.out_w * step.k_h
    if step.kind is StepKind.CONV:
        # Once for all windows of a column, and each group.
        lines = step.groups * step.out_w * ((step.out_h - 1) * step.stride_h + step.k_h)
    return round(
        costs.step
        # In place of groups some steps name a tensor.
        + costs.group * (step.groups if step.source is None else 0)
        # A max pool's record has no K.
        + costs.product * step.out_size * (step.k or step.k_h * step.k_w)
        + costs.output * step.out_size
        + costs.channel * step.out_c
        + costs.line * lines
    )
