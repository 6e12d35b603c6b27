"""Receipts as ERC-8510 drafts them: records, and the list of a day."""

import json
from datetime import date
from pathlib import Path

import click

from tallystick.chain.sender import SignerSender
from tallystick.cli.batch_status import chain_status
from tallystick.cli.receipts import give
from tallystick.cli.session import Session
from tallystick.protocol.erc8510 import Json, daily_list, record, signed_text, with_signature
from tallystick.storage.receipt_files import checked


def write_records(session: Session, file: Path, out: Path | None) -> None:
    """Write or print a record of each receipt of a file, signed where an account is named.

    Raises:
        ReceiptsError: a line is no receipt, or not good.
        CommandError: a receipt is of another chain, or its batch unknown to the registry.
    """
    records = _records(session, file)
    signed = session.signs and not session.dry_run
    if signed:
        sender = session.sender
        assert isinstance(sender, SignerSender)
        records = [
            with_signature(one, sender.address, sender.sign_text(signed_text(one)))
            for one in records
        ]
    lines = (json.dumps(one, separators=(",", ":")) for one in records)
    give(session, lines, out, records=len(records), signed=signed)


def write_list(session: Session, file: Path, day: date, out: Path | None) -> None:
    """Write or print the list of a UTC day; errors as of write_records."""
    found = daily_list(day, _records(session, file))
    text = json.dumps(found, indent=1)
    if out is None:
        click.echo(text)
        return
    out.write_text(f"{text}\n")
    told = {name: found[name] for name in ("day", "count", "root")}
    session.show({**told, "file": str(out)})


def _records(session: Session, file: Path) -> list[Json]:
    judged: dict[bytes, str | None] = {}
    for row in chain_status(session, file):
        state = row["state"]
        final = row["outcome"] if state == "final" else None
        judged[row["batch_id"]] = "rejected" if state == "rejected" else final
    return [record(one, judged[one.batch_id]) for one in checked(file)]
