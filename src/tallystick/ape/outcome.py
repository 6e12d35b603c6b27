"""Outcomes that commands which submit tell: how a batch was sent, or what sending would do."""

from typing import Any

from tallystick.actions.submission.several import SubmittedBatch
from tallystick.actions.submission.submitter import PreparedSubmission, Submitted


def planned(prepared: PreparedSubmission, gas: int | None) -> dict[str, Any]:
    """Return what a dry run says.

    Args:
        prepared: the batch.
        gas: of the transaction; None: it would not be sent.
    """
    return {
        "dry_run": True,
        "stake_needed": prepared.stake_needed,
        "stake": prepared.stake,
        "gas": gas,
        "committed": prepared.plan.committed,
    }


def sent(done: Submitted | SubmittedBatch) -> dict[str, Any]:
    """Return what became of a batch."""
    return {
        "sent": done.sent,
        "transaction": done.transaction,
        "block": done.block,
        "receipts": str(done.receipts),
    }
