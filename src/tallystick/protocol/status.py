"""Status of lanes and batches on chain. Source: Types.sol."""

from dataclasses import dataclass

from tallystick.protocol.enums import Cause, Grade, State


@dataclass(frozen=True, slots=True)
class LaneStatus:
    """An operator's standing in a network. Source: `Lane`."""

    stake: int
    """Units of the network's asset."""
    open_inferences: int
    """Neither final nor rejected; each locks stakePerInference."""
    next_index: int
    """Index of the next batch."""
    admitted: bool
    closed: bool


@dataclass(frozen=True, slots=True)
class Status:
    """The chain's word on a batch. Source: `Status`."""

    state: State
    grade: Grade
    """The one that counts: Unchallenged for a lapsed batch."""
    lapsed: bool
    cause: Cause
    """Cause of a rejection."""
    leaf_index: int
    """The leaf that convicted a rejected batch, or was demanded in vain."""
    count: int
    """Inferences."""
    committed_at: int
    """Unix seconds."""
