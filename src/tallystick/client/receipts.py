"""Receipts as an operator's node gives them, each checked against its request and the chain."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import cache

from tallystick.chain.receipt_status import receipt_status
from tallystick.chain.registry import Registry
from tallystick.client.connection import Connection
from tallystick.errors import AnswerError, ReceiptError
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.ledger import Ledger
from tallystick.protocol.receipt import Receipt
from tallystick.protocol.wire import AskedReceipts, PlacesSaid

_AT_ONCE = 1024
"""Receipts that a node takes in one request."""


class NoReceipt(StrEnum):
    """Reason that a request has no receipt."""

    PENDING = "is not committed yet"
    EXPIRED = "missed its deadline"
    UNKNOWN = "is unknown to the operator"


class NodeReceipts:
    """Receipts from one node.

    Args:
        node: the connection; it stays the caller's.
        registry: whose receipts they should be.
        ledger: reads the events of a lane up to the latest block, by network id and operator.
    """

    def __init__(
        self, node: Connection, registry: Registry, ledger: Callable[[bytes, bytes], Ledger]
    ) -> None:
        self._node, self._registry, self._ledger = node, registry, ledger

    def get(self, requests: Sequence[bytes]) -> list[Receipt | NoReceipt]:
        """Return the receipt of each request, in their order, or why there is none.

        Args:
            requests: hashStruct of each Request, 32 bytes.

        Raises:
            OperatorError: the operator does not answer.
            AnswerError: it gives a receipt that does not hold, or is of another request.
        """
        look = _Look(self._registry, self._ledger)
        found: list[Receipt | NoReceipt] = []
        for start in range(0, len(requests), _AT_ONCE):
            part = requests[start : start + _AT_ONCE]
            body = AskedReceipts(requests=[to_hex(one) for one in part])
            said = self._node.post("/receipts", body, PlacesSaid).receipts
            if len(said) != len(part):
                raise AnswerError(f"{len(said)} receipts were given; asked for: {len(part)}")
            for request, place in zip(part, said, strict=True):
                if place is None:
                    found.append(NoReceipt.UNKNOWN)
                elif place.state == "expired":
                    found.append(NoReceipt.EXPIRED)
                elif place.receipt is None:
                    found.append(NoReceipt.PENDING)
                else:
                    found.append(look.checked(request, place.receipt))
        return found


class _Look:
    """The chain at one look: events of a lane are read once, and only if a receipt is there."""

    def __init__(self, registry: Registry, ledger: Callable[[bytes, bytes], Ledger]) -> None:
        self._registry = registry
        self._ledger = cache(ledger)
        self._timestamp = cache(lambda: int(registry.w3.eth.get_block("latest")["timestamp"]))

    def checked(self, request: bytes, given: object) -> Receipt | NoReceipt:
        """Return a request's receipt; it is pending while the node here is behind its batch."""
        try:
            receipt = Receipt.from_json(given)
            receipt.check()
            if receipt.opening.inference.request().struct_hash() != request:
                raise AnswerError("the receipt is of another request")
            if receipt.stamp.committed_at > self._timestamp():
                return NoReceipt.PENDING
            batch = receipt.batch
            receipt_status(
                self._registry, lambda: self._ledger(batch.network_id, batch.operator), receipt
            )
        except ReceiptError as error:
            raise AnswerError(f"the receipt does not hold: {error}") from error
        return receipt
