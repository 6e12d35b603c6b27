"""Data folders made of raw logs that no node was asked for."""

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tallystick.data.decode.files import decode_logs
from tallystick.data.extract.dataset import ContractKey, Dataset
from tallystick.data.extract.manifest import LogManifest, Part
from tallystick.data.extract.schema import LOGS
from tallystick.storage.durable import replace_file

ZERO = "0x" + "00" * 32


def logs_table(raw: Sequence[dict[str, Any]]) -> pa.Table:
    """Logs as web3 gives them, with their block's `time`."""

    def topic(log: dict[str, Any], place: int) -> bytes | None:
        return log["topics"][place] if len(log["topics"]) > place else None

    columns = {
        "block_number": [log["blockNumber"] for log in raw],
        "block_time": [log["time"] for log in raw],
        "block_hash": [log["blockNumber"].to_bytes(32, "big") for log in raw],
        "transaction_hash": [bytes(log["transactionHash"]) for log in raw],
        "transaction_index": [0] * len(raw),
        "log_index": [log["logIndex"] for log in raw],
        "data": [bytes(log["data"]) for log in raw],
    } | {f"topic{place}": [topic(log, place) for log in raw] for place in range(4)}
    return pa.table({name: columns[name] for name in LOGS.names}, schema=LOGS)


def fill(folder: Path, registry: ContractKey, table: pa.Table, parts: int = 1) -> Dataset:
    """Keep logs as `extract` would, in so many files, and decode them."""
    data = Dataset(folder)
    last = max(table["block_number"].to_pylist(), default=0)
    size = last // parts + 1
    manifest = LogManifest(registry.chain_id, registry.address, 0, size)
    blocks = table["block_number"].to_numpy()
    for first in range(0, last + 1, size):
        end = min(first + size - 1, last)
        sink = io.BytesIO()
        pq.write_table(table.filter(pa.array((blocks >= first) & (blocks <= end))), sink)
        content = sink.getvalue()
        digest = hashlib.sha256(content).hexdigest()
        rows = int(((blocks >= first) & (blocks <= end)).sum())
        part = Part(first, end, ZERO, ZERO, rows, digest)
        replace_file(data.logs(registry) / part.name, content)
        manifest.put(part)
    manifest.write(data.manifest(registry))
    decode_logs(data, registry)
    return data
