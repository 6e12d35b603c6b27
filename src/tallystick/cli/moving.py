"""What the commands of moves share: naming a batch, a leaf, evidence."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from tallystick.cli.command import CommandError
from tallystick.cli.session import Session
from tallystick.errors import FieldError
from tallystick.hexes import from_hex
from tallystick.moves.board import Board
from tallystick.moves.data import BatchData, opening_of
from tallystick.opening import Opening
from tallystick.receipt import Receipt
from tallystick.receipts import read_receipts
from tallystick.store import BatchStore

Option = Callable[[Callable[..., Any]], Callable[..., Any]]

GRADES = click.Choice(["audited", "enclave", "proven"])

store_option: Option = click.option(
    "--store", default="batches", help="Folder or URL where batch data are kept."
)
leaf_option: Option = click.option(
    "--leaf", type=click.IntRange(0), help="Leaf index; needed unless a receipt names it."
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


def board(session: Session) -> Board:
    """Return the chain as it stands, for the session's sender."""
    return Board(session.ledger(), session.now, session.sender.address)


def batch_id_of(target: str, leaf: int | None = None) -> bytes:
    """Return the id of the batch that a command's argument names: an id, or a receipts file."""
    if Path(target).is_file():
        return _receipt(Path(target), leaf).batch_id
    return from_hex(target, 32, "batch id")


def opening_for(here: Board, target: str, leaf: int | None, store: str) -> Opening:
    """Return a leaf's opening: from the receipts file that is named, else from the store."""
    if Path(target).is_file():
        receipt = _receipt(Path(target), leaf)
        return opening_of(receipt, here.batch(receipt.batch_id))
    record = here.batch(batch_id_of(target))
    if leaf is None:
        raise CommandError("no leaf is named; needed: --leaf INDEX, or a receipt")
    return BatchData.load(BatchStore(store), record).opening(leaf)


def _receipt(path: Path, leaf: int | None) -> Receipt:
    for receipt in read_receipts(path):
        if leaf in (None, receipt.opening.leaf_index):
            return receipt
    raise CommandError(f"{path} has no receipt of leaf {leaf}" if leaf else f"{path} is empty")
