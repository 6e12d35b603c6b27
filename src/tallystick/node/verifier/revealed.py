"""Leaves that operators revealed on chain: events carry them, whatever contract was called."""

from collections.abc import Iterable

from tallystick.batch import Batch
from tallystick.errors import TallystickError
from tallystick.events import BytesRevealed, LeafRevealed
from tallystick.keccak import keccak256
from tallystick.node.verifier.journal import Journal
from tallystick.opening import Opening
from tallystick.record import Record


class Revealed:
    """What reveals opened.

    Args:
        journal: that has the core's logs.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def of(self, batch: Batch) -> list[tuple[Opening, Record]]:
        """Return the leaves of a batch that were revealed, found to be the batch's.

        Their bytes are there where a demand asked for them. The requester's signature is not: the
        core has checked it.
        """
        data = self._journal.events(BytesRevealed, batch.id())
        found = []
        for event in self._journal.events(LeafRevealed, batch.id()):
            inference = event.leaf.inference(batch.model_id, batch.operator)
            opening = Opening(inference, event.leaf_index, event.proof)
            try:
                opening.check(batch)
            except TallystickError:
                continue
            of_leaf = [one for one in data if one.leaf_index == event.leaf_index]
            record = Record(
                inference.input_hash,
                inference.output_hash,
                inference.requester,
                inference.nonce,
                inference.deadline,
                inference.trace_root,
                input=_kept((one.input for one in of_leaf), inference.input_hash),
                output=_kept((one.output for one in of_leaf), inference.output_hash),
            )
            found.append((opening, record))
        return found


def _kept(data: Iterable[bytes], digest: bytes) -> bytes | None:
    """Return the bytes of a hash; None where no demand asked for them."""
    return next((one for one in data if keccak256(one) == digest), None)
