"""A submission with progress on stderr and its outcome on stdout."""

from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress as Bars

from tallystick.cli.session import Session
from tallystick.progress import Progress
from tallystick.store import BatchStore
from tallystick.submit.journal import Journal
from tallystick.submit.plan import Order
from tallystick.submit.submitter import Submitter


def submit_file(
    session: Session, order: Order, store: str, receipts: Path, operator: bytes | None = None
) -> None:
    """Submit a file, or say what that would do, and print the outcome.

    Args:
        session: whose sender is the operator, or its key.
        order: what to submit.
        store: folder or URL of batch data.
        receipts: folder of receipts and of the journal.
        operator: whose lane it is, 20 bytes; None: the sender's.
    """
    submitter = Submitter(
        session.registry,
        session.sender,
        session.ledger,
        lambda: session.now,
        BatchStore(store),
        Journal(receipts / "journal.sqlite3"),
        receipts,
        operator,
    )
    with Bars(console=Console(stderr=True), transient=True) as bars:

        def stage(name: str) -> Progress:
            task = bars.add_task(name)
            return lambda done, total: bars.update(task, completed=done, total=total)

        if session.dry_run:
            preview = submitter.preview(order, stage)
            plan = preview.plan
            result: dict[str, object] = {
                "dry_run": True,
                "stake_needed": preview.stake_needed,
                "stake": preview.stake,
                "slot": preview.place.slot,
                "gas": preview.gas,
                "committed": plan.committed,
            }
        else:
            done = submitter.submit(order, stage)
            plan = done.plan
            result = {
                "sent": done.sent,
                "transaction": done.transaction,
                "block": done.block,
                "receipts": str(done.receipts),
            }
    for warning in plan.warnings:
        click.echo(f"warning: {warning}", err=True)
    batch = plan.batch
    facts = {
        "batch_id": batch.id(),
        "root": batch.root,
        "count": batch.count,
        "commit_deadline": batch.commit_deadline,
    }
    session.show({**facts, "index": batch.index, **result})
