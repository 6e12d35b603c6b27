"""Settlements from the relay's raw logs, whole columns at a time.

Source of the events: OpenGradient's InferenceSettlementRelay. Its other logs (roles) are passed by.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from tallystick.data.decode.columns import Field, Layout
from tallystick.data.decode.decode import event_table
from tallystick.opengradient.item import SignedItem
from tallystick.protocol.abi_words import ZERO32
from tallystick.protocol.hexes import from_hex
from tallystick.protocol.keccak import keccak256


def layout(signature: str, words: int, *fields: Field) -> Layout:
    """Return an event's layout by its signature; words: of the head of its data."""
    dynamic = any(field.kind in ("string", "bytes") for field in fields)
    name = signature.partition("(")[0]
    return Layout(name, keccak256(signature.encode()), fields, words, dynamic)


BATCH = layout(
    "BatchSettlement(bytes32,uint256,bytes)",
    2,
    Field("merkle_root", 1, 0, "hash"),
    Field("batch_size", None, 0, "large"),
    Field("blob_id", None, 1, "bytes"),
)
INDIVIDUAL = layout(
    "IndividualSettlement(bytes32,address,bytes32,bytes32,uint256,bytes,bytes)",
    5,
    Field("tee_id", 1, 0, "hash"),
    Field("eth_address", 2, 0, "address"),
    Field("input_hash", None, 0, "hash"),
    Field("output_hash", None, 1, "hash"),
    Field("timestamp", None, 2, "large"),
    Field("blob_id", None, 3, "bytes"),
    Field("signature", None, 4, "bytes"),
)
SETTLEMENTS = (BATCH, INDIVIDUAL)


class Settlement(NamedTuple):
    """The relay's word on a batch, or on a single inference."""

    block_number: int
    block_time: int
    """Unix seconds."""
    transaction_index: int
    log_index: int
    transaction_hash: str
    """Hex text."""
    claimed: int
    """Inferences, by the settler's word: any number below 2^256."""
    merkle_root: bytes
    """32 bytes; of an individual settlement zero."""
    blob_id: bytes
    item: SignedItem | None
    """The item of an individual settlement; a batch's items are in its blob."""

    @property
    def mode(self) -> str:
        """batch or individual."""
        return "batch" if self.item is None else "individual"

    @property
    def content(self) -> bytes:
        """Hash of what a batch shows, 32 bytes: equal for batches with the same root and blob."""
        return keccak256(self.merkle_root + self.blob_id)


def of_event(logs: pa.Table, event: Layout) -> pa.Table:
    """Return the decoded logs of one event; other events' are passed by.

    Raises:
        DecodeError: a log is not what the event's ABI says.
    """
    return event_table(event, logs.filter(pc.equal(logs["topic0"], pa.scalar(event.topic0))))


def settlements(logs: pa.Table) -> list[Settlement]:
    """Return the settlements of raw logs, in the order of the chain.

    Args:
        logs: of the schema LOGS, of the relay.

    Raises:
        DecodeError: a log is not what its event's ABI says.
    """
    found = [_batch(row) for row in of_event(logs, BATCH).to_pylist()]
    found += [_individual(row) for row in of_event(logs, INDIVIDUAL).to_pylist()]
    return sorted(found, key=lambda one: (one.block_number, one.log_index))


def _batch(row: Mapping[str, Any]) -> Settlement:
    root = from_hex(row["merkle_root"])
    return Settlement(*_place(row), int(row["batch_size"], 16), root, row["blob_id"], None)


def _individual(row: Mapping[str, Any]) -> Settlement:
    tee_id, input_hash, output_hash = (
        from_hex(row[name]) for name in ("tee_id", "input_hash", "output_hash")
    )
    timestamp = int(row["timestamp"], 16)
    item = SignedItem(tee_id, input_hash, output_hash, timestamp, row["signature"])
    return Settlement(*_place(row), 1, ZERO32, row["blob_id"], item)


def _place(row: Mapping[str, Any]) -> tuple[int, int, int, int, str]:
    return (
        row["block_number"],
        row["block_time"],
        row["transaction_index"],
        row["log_index"],
        row["transaction_hash"],
    )
