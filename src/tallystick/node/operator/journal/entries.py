"""Values that go into an operator's journal, and come out of it."""

from dataclasses import dataclass

from tallystick.protocol.batch import Batch, Stamp
from tallystick.protocol.record import InferenceRecord


@dataclass(frozen=True, slots=True)
class Accepted:
    """A request whose nonce is to be taken."""

    request: bytes
    """hashStruct of the Request, 32 bytes."""
    record: InferenceRecord
    """The record so far; its output hash is zero."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to a request."""

    request: bytes
    output: bytes
    output_hash: bytes
    trace_root: bytes


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """The journal's entry under a (requester, nonce)."""

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
class PendingBatch:
    """A batch that was, or is about to be, sent."""

    key: int
    """The journal's own number of it."""
    batch: Batch
    stamp: Stamp | None
    """The stamp at commit; None: the chain is not known to have it."""
    transaction: bytes | None


@dataclass(frozen=True, slots=True)
class InferencePlace:
    """The place of an inference: its batch and leaf, as far as it has them."""

    model_id: bytes
    record: InferenceRecord
    answered: bool
    expired: bool
    batch: PendingBatch | None
