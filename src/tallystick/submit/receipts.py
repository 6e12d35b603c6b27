"""One receipt per inference, in a file of its batch."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from tallystick.chain.registry import Registry
from tallystick.ledger import BatchRecord, Ledger
from tallystick.opening import Opening
from tallystick.progress import Progress
from tallystick.receipt import Receipt
from tallystick.record import Record
from tallystick.tree import Tree

_CHUNK = 256


def write_receipts(
    folder: Path,
    registry: Registry,
    ledger: Ledger,
    committed: BatchRecord,
    records: Sequence[Record],
    tree: Tree,
    progress: Progress | None = None,
) -> Path:
    """Write receipts/<batch id>.jsonl, whole or not at all, and return its path."""
    chain_id, batch = registry.w3.eth.chain_id, committed.batch
    window = ledger.networks[batch.network_id].rules.challenge_window
    # As at commit: a dispute since then may have moved the end.
    stamp = committed.stamp.closing_at(committed.stamp.committed_at + window)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{committed.id.hex()}.jsonl"
    unfinished = path.with_suffix(f".{os.getpid()}.part")
    with unfinished.open("w") as file:
        for index, record in enumerate(records):
            inference = record.inference(batch.model_id, batch.operator)
            receipt = Receipt.of(
                chain_id,
                registry.address,
                batch,
                stamp,
                Opening(inference, index, tree.proof(index)),
                record.signature,
                committed.committed.tx_hash,
            )
            file.write(json.dumps(receipt.to_json(), separators=(",", ":")) + "\n")
            if progress and (index % _CHUNK == _CHUNK - 1 or index == len(records) - 1):
                progress(index + 1, len(records))
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    return path
