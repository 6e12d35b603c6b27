"""What is put into an operator's journal, and what is read from it."""

from dataclasses import dataclass

from tallystick.batch import Batch, Stamp
from tallystick.record import Record


@dataclass(frozen=True, slots=True)
class Accepted:
    """A request whose nonce is to be taken."""

    request: bytes
    """hashStruct of the Request, 32 bytes."""
    record: Record
    """What is known of it; its output hash is zero so far."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to a request."""

    request: bytes
    output: bytes
    output_hash: bytes
    trace_root: bytes


@dataclass(frozen=True, slots=True)
class Known:
    """What the journal has under a (requester, nonce)."""

    request: bytes
    answer: Answered | None
    """None: not answered yet, or its bytes are no longer here."""
    pruned: bool = False
    """It was answered, and its bytes are no longer here."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Answers of one model that no batch holds."""

    model_id: bytes
    count: int
    oldest: int
    """Unix seconds, when the first of them was answered."""
    first_deadline: int
    """Unix seconds."""


@dataclass(frozen=True, slots=True)
class Noted:
    """A batch that was, or is about to be, sent."""

    key: int
    """The journal's own number of it."""
    batch: Batch
    stamp: Stamp | None
    """As at commit; None: the chain is not known to have it."""
    transaction: bytes | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where an inference stands."""

    model_id: bytes
    record: Record
    answered: bool
    expired: bool
    batch: Noted | None
