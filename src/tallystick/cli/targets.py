"""Options that the commands on batches share: a batch, a leaf, evidence."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from tallystick.actions.batch_data import BatchData, opening_of
from tallystick.actions.chain_view import ChainView
from tallystick.cli.command import CommandError
from tallystick.cli.session import Session
from tallystick.errors import FieldError
from tallystick.protocol.hexes import from_hex
from tallystick.protocol.opening import Opening
from tallystick.protocol.receipt import Receipt
from tallystick.storage.batch_parser import GuardedStore
from tallystick.storage.receipt_files import read_receipts

Option = Callable[[Callable[..., Any]], Callable[..., Any]]

GRADES = click.Choice(["audited", "enclave", "proven"])

store_option: Option = click.option(
    "--store",
    default="batches",
    show_default=True,
    help="Folder or URL where batch data are kept.",
)
receipts_option: Option = click.option(
    "--receipts",
    type=click.Path(file_okay=False, path_type=Path),
    default="receipts",
    help="Folder of receipts and of the journal that makes a second run safe.",
)
leaf_option: Option = click.option(
    "--leaf", type=click.IntRange(0), help="Leaf index; needed unless a receipt names it."
)

wait_option: Option = click.option(
    "--wait", is_flag=True, help="Go on until the game is over; else until the other side's turn."
)


class Evidence(click.ParamType):
    """Evidence as hex text, or the path of a file that holds it: hex text or plain bytes."""

    name = "hex|file"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> bytes:
        """Return the bytes."""
        if isinstance(value, bytes):
            return value
        path = Path(value) if not value.startswith("0x") else None
        if path is not None and path.is_file():
            data = path.read_bytes()
            if not data.startswith(b"0x"):
                return data
            value = data.decode("ascii", "replace").strip()
        try:
            return from_hex(value, None, "evidence")
        except FieldError as error:
            self.fail(f"{error}, or a file", param, ctx)


evidence_option: Option = click.option(
    "--evidence", type=Evidence(), required=True, help="In the resolver's own encoding."
)


def view(session: Session, *batch_ids: bytes) -> ChainView:
    """Return the lanes of batches as they stand, for the session's sender."""
    ledger, sender = session.ledger_of(*batch_ids), session.sender.address
    return ChainView(ledger, session.now, sender, session.registry)


def batch_id_of(target: str, leaf: int | None = None) -> bytes:
    """Return the id of the batch that a command's argument names: an id, or a receipts file."""
    if Path(target).is_file():
        return _receipt(Path(target), leaf).batch_id
    return from_hex(target, 32, "batch id")


def opening_for(here: ChainView, target: str, leaf: int | None, store: str) -> Opening:
    """Return a leaf's opening: from the receipts file that is named, else from the store."""
    if Path(target).is_file():
        receipt = _receipt(Path(target), leaf)
        return opening_of(receipt, here.batch(receipt.batch_id))
    record = here.batch(batch_id_of(target))
    if leaf is None:
        raise CommandError("no leaf is named; needed: --leaf INDEX, or a receipt")
    return BatchData.load(GuardedStore(store), record).opening(leaf)


def _receipt(path: Path, leaf: int | None) -> Receipt:
    for receipt in read_receipts(path):
        if leaf in (None, receipt.opening.leaf_index):
            return receipt
    if leaf is None:
        raise CommandError(f"{path} holds no receipt")
    raise CommandError(f"{path} has no receipt of leaf {leaf}")
