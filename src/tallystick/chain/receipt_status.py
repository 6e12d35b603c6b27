"""A receipt against the chain: whether its batch is there, and how it stands."""

from collections.abc import Callable
from dataclasses import dataclass

from tallystick.chain.registry import Registry
from tallystick.errors import ReceiptError
from tallystick.protocol.enums import Cause, Grade, Outcome, State
from tallystick.protocol.hexes import checksummed, to_hex
from tallystick.protocol.ledger import Ledger
from tallystick.protocol.receipt import Receipt


@dataclass(frozen=True, slots=True)
class ReceiptStatus:
    """The standing of a receipt's batch."""

    state: State
    grade: Grade
    outcome: Outcome
    """The counter that the batch moves, or has moved, at finality; of no meaning if rejected."""
    cause: Cause
    """Of a rejection."""


def receipt_status(
    registry: Registry, ledger: Callable[[], Ledger], receipt: Receipt
) -> ReceiptStatus:
    """Check a receipt, offline and against the chain, and return how its batch stands.

    Args:
        registry: the one that the receipt should be of.
        ledger: reads the events up to the latest block.
        receipt: as given; nothing of it is trusted.

    Raises:
        ReceiptError: a part of it fails, it is of another chain or registry, or was not committed.
    """
    receipt.check()
    domain = registry.domain
    if receipt.chain_id != domain.chain_id:
        raise ReceiptError("chain_id", f"is {receipt.chain_id}; needed: {domain.chain_id}")
    if receipt.registry != domain.contract:
        raise ReceiptError(
            "registry",
            f"is {checksummed(receipt.registry)}; needed: {checksummed(domain.contract)}",
        )
    found = ledger().batches.get(receipt.batch_id)
    if found is None:
        raise ReceiptError("batch", f"{to_hex(receipt.batch_id)} is not on this chain")
    # A dispute may have moved its end; nothing else of a stamp ever changes.
    if found.stamp.closing_at(0) != receipt.stamp.closing_at(0):
        raise ReceiptError("stamp", "another one is on this chain")
    if found.committed.tx_hash != receipt.transaction:
        raise ReceiptError("transaction", f"it was {to_hex(found.committed.tx_hash)}")
    return ReceiptStatus(found.state, found.grade, found.outcome, found.cause)
