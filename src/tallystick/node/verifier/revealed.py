"""Leaves that operators revealed on chain: events carry them, whatever contract was called."""

from collections.abc import Iterable

from tallystick.chain.follower import Follower
from tallystick.errors import TallystickError
from tallystick.protocol.batch import Batch
from tallystick.protocol.events import BytesRevealed, LeafRevealed
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.opening import OpenedLeaf, Opening
from tallystick.protocol.record import InferenceRecord


class Revealed:
    """Leaves that reveals opened.

    Args:
        follower: that keeps what events carry.
    """

    def __init__(self, follower: Follower) -> None:
        self._follower = follower

    def of(self, batch: Batch) -> list[OpenedLeaf]:
        """Return the leaves of a batch that were revealed, found to be the batch's.

        Their bytes are there where a demand asked for them. The requester's signature is not: the
        registry has checked it.
        """
        data = self._follower.events(BytesRevealed, batch.id())
        found = []
        for event in self._follower.events(LeafRevealed, batch.id()):
            inference = event.leaf.inference(batch.model_id, batch.operator)
            opening = Opening(inference, event.leaf_index, event.proof)
            try:
                opening.check(batch)
            except TallystickError:
                continue
            of_leaf = [one for one in data if one.leaf_index == event.leaf_index]
            record = InferenceRecord(
                inference.input_hash,
                inference.output_hash,
                inference.requester,
                inference.nonce,
                inference.deadline,
                inference.trace_root,
                input=_kept((one.input for one in of_leaf), inference.input_hash),
                output=_kept((one.output for one in of_leaf), inference.output_hash),
            )
            found.append(OpenedLeaf(opening, record))
        return found


def _kept(data: Iterable[bytes], digest: bytes) -> bytes | None:
    """Return the bytes of a hash; None where no demand asked for them."""
    return next((one for one in data if keccak256(one) == digest), None)
