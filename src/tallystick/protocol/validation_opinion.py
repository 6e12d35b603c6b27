"""The opinion of a validator of ERC-8004 (draft) on a batch, or on a lane up to a batch.

The response is the share that is verified, in percent, rounded down. There is none while a batch is
neither final nor rejected, and none where nothing was either verified or rejected: nobody has
looked then, and 0 would say that it failed.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tallystick.protocol.enums import Outcome, State
from tallystick.protocol.hexes import checksummed, to_hex
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.ledger import BatchState

VERSION = 1
BATCH_TAG, LANE_TAG = "tallystick/batch", "tallystick/lane"
_LANE = b"Tallystick lane up to batch"


def lane_request(batch_id: bytes) -> bytes:
    """Return the requestHash that asks about a batch's lane up to it, 32 bytes.

    That which asks about the batch alone is its id.

    >>> lane_request(bytes(32)).hex()[:8]
    'b9dcf48f'
    """
    return keccak256(_LANE + batch_id)


@dataclass(frozen=True, slots=True)
class Opinion:
    """Counts of what was asked about, in inferences, and what is said of them."""

    chain_id: int
    registry: bytes
    """20 bytes."""
    request_hash: bytes
    """32 bytes."""
    last: BatchState
    """The batch, or the last one of the lane's part."""
    tag: str
    inferences: int
    verified: int
    rejected: int

    @property
    def response(self) -> int:
        """The share that is verified, in percent, rounded down."""
        return 100 * self.verified // self.inferences

    def report(self) -> bytes:
        """Return the JSON that responseHash is keccak256 of: the same whenever it is made."""
        batch = self.last.batch
        told: dict[str, Any] = {
            "version": VERSION,
            "standard": "ERC-8004 validation (draft)",
            "chain_id": self.chain_id,
            "registry": checksummed(self.registry),
            "network_id": to_hex(batch.network_id),
            "operator": checksummed(batch.operator),
            "request_hash": to_hex(self.request_hash),
            "tag": self.tag,
            "batch_id": to_hex(self.last.id),
            "batch_index": batch.index,
            "inferences": self.inferences,
            "verified": self.verified,
            "rejected": self.rejected,
            "response": self.response,
        }
        return json.dumps(told, sort_keys=True, separators=(",", ":")).encode()

    @property
    def response_hash(self) -> bytes:
        """keccak256 of the report, 32 bytes."""
        return keccak256(self.report())


def opinion(
    chain_id: int,
    registry: bytes,
    request_hash: bytes,
    lane: Iterable[BatchState],
    last: BatchState,
) -> Opinion | str:
    """Return what is to be said on a request, or why nothing is.

    Args:
        chain_id: EIP-155.
        registry: 20 bytes.
        request_hash: the batch's id, or `lane_request` of it.
        lane: batches of its lane, any order; unread where the request is of the batch alone.
        last: the batch.
    """
    alone = request_hash == last.id
    asked = [last] if alone else [one for one in lane if one.batch.index <= last.batch.index]
    waiting = sum(one.state not in (State.FINAL, State.REJECTED) for one in asked)
    if waiting:
        return f"{waiting} of {len(asked)} batches are neither final nor rejected"
    counts = [(one.batch.count, one) for one in asked]
    verified = sum(count for count, one in counts if _is_verified(one))
    rejected = sum(count for count, one in counts if one.state is State.REJECTED)
    if not verified and not rejected:
        return "nobody has looked: nothing of it was verified or rejected"
    total = sum(count for count, _ in counts)
    tag = BATCH_TAG if alone else LANE_TAG
    return Opinion(chain_id, registry, request_hash, last, tag, total, verified, rejected)


def _is_verified(record: BatchState) -> bool:
    verified = (Outcome.AUDITED, Outcome.ENCLAVE, Outcome.PROVEN)
    return record.state is State.FINAL and record.outcome in verified
