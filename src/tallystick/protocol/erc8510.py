"""Receipts in the words of ERC-8510's draft (PR 2194, 2026-11-21), whose text was not read.

Only the names of its fields are known: a JSON object signed by ERC-191, and per UTC day the root of
a Merkle tree. How it is canonicalised, hashed and listed is this module's own, and marked so.
What a receipt doesn't know, as tokens and prices, is null.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tallystick.protocol.address_text import AddressText
from tallystick.protocol.hexes import checksummed, to_hex
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.merkle import Tree
from tallystick.protocol.receipt import Receipt

DRAFT = "ERC-8510 draft of 2026-11-21 (PR 2194); fields second hand, unchecked against the text"
UNSIGNED = ("signer", "signature")
"""Fields that what is signed leaves out."""
Json = dict[str, Any]


def record(receipt: Receipt, judged: str | None = None) -> Json:
    """Return a receipt's record, unsigned.

    Args:
        receipt: checked.
        judged: what became of its batch, by the chain; None: nobody asked.
    """
    inference, batch = receipt.opening.inference, receipt.batch
    return {
        "v": 1,
        "request": to_hex(inference.input_hash),
        "response": to_hex(inference.output_hash),
        "model": to_hex(batch.model_id),
        "upstream": None,
        "tokensIn": None,
        "tokensOut": None,
        "price": None,
        "fee": None,
        "absorbed": None,
        "judged": judged,
        "asset": None,
        "network": f"eip155:{receipt.chain_id}",
        "payer": checksummed(inference.requester) if inference.solicited else None,
        "nonce": inference.nonce,
        "at": receipt.stamp.committed_at,
        "signer": None,
        "signature": None,
        "x-tallystick": {
            "draft": DRAFT,
            "registry": checksummed(receipt.registry),
            "networkId": to_hex(batch.network_id),
            "operator": checksummed(batch.operator),
            "batchId": to_hex(receipt.batch_id),
            "leafIndex": receipt.opening.leaf_index,
            "transaction": to_hex(receipt.transaction),
        },
    }


def signed_text(one: Mapping[str, Any]) -> bytes:
    """Return what a record's signer signs by ERC-191: its JSON, keys sorted, without spaces.

    >>> signed_text({"v": 1, "at": 2, "signer": None, "signature": None})
    b'{"at":2,"v":1}'
    """
    body = {name: value for name, value in one.items() if name not in UNSIGNED}
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()


def with_signature(one: Json, signer: bytes, signature: bytes) -> Json:
    """Return a record with its signer, 20 bytes, and ERC-191 signature, 65 bytes."""
    return {**one, "signer": checksummed(signer), "signature": to_hex(signature)}


def daily_list(day: date, records: Sequence[Json]) -> Json:
    """Return the list of a UTC day's records and the root over them.

    Records of other days are left out. The order is that of time, batch and leaf; a leaf is
    keccak256 of what is signed, the tree that of a batch (docs/protocol.md), the root of an empty
    day null.
    """
    chosen = [one for one in records if day_of(one) == day]
    chosen.sort(
        key=lambda one: (
            one["at"],
            one["x-tallystick"]["batchId"],
            one["x-tallystick"]["leafIndex"],
        )
    )
    leaves = [keccak256(signed_text(one)) for one in chosen]
    return {
        "v": 1,
        "day": day.isoformat(),
        "count": len(chosen),
        "root": to_hex(Tree.from_leaves(leaves).root) if leaves else None,
        "leaves": [to_hex(one) for one in leaves],
        "x-tallystick": {"draft": DRAFT},
    }


def day_of(one: Mapping[str, Any]) -> date:
    """Return the UTC day of a record."""
    return datetime.fromtimestamp(one["at"], UTC).date()


_Hex32 = Annotated[str, Field(pattern="^0x[0-9a-f]{64}$")]
_Hex65 = Annotated[str, Field(pattern="^0x[0-9a-f]{130}$")]
_Amount = Annotated[str, Field(pattern="^[0-9]+$")]
_Count = Annotated[int, Field(ge=0, lt=2**64)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Where(_Part):
    """Place where a record's inference was committed: no field of the draft."""

    draft: str
    registry: AddressText
    networkId: _Hex32  # noqa: N815 - the draft's own style
    operator: AddressText
    batchId: _Hex32  # noqa: N815
    leafIndex: _Count  # noqa: N815
    transaction: _Hex32


class Record(_Part):
    """A record's fields; its JSON schema is `Record.model_json_schema()`."""

    v: Literal[1]
    request: _Hex32
    response: _Hex32
    model: _Hex32
    upstream: str | None
    tokensIn: _Count | None  # noqa: N815
    tokensOut: _Count | None  # noqa: N815
    price: _Amount | None
    fee: _Amount | None
    absorbed: _Amount | None
    judged: str | None
    asset: AddressText | None
    network: Annotated[str, Field(pattern="^eip155:[0-9]+$")]
    payer: AddressText | None
    nonce: _Count
    at: _Count
    signer: AddressText | None
    signature: _Hex65 | None
    where: Annotated[Where, Field(alias="x-tallystick")]
