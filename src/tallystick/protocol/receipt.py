"""Receipts: an inference, its place in its batch, and where the batch was committed.

A receipt is checked offline here; whether the chain holds its batch, and with which grade, is asked
with the batch id and the stamp that it names.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tallystick.errors import FieldError, ProofError, ReceiptError, SignatureError
from tallystick.protocol.address_text import AddressText
from tallystick.protocol.batch import Batch, Stamp
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.format_version import unknown_version
from tallystick.protocol.hexes import checksummed, from_hex, to_hex
from tallystick.protocol.inference import Inference
from tallystick.protocol.opening import Opening
from tallystick.protocol.validation import first_fault

VERSION = 1


@dataclass(frozen=True, slots=True)
class Receipt:
    """One inference of one committed batch.

    >>> inference = Inference(bytes(32), bytes(20), bytes(20), 0, 9, bytes(32), bytes(32))
    >>> root = inference.leaf()
    >>> batch = Batch(bytes(32), bytes(20), 0, bytes(32), root, count=1, commit_deadline=9)
    >>> opening = Opening(inference, leaf_index=0, proof=())
    >>> stamp = Stamp(0, 1, committed_at=5, committed_block=2, closes_at=70)
    >>> receipt = Receipt.of(31337, bytes(20), batch, stamp, opening, b"", transaction=bytes(32))
    >>> Receipt.from_json(receipt.to_json()).check()
    """

    chain_id: int
    registry: bytes
    """The registry's address, 20 bytes."""
    batch_id: bytes
    """The claimed value; `check` recomputes it."""
    batch: Batch
    stamp: Stamp
    """The stamp at commit; a dispute since then may have moved its closes_at."""
    leaf: bytes
    """The claimed value; `check` recomputes it."""
    opening: Opening
    signature: bytes
    """The requester's over the Request; empty when unsolicited or not told."""
    transaction: bytes
    """Hash of the transaction that committed the batch, 32 bytes."""

    @classmethod
    def of(
        cls,
        chain_id: int,
        registry: bytes,
        batch: Batch,
        stamp: Stamp,
        opening: Opening,
        signature: bytes,
        transaction: bytes,
    ) -> "Receipt":
        """Return the receipt for a leaf that was committed; its ids are computed."""
        return cls(
            chain_id,
            registry,
            batch.id(),
            batch,
            stamp,
            opening.inference.leaf(),
            opening,
            signature,
            transaction,
        )

    @property
    def block(self) -> int:
        """Number of the block that committed the batch, as the chain's contracts see it."""
        return self.stamp.committed_block

    def check(self) -> None:
        """Raise ReceiptError naming the first part that fails.

        Parts: leaf, batch, stamp, proof, signature (when there is one).
        """
        inference = self.opening.inference
        if inference.leaf() != self.leaf:
            raise ReceiptError("leaf", f"its fields hash to {to_hex(inference.leaf())}")
        if self.batch.id() != self.batch_id:
            raise ReceiptError("batch", f"its fields hash to {to_hex(self.batch.id())}")
        if self.stamp.count != self.batch.count:
            raise ReceiptError(
                "stamp", f"its count is {self.stamp.count}; needed: {self.batch.count}"
            )
        if self.stamp.committed_at > self.batch.commit_deadline:
            raise ReceiptError(
                "stamp",
                f"committed at {self.stamp.committed_at}, after {self.batch.commit_deadline}",
            )
        try:
            self.opening.check(self.batch)
        except ProofError as error:
            raise ReceiptError("proof", str(error)) from error
        if self.signature:
            try:
                inference.request().check(Domain(self.chain_id, self.registry), self.signature)
            except SignatureError as error:
                raise ReceiptError("signature", str(error)) from error

    def to_json(self) -> dict[str, Any]:
        """Return what json.dumps takes: hashes and addresses as hex text, the rest as integers."""
        batch, stamp, inference = self.batch, self.stamp, self.opening.inference
        return {
            "version": VERSION,
            "chain_id": self.chain_id,
            "registry": checksummed(self.registry),
            "network_id": to_hex(batch.network_id),
            "batch": {
                "id": to_hex(self.batch_id),
                "operator": checksummed(batch.operator),
                "index": batch.index,
                "model_id": to_hex(batch.model_id),
                "root": to_hex(batch.root),
                "count": batch.count,
                "commit_deadline": batch.commit_deadline,
            },
            "stamp": to_hex(stamp.pack()),
            "leaf_index": self.opening.leaf_index,
            "inference": {
                "leaf": to_hex(self.leaf),
                "requester": checksummed(inference.requester),
                "nonce": inference.nonce,
                "deadline": inference.deadline,
                "input_hash": to_hex(inference.input_hash),
                "output_hash": to_hex(inference.output_hash),
                "trace_root": to_hex(inference.trace_root),
            },
            "signature": to_hex(self.signature) if self.signature else None,
            "proof": [to_hex(sibling) for sibling in self.opening.proof],
            "transaction": to_hex(self.transaction),
            "block": self.block,
        }

    @classmethod
    def from_json(cls, data: Any) -> "Receipt":
        """Return the receipt that parsed JSON describes; it is not checked yet.

        Raises:
            ReceiptError: the version is unknown, or a field is missing, unknown or malformed.
        """
        if isinstance(data, dict) and (
            wrong := unknown_version("receipt", data.get("version"), VERSION)
        ):
            raise ReceiptError("version", wrong)
        try:
            file = _File.model_validate(data)
            receipt = file.receipt()
        except ValidationError as error:
            part, reason = first_fault(error, "receipt")
            raise ReceiptError(part, reason) from error
        except FieldError as error:
            raise ReceiptError(error.field, str(error)) from error
        if receipt.block != file.block:
            raise ReceiptError("block", f"is {file.block}; the stamp says {receipt.block}")
        return receipt


