"""Raw logs as they are kept: one row a log, sorted and unique by (block_number, log_index)."""

import pyarrow as pa

HASH = pa.binary(32)

LOGS = pa.schema(
    [
        pa.field("block_number", pa.int64(), nullable=False),
        pa.field("block_time", pa.int64(), nullable=False),  # Unix seconds
        pa.field("block_hash", HASH, nullable=False),
        pa.field("transaction_hash", HASH, nullable=False),
        pa.field("transaction_index", pa.int32(), nullable=False),
        pa.field("log_index", pa.int32(), nullable=False),  # in its block
        pa.field("topic0", HASH),
        pa.field("topic1", HASH),
        pa.field("topic2", HASH),
        pa.field("topic3", HASH),
        pa.field("data", pa.large_binary(), nullable=False),
    ]
)
"""Chain and contract are the file's folder: logs/chain_id=…/address=…/."""

ADDRESSED = LOGS.append(pa.field("address", pa.binary(20), nullable=False))
"""Logs of whatever contract; the folder's address is the zero address then."""

UNIQUE = ("log_index", "topic3", "data")
"""Columns whose values hardly repeat."""
