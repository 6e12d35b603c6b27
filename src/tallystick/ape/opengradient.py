"""Bringing another network's audited inferences in, with progress on stderr."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress as Bars

from tallystick.chain.revert import ContractError
from tallystick.cli.command import one_line
from tallystick.cli.output import Row
from tallystick.cli.session import Session
from tallystick.data.extract.dataset import Dataset
from tallystick.opengradient.audit import audit
from tallystick.opengradient.blobs import BlobSource
from tallystick.opengradient.folder import Folder
from tallystick.opengradient.import_batches import ImportBatch
from tallystick.opengradient.importer import Importer, ImportTarget, verified_items
from tallystick.protocol.progress import Progress
from tallystick.storage.batch_store import BatchStore


@dataclass(frozen=True, slots=True)
class Wanted:
    """Selection of items to bring in, and where they are read from."""

    data: Path
    blobs: str
    relay: bytes | None
    singly: bool
    limit: int | None
    """Batches; None: all."""


def import_opengradient(
    session: Session, wanted: Wanted, to: ImportTarget, store: str, receipts: Path
) -> None:
    """Audit what was extracted, bring in what holds and is new here, and print each batch."""
    folder = Folder.open(Dataset(wanted.data), wanted.relay)
    operator = session.sender.address
    importer = Importer(
        session.registry,
        session.sender,
        lambda: session.ledger(network_id=to.network_id, operator=operator),
        lambda: session.now,
        BatchStore(store),
        receipts,
        to,
        folder.keys.read(),
    )
    with Bars(console=Console(stderr=True), transient=True) as bars:

        def stage(name: str) -> Progress:
            task = bars.add_task(name)
            return lambda done, total: bars.update(task, completed=done, total=total)

        results = audit(folder, BlobSource(wanted.blobs), stage=stage)
        batches, reasons = importer.plan(verified_items(folder, results), wanted.singly)
        waiting = importer.imports.waiting()
        todo = [*waiting, *batches][: wanted.limit]
        tell, act = stage("batches"), _preview if session.dry_run else _bring
        rows: list[Row] = []
        try:
            for place, batch in enumerate(todo, 1):
                rows.append(_row(batch, act, importer, noted=place <= len(waiting)))
                tell(place, len(todo))
        finally:
            # Whatever stops the run: what went before it is told.
            bars.stop()
            session.show(rows)
    for reason, count in sorted(reasons.items()):
        click.echo(f"warning: {count} items cannot be brought in: {reason}", err=True)


Act = Callable[[Importer, ImportBatch, bool], dict[str, Any]]


def _row(batch: ImportBatch, act: Act, importer: Importer, noted: bool) -> dict[str, Any]:
    """Return what became of an import batch; one that is refused does not stop the others."""
    row: dict[str, Any] = {"import_batch": batch.name, "count": len(batch.items)}
    try:
        return row | act(importer, batch, noted) | {"refused": None}
    except ContractError as error:
        return row | dict.fromkeys(RESULT) | {"refused": one_line(error)}


RESULT = ("batch_id", "grade", "sent", "gas", "transaction")


def _preview(importer: Importer, batch: ImportBatch, _: bool) -> dict[str, Any]:
    prepared, gas = importer.preview(batch)
    grade = "enclave" if len(batch.items) == 1 else "unchallenged"
    batch_id = prepared.plan.batch.id()
    return dict(zip(RESULT, (batch_id, grade, False, gas, None), strict=True))


def _bring(importer: Importer, batch: ImportBatch, noted: bool) -> dict[str, Any]:
    # Just before it goes: what is noted and cannot go would be tried again each time.
    if not noted:
        importer.imports.note(batch)
    done = importer.bring(batch)
    for warning in done.warnings:
        click.echo(f"warning: {warning}", err=True)
    submitted = done.submitted
    grade, batch_id = done.grade.name.lower(), submitted.plan.batch.id()
    values = batch_id, grade, submitted.sent, None, submitted.transaction
    return dict(zip(RESULT, values, strict=True))
