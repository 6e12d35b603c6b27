"""Receipts of a file, compared with the chain."""

from pathlib import Path
from typing import Any

from tallystick.chain.registry import Registry
from tallystick.cli.command import CommandError
from tallystick.cli.session import Session
from tallystick.protocol.hexes import checksummed, to_hex
from tallystick.protocol.receipt import Receipt
from tallystick.storage.receipt_files import checked


def chain_status(session: Session, file: Path) -> list[dict[str, Any]]:
    """Return state and grade of each batch that a file's receipts name."""
    batches: dict[bytes, tuple[Receipt, int]] = {}
    for receipt in checked(file):
        before = batches.get(receipt.batch_id)
        batches[receipt.batch_id] = receipt, (before[1] if before else 0) + 1
    here = session.w3.eth.chain_id
    block = session.w3.eth.block_number
    sessions: dict[bytes, Session] = {}
    rows = []
    for receipt, number in batches.values():
        if receipt.chain_id != here:
            raise CommandError(f"the receipt is of chain {receipt.chain_id}; this is {here}")
        if receipt.registry not in sessions:
            named = Session(session.w3, receipt.registry, more_rpcs=session.more_rpcs)
            sessions[receipt.registry] = named
        batch = receipt.batch
        ledger = sessions[receipt.registry].ledger(
            block, network_id=batch.network_id, operator=batch.operator
        )
        record = ledger.batches.get(receipt.batch_id)
        if record is None:
            raise CommandError(
                f"registry {checksummed(receipt.registry)} has no batch {to_hex(receipt.batch_id)}"
            )
        # The contract is the judge where it still can tell; events know overwritten batches too.
        found = Registry(session.w3, receipt.registry).state_of(record.pre_image, block)
        rows.append(
            {
                "batch_id": receipt.batch_id,
                "receipts": number,
                "state": record.state.name.lower(),
                "grade": record.grade.name.lower(),
                "outcome": record.outcome.name.lower(),
                "on_chain": found.name.lower(),
                "block": block,
            }
        )
    return rows
