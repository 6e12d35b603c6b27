"""Receipts from an operator's node, by request."""

import time
from collections.abc import Sequence
from pathlib import Path

from tallystick.cli.command import CommandError
from tallystick.cli.receipts import give, line_of
from tallystick.cli.session import Session
from tallystick.client.connection import Connection
from tallystick.client.receipts import NodeReceipts, NoReceipt
from tallystick.protocol.hexes import from_hex, to_hex
from tallystick.protocol.receipt import Receipt

_TIMEOUT = 30.0
"""Seconds for an answer."""
_POLL = 1.0


def write_receipts_from(
    session: Session, url: str, requests: Sequence[str], wait: int | None, out: Path | None
) -> None:
    """Write or print the receipts that a node has of requests, each checked.

    Args:
        session: of the command.
        url: of the node.
        requests: hashStruct of each Request, hex text.
        wait: seconds until all must be committed; None: asked once.
        out: file to write; None: they are printed.

    Raises:
        CommandError: a request has no receipt; those of the others are written all the same.
        OperatorError: the operator does not answer.
        AnswerError: it gives a receipt that does not hold, or is of another request.
        MissingExtraError: httpx is not installed.
    """
    hashes = list(dict.fromkeys(from_hex(one, 32, "request") for one in requests))
    found = _ask(session, url, hashes, wait)
    receipts = [one for one in found if isinstance(one, Receipt)]
    if receipts:
        give(session, map(line_of, receipts), out, receipts=len(receipts))
    missing = [
        f"request {to_hex(request)} {one}"
        for request, one in zip(hashes, found, strict=True)
        if isinstance(one, NoReceipt)
    ]
    if missing:
        more = f", and {len(missing) - 1} more have no receipt" if len(missing) > 1 else ""
        raise CommandError(missing[0] + more)


def _ask(
    session: Session, url: str, hashes: Sequence[bytes], wait: int | None
) -> list[Receipt | NoReceipt]:
    end = time.monotonic() + (wait or 0)
    node = Connection(url, _TIMEOUT)
    try:
        receipts = NodeReceipts(
            node,
            session.registry,
            lambda network, operator: session.ledger(network_id=network, operator=operator),
        )
        while True:
            found = receipts.get(hashes)
            left = end - time.monotonic()
            if NoReceipt.PENDING not in found or left <= 0:
                return found
            time.sleep(min(_POLL, left))
    finally:
        node.close()
