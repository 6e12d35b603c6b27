"""Real logs, as public repositories hold them, are read by the adapters' decoders.

public_logs.json has their hashes and fields. Of a long value at a log's end only the length is
there; zeros stand for it.
"""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tallystick.data.extract.schema import ADDRESSED
from tallystick.networks.decoded import decode_event
from tallystick.networks.registered import adapter
from tallystick.protocol.hexes import from_hex

LOGS = json.loads((Path(__file__).parent / "public_logs.json").read_text())["logs"]


def table(log: dict[str, Any]) -> pa.Table:
    topics = [from_hex(one, 32) for one in log["topics"]]
    data = bytes.fromhex("".join(log["head"]))
    if size := log.get("tail_bytes"):
        data += size.to_bytes(32, "big") + bytes(-(-size // 32) * 32)
    row = {
        "block_number": log.get("block_number", 0),
        "block_time": int(log.get("block_timestamp", "0x0"), 16),
        "block_hash": from_hex(log["block_hash"], 32) if "block_hash" in log else bytes(32),
        "transaction_hash": from_hex(log["transaction_hash"], 32)
        if "transaction_hash" in log
        else bytes(32),
        "transaction_index": 0,
        "log_index": log.get("log_index", 0),
        **{f"topic{n}": topics[n] if n < len(topics) else None for n in range(4)},
        "data": data,
        "address": from_hex(log["address"], 20) if "address" in log else bytes(20),
    }
    return pa.Table.from_pylist([row], schema=ADDRESSED)


@pytest.mark.parametrize("log", LOGS, ids=lambda log: f"{log['network']}-{log['event']}")
def test_decode_event__real_log__has_the_values_that_its_source_tells(log: dict[str, Any]) -> None:
    found = adapter(log["network"])
    layouts = [one for kind in found.kinds for one in kind.events]
    (layout,) = [one for one in layouts if one.topic0 == from_hex(log["topics"][0], 32)]

    rows, malformed = decode_event(layout, table(log), log["chain_id"])

    assert (layout.name, malformed, len(rows)) == (log["event"], 0, 1)
    (row,) = rows.to_pylist()
    for name, value in log["decoded"].items():
        told = row[name]
        if isinstance(told, date):
            told = told.isoformat()
        if isinstance(told, list):
            told = [one.hex() for one in told]
        assert told == value, name
