"""Submissions with progress on stderr and their outcome on stdout."""

from collections.abc import Sequence
from pathlib import Path

import click

from tallystick.actions.submission.journal import SubmissionJournal
from tallystick.actions.submission.plan import Submission
from tallystick.actions.submission.several import BatchesSubmitter
from tallystick.actions.submission.submitter import Submitter
from tallystick.ape.outcome import sent
from tallystick.cli.bars import stages
from tallystick.cli.session import Session
from tallystick.protocol.scope import Scope
from tallystick.storage.batch_store import BatchStore


def submit_file(
    session: Session, order: Submission, store: str, receipts: Path, operator: bytes | None = None
) -> None:
    """Submit a file, or say what that would do, and print the outcome.

    Args:
        session: whose sender is the operator, or its key.
        order: what to submit.
        store: folder or URL of batch data.
        receipts: folder of receipts and of the journal.
        operator: whose lane it is, 20 bytes; None: the sender's.
    """
    lane = order.network_id, operator or session.sender.address
    submitter = Submitter(
        session.registry,
        session.sender,
        lambda: session.ledger(network_id=lane[0], operator=lane[1]),
        lambda: session.now,
        BatchStore(store),
        SubmissionJournal.beside(receipts),
        receipts,
        operator,
    )
    with stages() as stage:
        prepared = submitter.prepare(order, stage)
        plan = prepared.plan
        if session.dry_run:
            result: dict[str, object] = {
                "dry_run": True,
                "stake_needed": prepared.stake_needed,
                "stake": prepared.stake,
                "slot": prepared.place.slot,
                "gas": submitter.simulate(prepared),
                "committed": plan.committed,
            }
        else:
            result = sent(submitter.send(prepared, stage))
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


def submit_files(
    session: Session,
    orders: Sequence[Submission],
    store: str,
    receipts: Path,
    operator: bytes | None = None,
) -> None:
    """Submit several files in one transaction, or say what that would do; a row a file.

    Args:
        session: whose sender is the operator, or its key.
        orders: what to submit, in the order of the lane.
        store: folder or URL of batch data.
        receipts: folder of receipts and of the journal.
        operator: whose lane it is, 20 bytes; None: the sender's.
    """
    networks = frozenset(order.network_id for order in orders)
    scope = Scope(networks, frozenset({operator or session.sender.address}))
    submitter = BatchesSubmitter(
        session.registry,
        session.sender,
        lambda: session.ledger(scope=scope),
        lambda: session.now,
        BatchStore(store),
        SubmissionJournal.beside(receipts),
        receipts,
        operator,
    )
    with stages() as stage:
        prepared = submitter.prepare(orders, stage)
        if session.dry_run:
            gas = submitter.simulate(prepared)
            results: list[dict[str, object]] = [
                {
                    "dry_run": True,
                    "stake_needed": prepared.stake_needed,
                    "stake": prepared.stake,
                    "slot": one.place.slot,
                    "gas_of_all": gas,
                    "committed": one.plan.committed,
                }
                for one in prepared.batches
            ]
        else:
            results = [sent(done) for done in submitter.send(prepared, stage)]
    for warning in {one: None for found in prepared.batches for one in found.plan.warnings}:
        click.echo(f"warning: {warning}", err=True)
    session.show(
        [
            {
                "file": one.order.name,
                "batch_id": one.plan.batch.id(),
                "root": one.plan.batch.root,
                "count": one.plan.batch.count,
                "commit_deadline": one.plan.batch.commit_deadline,
                "index": one.plan.batch.index,
                **result,
            }
            for one, result in zip(prepared.batches, results, strict=True)
        ]
    )
