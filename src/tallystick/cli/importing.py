"""Bringing another network's audited inferences in, with progress on stderr."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress as Bars

from tallystick.chain.revert import ContractError
from tallystick.cli.command import CommandError, one_line
from tallystick.cli.session import Session
from tallystick.extract.dataset import Dataset
from tallystick.hexes import to_hex
from tallystick.opengradient.audit import audit
from tallystick.opengradient.blobs import BlobSource
from tallystick.opengradient.bring_in import Destination, Importer, key_of, verified_items
from tallystick.opengradient.folder import Folder
from tallystick.opengradient.parcels import Parcel, read_parcel
from tallystick.opengradient_item import Item
from tallystick.output import Row, show
from tallystick.progress import Progress
from tallystick.store import BatchStore


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be brought in, and where from."""

    data: Path
    blobs: str
    relay: bytes | None
    singly: bool
    limit: int | None
    """Batches; None: all."""


def import_opengradient(
    session: Session, wanted: Wanted, to: Destination, store: str, receipts: Path
) -> None:
    """Audit what was extracted, bring in what holds and is new here, and print each batch."""
    folder = Folder.open(Dataset(wanted.data), wanted.relay)
    importer = Importer(
        session.registry,
        session.sender,
        session.ledger,
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
        parcels, reasons = importer.plan(verified_items(folder, results), wanted.singly)
        waiting = importer.parcels.waiting()
        todo = [*waiting, *parcels][: wanted.limit]
        tell, act = stage("batches"), _preview if session.dry_run else _bring
        rows: list[Row] = []
        try:
            for place, parcel in enumerate(todo, 1):
                rows.append(_row(parcel, act, importer, noted=place <= len(waiting)))
                tell(place, len(todo))
        finally:
            # Whatever stops the run: what went before it is told.
            bars.stop()
            session.show(rows)
    for reason, count in sorted(reasons.items()):
        click.echo(f"warning: {count} items cannot be brought in: {reason}", err=True)


def show_evidence(folder: Folder, parcel: Path, leaf: int, as_json: bool) -> None:
    """Print the evidence by which a leaf that was brought in is upheld.

    Args:
        folder: of the enclaves' keys.
        parcel: its file of items.
        leaf: index in the batch.
        as_json: print JSON.
    """
    items = read_parcel(parcel).items
    if leaf >= len(items):
        raise CommandError(f"leaf is {leaf}; {parcel} has {len(items)} items")
    signed = items[leaf]
    key = key_of(folder.keys.read().get(signed.tee_id, b""))
    if key is None:
        raise CommandError(f"the key of TEE {to_hex(signed.tee_id)} is not here")
    item = Item(signed.input_hash, signed.output_hash, signed.timestamp)
    evidence = item.ruling_evidence(key, signed.signature)
    show({"leaf": leaf, "item": item.hash(), "evidence": evidence}, as_json)


Act = Callable[[Importer, Parcel, bool], dict[str, Any]]


def _row(parcel: Parcel, act: Act, importer: Importer, noted: bool) -> dict[str, Any]:
    """Return what became of a parcel; what the chain refuses of one does not stop the others."""
    row: dict[str, Any] = {"parcel": parcel.name, "count": len(parcel.items)}
    try:
        return row | act(importer, parcel, noted) | {"refused": None}
    except ContractError as error:
        return row | dict.fromkeys(RESULT) | {"refused": one_line(error)}


RESULT = ("batch_id", "grade", "sent", "gas", "transaction")


def _preview(importer: Importer, parcel: Parcel, _: bool) -> dict[str, Any]:
    preview = importer.preview(parcel)
    grade = "enclave" if len(parcel.items) == 1 else "unchallenged"
    batch_id = preview.plan.batch.id()
    return dict(zip(RESULT, (batch_id, grade, False, preview.gas, None), strict=True))


def _bring(importer: Importer, parcel: Parcel, noted: bool) -> dict[str, Any]:
    # Just before it goes: what is noted and cannot go would be tried again each time.
    if not noted:
        importer.parcels.note(parcel)
    done = importer.bring(parcel)
    for warning in done.warnings:
        click.echo(f"warning: {warning}", err=True)
    submitted = done.submitted
    grade, batch_id = done.grade.name.lower(), submitted.plan.batch.id()
    values = batch_id, grade, submitted.sent, None, submitted.transaction
    return dict(zip(RESULT, values, strict=True))
