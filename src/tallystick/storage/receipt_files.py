"""Files of receipts, one a line."""

from collections.abc import Iterator
from pathlib import Path

from tallystick.errors import ReceiptError
from tallystick.errors import ReceiptsError as ReceiptsError
from tallystick.protocol.receipt import Receipt
from tallystick.protocol.text import parse_json


def read_receipts(file: Path) -> Iterator[Receipt]:
    """Yield a file's receipts, not yet checked; ReceiptsError names a wrong line."""
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    yield Receipt.from_json(parse_json(line))
                except (ReceiptError, ValueError) as error:
                    raise ReceiptsError(f"{file}, line {number}: {error}") from error


def checked(file: Path) -> Iterator[Receipt]:
    """Yield a file's receipts, each checked; ReceiptsError for a bad one or an empty file."""
    number = 0
    for number, receipt in enumerate(read_receipts(file), 1):
        try:
            receipt.check()
        except ReceiptError as error:
            raise ReceiptsError(f"{file}, receipt {number}: {error}") from error
        yield receipt
    if number == 0:
        raise ReceiptsError(f"{file} holds no receipt")