_Hex32 = Annotated[str, Field(pattern="^0x[0-9a-fA-F]{64}$")]
_Hex65 = Annotated[str, Field(pattern="^0x[0-9a-fA-F]{130}$")]
_Count = Annotated[int, Field(ge=0, lt=2**64)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _BatchPart(_Part):
    id: _Hex32
    operator: AddressText
    index: _Count
    model_id: _Hex32
    root: _Hex32
    count: _Count
    commit_deadline: _Count


class _InferencePart(_Part):
    leaf: _Hex32
    requester: AddressText
    nonce: _Count
    deadline: _Count
    input_hash: _Hex32
    output_hash: _Hex32
    trace_root: _Hex32


class _File(_Part):
    """A receipt as written."""

    version: Literal[1]
    chain_id: _Count
    registry: AddressText
    network_id: _Hex32
    batch: _BatchPart
    stamp: _Hex32
    leaf_index: _Count
    inference: _InferencePart
    signature: _Hex65 | None = None
    proof: Annotated[list[_Hex32], Field(max_length=20)]
    transaction: _Hex32
    block: _Count

    def receipt(self) -> Receipt:
        batch = Batch(
            from_hex(self.network_id),
            from_hex(self.batch.operator),
            self.batch.index,
            from_hex(self.batch.model_id),
            from_hex(self.batch.root),
            self.batch.count,
            self.batch.commit_deadline,
        )
        inference = Inference(
            batch.model_id,
            batch.operator,
            from_hex(self.inference.requester),
            self.inference.nonce,
            self.inference.deadline,
            from_hex(self.inference.input_hash),
            from_hex(self.inference.output_hash),
            from_hex(self.inference.trace_root),
        )
        proof = tuple(from_hex(sibling) for sibling in self.proof)
        return Receipt(
            self.chain_id,
            from_hex(self.registry),
            from_hex(self.batch.id),
            batch,
            Stamp.unpack(from_hex(self.stamp)),
            from_hex(self.inference.leaf),
            Opening(inference, self.leaf_index, proof),
            from_hex(self.signature or ""),
            from_hex(self.transaction),
        )
