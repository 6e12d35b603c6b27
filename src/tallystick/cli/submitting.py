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


def submit_file(session: Session, order: Order, store: str, receipts: Path) -> None:
    """Submit a file, or say what that would do, and print the outcome."""
    submitter = Submitter(
        session.registry,
        session.sender,
        session.ledger,
        lambda: session.now,
        BatchStore(store),
        Journal(receipts / "journal.sqlite3"),
        receipts,
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
