"""Submission of answers that an enclave signed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from tallystick.actions.submission.http_answers import AnswerSubmitter
from tallystick.ape.outcome import planned, sent
from tallystick.cli.bars import stages
from tallystick.cli.session import Session
from tallystick.client.kept_exchanges import KeptExchanges
from tallystick.errors import AnswerError, ContractError, FieldError, SubmitError
from tallystick.protocol.http_signature import SignedExchange
from tallystick.storage.batch_store import BatchStore


class AnswersToCommit:
    """Commits answers with their evidence, or says what that would do.

    Args:
        session: whose sender is the operator.
        network_id: 32 bytes.
        model_id: 32 bytes.
        store: folder or URL of batch data.
        receipts: folder of receipts and of the journal.
    """

    def __init__(
        self, session: Session, network_id: bytes, model_id: bytes, store: str, receipts: Path
    ) -> None:
        self._session = session
        self._submitter = AnswerSubmitter(
            session.registry,
            session.sender,
            lambda: session.ledger(network_id=network_id, operator=session.sender.address),
            lambda: session.now,
            BatchStore(store),
            receipts,
            network_id,
            model_id,
        )

    def submit(self, exchange: SignedExchange) -> dict[str, Any]:
        """Commit an answer unless it is committed; return what came of it, by name."""
        answer = self._submitter.prepare(exchange)
        for warning in answer.warnings:
            click.echo(f"warning: {warning}", err=True)
        prepared = answer.prepared
        if self._session.dry_run:
            result = planned(prepared, self._submitter.simulate(answer))
        else:
            result = sent(self._submitter.send(answer))
        return {
            "batch_id": prepared.plan.batch.id(),
            "item": exchange.answer.item(),
            "grade": "enclave",
            **result,
        }

    def submit_each(self, kept: KeptExchanges) -> Iterator[dict[str, Any]]:
        """Commit each answer of a folder, with progress; yield a row each, alike.

        A row has kept, batch_id, sent and reason: why it is not committed, or empty.
        """
        found = list(kept)
        with stages() as stage:
            progress = stage("answers")
            for number, one in enumerate(found, 1):
                row = {"kept": one.folder.name, "batch_id": None, "sent": False, "reason": ""}
                try:
                    if one.is_signed:
                        done = self.submit(one.read())
                        row |= {"batch_id": done["batch_id"], "sent": done.get("sent", False)}
                    else:
                        row["reason"] = "not signed yet"
                except (SubmitError, AnswerError, ContractError, FieldError) as error:
                    row["reason"] = str(error)
                yield row
                progress(number, len(found))
