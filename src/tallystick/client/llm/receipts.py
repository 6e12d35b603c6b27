"""Receipts of kept answers: asked for until they are there, checked, and put into the files."""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from time import monotonic

from web3.exceptions import Web3Exception

from tallystick.chain.clock import pending_time
from tallystick.chain.registry import Registry
from tallystick.client.connection import Connection
from tallystick.client.llm.book import Asked, Book, Place
from tallystick.client.llm.kept import AnswerFolder, KeptAnswer
from tallystick.client.llm.telling import Tell, tell_nobody
from tallystick.client.receipts import NodeReceipts, NoReceipt
from tallystick.errors import AnswerError, OperatorError, TallystickError
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.ledger import Ledger
from tallystick.protocol.receipt import Receipt

_TIMEOUT = 30.0
_GRACE = 60
"""Seconds behind the deadline, until an operator without a receipt has broken its word."""
_LONGEST = 60.0
"""Seconds between two looks at an operator that does not answer."""


class ReceiptCollector:
    """Collects the receipts of a folder's answers.

    Args:
        registry: whose receipts they should be.
        ledger: reads the events of a lane up to the latest block, by network id and operator.
        book: which knows the answers.
        answers: their files.
        poll: seconds between two looks.
        tell: takes events.
    """

    def __init__(
        self,
        registry: Registry,
        ledger: Callable[[bytes, bytes], Ledger],
        book: Book,
        answers: AnswerFolder,
        poll: float = 2.0,
        tell: Tell = tell_nobody,
    ) -> None:
        self._registry, self._ledger = registry, ledger
        self._book, self._answers = book, answers
        self._poll, self._tell = poll, tell
        self._pauses: dict[str, tuple[float, float]] = {}
        self._looking = threading.Lock()

    async def run(self) -> None:
        """Look again and again, until it is cancelled."""
        while True:
            try:
                await asyncio.to_thread(self.look)
            except (TallystickError, OSError, Web3Exception) as error:
                self._tell("receipts not read", {"reason": str(error)})
            await asyncio.sleep(self._poll)

    async def wait(self, key: str, seconds: float) -> KeptAnswer | None:
        """Return an answer with its receipt, or None if it has none in so many seconds.

        Something else must run; see `run`.
        """
        end = monotonic() + seconds
        while True:
            kept = await asyncio.to_thread(self._answers.get, key)
            if kept is not None and kept.receipt is not None:
                return kept
            if monotonic() >= end:
                return None
            await asyncio.sleep(min(0.2, self._poll))

    def look(self) -> int:
        """Ask for the receipts that are missing, and return how many have come.

        Raises:
            TallystickError: the chain cannot be read.
        """
        with self._looking:
            by_url: defaultdict[str, list[Asked]] = defaultdict(list)
            for one in self._book.waiting():
                by_url[one.url].append(one)
            return sum(self._from(url, asked) for url, asked in by_url.items())

    def _from(self, url: str, asked: Sequence[Asked]) -> int:
        pause, since = self._pauses.get(url, (0.0, 0.0))
        if monotonic() - since < pause:
            return 0
        node = Connection(url, _TIMEOUT)
        try:
            receipts = NodeReceipts(node, self._registry, self._ledger)
            came = self._take(receipts, asked)
        except OperatorError as error:
            self._pauses[url] = min(_LONGEST, 2 * pause or self._poll), monotonic()
            self._tell("operator does not answer", {"url": url, "reason": str(error)})
            return 0
        finally:
            node.close()
        self._pauses.pop(url, None)
        return came

    def _take(self, receipts: NodeReceipts, asked: Sequence[Asked]) -> int:
        try:
            given = receipts.get([one.request for one in asked])
        except AnswerError as error:
            if len(asked) > 1:
                # One that does not hold must not keep the others from being seen.
                return sum(self._take(receipts, [one]) for one in asked)
            self._book.settle(asked[0].request, Place.WRONG)
            self._told("receipt does not hold", asked[0], reason=str(error))
            return 0
        return sum(self._settle(one, found) for one, found in zip(asked, given, strict=True))

    def _settle(self, asked: Asked, found: Receipt | NoReceipt) -> bool:
        if isinstance(found, NoReceipt):
            late = pending_time(self._registry.w3) > asked.deadline + _GRACE
            if found is NoReceipt.EXPIRED or late:
                self._book.settle(asked.request, Place.MISSED)
                self._told("operator broke its word", asked, reason=f"the request {found}")
            return False
        kept = self._answers.of(asked.request)
        if kept is None:
            self._book.settle(asked.request, Place.WRONG)
            self._told("answer's file is gone", asked)
            return False
        try:
            kept.check_receipt(found)
        except AnswerError as error:
            self._book.settle(asked.request, Place.WRONG)
            self._told("receipt does not hold", asked, reason=str(error))
            return False
        self._answers.keep(replace(kept, receipt=found))
        self._book.settle(asked.request, Place.KEPT)
        self._tell(
            "receipt checked",
            {"id": kept.id, "batch": to_hex(found.batch_id), "leaf": found.opening.leaf_index},
        )
        return True

    def _told(self, event: str, asked: Asked, **facts: str) -> None:
        self._tell(event, {"request": to_hex(asked.request), "url": asked.url, **facts})
