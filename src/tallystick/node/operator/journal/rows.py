"""Records as rows of the journal's file."""

from collections.abc import Sequence
from typing import Any

from tallystick.protocol.abi_words import ZERO32
from tallystick.protocol.record import InferenceRecord

RECORD = (
    "input_hash, output_hash, requester, nonce, deadline, trace_root, signature, input.data,"
    " output.data"
)
"""Columns of a record, of INFERENCE."""
INFERENCE = (
    "inference left join input on input.id = inference.id"
    " left join output on output.id = inference.id"
)
"""Inferences with their bytes, as far as those are kept."""


def nonce_of(record: InferenceRecord) -> bytes:
    """Return a record's nonce as it is kept, 8 bytes; none is 0."""
    # SQLite's integers have 63 bits; bytes order alike.
    return (record.nonce or 0).to_bytes(8, "big")


def record_of(row: Sequence[Any]) -> InferenceRecord:
    """Return the record of a row of RECORD."""
    input_hash, output_hash, requester, nonce, deadline, trace, signature, input_, output = row
    return InferenceRecord(
        input_hash,
        output_hash or ZERO32,
        requester,
        int.from_bytes(nonce, "big"),
        deadline,
        trace or ZERO32,
        signature,
        input_,
        output,
    )
