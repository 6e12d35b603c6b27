"""A leaf opened against its batch's root."""

from dataclasses import dataclass
from typing import Any

from tallystick.batch import Batch
from tallystick.errors import ProofError
from tallystick.inference import Inference
from tallystick.tree import check_proof


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
