"""A leaf opened against its batch's root."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from tallystick.errors import ProofError
from tallystick.protocol.batch import Batch
from tallystick.protocol.inference import Inference
from tallystick.protocol.merkle import check_proof
from tallystick.protocol.record import InferenceRecord


@dataclass(frozen=True, slots=True)
class Opening:
    """An inference, its place in its batch, and the proof for it."""

    inference: Inference
    leaf_index: int
    proof: tuple[bytes, ...]
    """Siblings from the leaf up, exactly ceil(log2(count))."""

    def abi(self) -> tuple[Any, ...]:
        """Return `Opening` of the contract."""
        return self.inference.abi_leaf(), self.leaf_index, list(self.proof)

    def check(self, batch: Batch) -> None:
        """Raise ProofError unless the contract would take this as a leaf of the batch."""
        if self.inference.model_id != batch.model_id or self.inference.operator != batch.operator:
            raise ProofError("the inference names another model or operator than the batch")
        leaf = self.inference.leaf()
        check_proof(batch.root, batch.count, leaf, self.leaf_index, self.proof)


class OpenedLeaf(NamedTuple):
    """A leaf that can be shown, and what is known of its bytes."""

    opening: Opening
    record: InferenceRecord
