"""A batch's leaves, from a store, or one of them from a receipt."""

from dataclasses import dataclass

from tallystick.actions.chain_view import ActionError
from tallystick.protocol.inference import hash_leaves
from tallystick.protocol.ledger import BatchState
from tallystick.protocol.merkle import Tree
from tallystick.protocol.opening import OpenedLeaf, Opening
from tallystick.protocol.receipt import Receipt
from tallystick.protocol.record import InferenceRecord
from tallystick.storage.batch_store import BatchStore


@dataclass(frozen=True, slots=True)
class BatchData:
    """All leaves of a batch."""

    record: BatchState
    records: list[InferenceRecord]
    tree: Tree

    @classmethod
    def load(cls, store: BatchStore, record: BatchState) -> "BatchData":
        """Read a batch's data; StoreError when the store lacks them, or has others."""
        batch = record.batch
        records = store.get(batch.root, batch.model_id, batch.operator)
        inferences = [one.inference(batch.model_id, batch.operator) for one in records]
        return cls(record, records, Tree.from_leaves(hash_leaves(inferences)))

    def opening(self, index: int) -> Opening:
        """Return a leaf opened against the batch's root; ActionError if there is none such."""
        if not 0 <= index < len(self.records):
            raise ActionError(f"leaf index is {index}; needed: 0 to {len(self.records) - 1}")
        batch = self.record.batch
        inference = self.records[index].inference(batch.model_id, batch.operator)
        return Opening(inference, index, self.tree.proof(index))

    def leaf(self, index: int) -> OpenedLeaf:
        """Return a leaf, opened, with what the data have of it; ActionError if there is none."""
        return OpenedLeaf(self.opening(index), self.records[index])


def opening_of(receipt: Receipt, record: BatchState) -> Opening:
    """Return a receipt's opening; ReceiptError or ActionError when it is not the batch's."""
    receipt.check()
    if receipt.batch_id != record.id:
        raise ActionError("the receipt is of another batch")
    return receipt.opening
