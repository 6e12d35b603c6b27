"""One receipt per inference of a batch, and the file that they go into."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import overload

from tallystick.chain.registry import Registry
from tallystick.protocol.ledger import BatchState, Ledger
from tallystick.protocol.merkle import Tree
from tallystick.protocol.opening import Opening
from tallystick.protocol.progress import Progress
from tallystick.protocol.receipt import Receipt
from tallystick.protocol.record import InferenceRecord

_CHUNK = 256


class BatchReceipts(Sequence[Receipt]):
    """The receipts of a committed batch in the order of its leaves, each made when asked for.

    Args:
        registry: the contract.
        ledger: that the batch is from.
        committed: the batch.
        records: its leaves, in order.
        tree: of these records.
    """

    def __init__(
        self,
        registry: Registry,
        ledger: Ledger,
        committed: BatchState,
        records: Sequence[InferenceRecord],
        tree: Tree,
    ) -> None:
        self._domain, self._committed = registry.domain, committed
        self._records, self._tree = records, tree
        window = ledger.networks[committed.batch.network_id].rules.challenge_window
        # As at commit: a dispute since then may have moved the end.
        self._stamp = committed.stamp.closing_at(committed.stamp.committed_at + window)

    def __len__(self) -> int:
        return len(self._records)

    @overload
    def __getitem__(self, index: int) -> Receipt: ...

    @overload
    def __getitem__(self, index: slice) -> list[Receipt]: ...

    def __getitem__(self, index: int | slice) -> Receipt | list[Receipt]:
        if isinstance(index, slice):
            return [self._receipt(place) for place in range(len(self))[index]]
        return self._receipt(range(len(self))[index])

    def _receipt(self, index: int) -> Receipt:
        batch, record = self._committed.batch, self._records[index]
        inference = record.inference(batch.model_id, batch.operator)
        return Receipt.of(
            self._domain.chain_id,
            self._domain.contract,
            batch,
            self._stamp,
            Opening(inference, index, self._tree.proof(index)),
            record.signature,
            self._committed.committed.tx_hash,
        )


def write_receipts(
    folder: Path, batch_id: bytes, receipts: Sequence[Receipt], progress: Progress | None = None
) -> Path:
    """Write a batch's receipts to <batch id>.jsonl, whole or not at all, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{batch_id.hex()}.jsonl"
    unfinished = path.with_suffix(f".{os.getpid()}.part")
    with unfinished.open("w") as file:
        for index, receipt in enumerate(receipts):
            file.write(json.dumps(receipt.to_json(), separators=(",", ":")) + "\n")
            if progress and (index % _CHUNK == _CHUNK - 1 or index == len(receipts) - 1):
                progress(index + 1, len(receipts))
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    return path
