"""A batch's leaves, from a store, or one of them from a receipt."""

from dataclasses import dataclass

from tallystick.inference import hash_leaves
from tallystick.ledger import BatchRecord
from tallystick.moves.board import MoveError
from tallystick.opening import Opening
from tallystick.receipt import Receipt
from tallystick.record import Record
from tallystick.store import BatchStore
from tallystick.tree import Tree


@dataclass(frozen=True, slots=True)
class BatchData:
    """All leaves of a batch."""

    record: BatchRecord
    records: list[Record]
    tree: Tree

    @classmethod
    def load(cls, store: BatchStore, record: BatchRecord) -> "BatchData":
        """Read a batch's data; StoreError when the store lacks them, or has others."""
        batch = record.batch
        records = store.get(batch.root, batch.model_id, batch.operator)
        inferences = [one.inference(batch.model_id, batch.operator) for one in records]
        return cls(record, records, Tree.from_leaves(hash_leaves(inferences)))

    def opening(self, index: int) -> Opening:
        """Return a leaf opened against the batch's root; MoveError if there is none such."""
        if not 0 <= index < len(self.records):
            raise MoveError(f"leaf index is {index}; needed: 0 to {len(self.records) - 1}")
        batch = self.record.batch
        inference = self.records[index].inference(batch.model_id, batch.operator)
        return Opening(inference, index, self.tree.proof(index))


def opening_of(receipt: Receipt, record: BatchRecord) -> Opening:
    """Return a receipt's opening; ReceiptError or MoveError when it is not the batch's."""
    receipt.check()
    if receipt.batch_id != record.id:
        raise MoveError("the receipt is of another batch")
    return receipt.opening
