"""Submission of an answer that an enclave signed, with its outcome on stdout."""

from pathlib import Path

import click

from tallystick.actions.submission.http_answers import AnswerSubmitter
from tallystick.cli.session import Session
from tallystick.protocol.http_signature import SignedExchange
from tallystick.storage.batch_store import BatchStore


def submit_answer(
    session: Session,
    exchange: SignedExchange,
    network_id: bytes,
    model_id: bytes,
    store: str,
    receipts: Path,
) -> None:
    """Commit an answer with its evidence, or say what that would do, and print the outcome.

    Args:
        session: whose sender is the operator.
        exchange: the answer.
        network_id: 32 bytes.
        model_id: 32 bytes.
        store: folder or URL of batch data.
        receipts: folder of receipts and of the journal.
    """
    submitter = AnswerSubmitter(
        session.registry,
        session.sender,
        lambda: session.ledger(network_id=network_id, operator=session.sender.address),
        lambda: session.now,
        BatchStore(store),
        receipts,
        network_id,
        model_id,
    )
    answer = submitter.prepare(exchange)
    for warning in answer.warnings:
        click.echo(f"warning: {warning}", err=True)
    prepared = answer.prepared
    if session.dry_run:
        result: dict[str, object] = {
            "dry_run": True,
            "stake_needed": prepared.stake_needed,
            "stake": prepared.stake,
            "gas": submitter.simulate(answer),
            "committed": prepared.plan.committed,
        }
    else:
        done = submitter.send(answer)
        result = {
            "sent": done.sent,
            "transaction": done.transaction,
            "block": done.block,
            "receipts": str(done.receipts),
        }
    session.show(
        {
            "batch_id": prepared.plan.batch.id(),
            "item": exchange.answer.item(),
            "grade": "enclave",
            **result,
        }
    )
