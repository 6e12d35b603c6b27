"""What the chain says of a lane and of a batch. Source: Types.sol."""

from dataclasses import dataclass

from tallystick.enums import Cause, Grade, State


@dataclass(frozen=True, slots=True)
class LaneStatus:
    """An operator's standing in a network. Source: `Lane`."""

    stake: int
    """Units of the network's asset."""
    open_inferences: int
    """Neither final nor rejected; each locks stakePerInference."""
    next_index: int
    """Of the next batch."""
    admitted: bool
    closed: bool


@dataclass(frozen=True, slots=True)
class Status:
    """What the chain can say of a batch. Source: `Status`."""

    state: State
    grade: Grade
    """The one that counts: Unchallenged for a lapsed batch."""
    lapsed: bool
    cause: Cause
    """Of a rejection."""
    leaf_index: int
    """Of a rejection: the leaf that convicted it, or was demanded in vain."""
    count: int
    """Inferences."""
    committed_at: int
    """Unix seconds."""
