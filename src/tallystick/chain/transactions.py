"""Transactions that were signed, and notes of them that outlive a process."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes
from web3 import Web3

from tallystick.chain.call import Call, Errand
from tallystick.chain.fees import Fees
from tallystick.protocol.keccak import keccak256


def fields_of(call: Call, chain_id: int, nonce: int, gas: int, fees: Fees) -> dict[str, Any]:
    """Return a call's transaction, type 2, as signers take it, by JSON-RPC's names.

    Args:
        call: what it does.
        chain_id: where.
        nonce: the sender's.
        gas: that it may use.
        fees: that it offers.
    """
    return _offering(
        fees,
        type=2,
        chainId=chain_id,
        to=Web3.to_checksum_address(call.to),
        data=call.data,
        value=call.value,
        nonce=nonce,
        gas=gas,
    )


def decoded(raw: bytes) -> dict[str, Any]:
    """Return the values of a transaction as it was signed, by JSON-RPC's names."""
    return TypedTransaction.from_bytes(HexBytes(raw)).as_dict()


def fees_in(fields: Mapping[str, Any]) -> Fees:
    """Return the fees that a transaction offers."""
    return Fees(int(fields["maxFeePerGas"]), int(fields["maxPriorityFeePerGas"]))


def repriced(fields: Mapping[str, Any], fees: Fees) -> dict[str, Any]:
    """Return a decoded transaction with other fees, to be signed.

    The nonce stays, so that only one of the two can be mined.
    """
    return _offering(
        fees,
        **{name: fields[name] for name in ("type", "chainId", "nonce", "gas", "value")},
        to=Web3.to_checksum_address(bytes(fields["to"])),
        data=bytes(fields["data"]),
    )


def _offering(fees: Fees, **fields: Any) -> dict[str, Any]:
    return fields | {"maxFeePerGas": fees.most, "maxPriorityFeePerGas": fees.priority}


@dataclass(frozen=True, slots=True)
class Purpose:
    """An effect that somebody wants once: of the transactions for it, one is to be mined."""

    chain: bytes
    """Hash of the chain's first block, 32 bytes: two local chains may share an id."""
    sender: bytes
    """20 bytes."""
    key: bytes
    """32 bytes; equal for calls that want the same."""

    @classmethod
    def of(cls, chain: bytes, sender: bytes, call: Call) -> "Purpose":
        """Return what a sender wants by a call: what the call says, else its very data."""
        key = call.purpose or keccak256(call.to + call.value.to_bytes(32, "big") + call.data)
        return cls(chain, sender, key)


@dataclass(frozen=True)
class Signed:
    """A transaction as it was signed, type 2."""

    purpose: Purpose
    raw: bytes
    """As a node takes it."""

    @cached_property
    def tx_hash(self) -> bytes:
        """32 bytes."""
        return keccak256(self.raw)

    @cached_property
    def fields(self) -> dict[str, Any]:
        """The signed values, by JSON-RPC's names."""
        return decoded(self.raw)

    @property
    def nonce(self) -> int:
        """The sender's; of all transactions with it, one can be mined."""
        return int(self.fields["nonce"])

    @property
    def fees(self) -> Fees:
        """Fees that it offers."""
        return fees_in(self.fields)


def call_of(signed: Signed) -> Call:
    """Return the call that a transaction makes, for the same purpose."""
    fields = signed.fields
    return Call(
        bytes(fields["to"]),
        bytes(fields["data"]),
        int(fields["value"]),
        name="a transaction of an earlier run",
        purpose=signed.purpose.key,
    )


class TransactionNotes(Protocol):
    """Notes of transactions on their way, on a disk."""

    def waiting(self, purpose: Purpose) -> Sequence[Signed]:
        """Return what was noted for a purpose and not settled, the first one first."""
        ...

    def note(self, signed: Signed, errand: Errand | None = None) -> None:
        """Note a transaction, before it is sent; on the disk when this returns."""
        ...

    def adopt(self, purpose: Purpose, errand: Errand) -> None:
        """Have what is noted for a purpose be an errand's, whoever noted it."""
        ...

    def settle(self, purpose: Purpose) -> None:
        """Forget what was noted for a purpose: it is known what became of it."""
        ...

    def of_errand(self, chain: bytes, sender: bytes, key: bytes) -> Sequence[tuple[Purpose, str]]:
        """Return the purposes that a sender's order has noted, with what there is to say of each.

        Args:
            chain: hash of its first block, 32 bytes.
            sender: 20 bytes.
            key: of the order, 32 bytes.
        """
        ...
