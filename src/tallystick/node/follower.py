"""The ledger kept up to the chain's head, a few blocks at a time, reorganisations included."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from web3 import Web3

from tallystick.chain.fold import EventSource, read_ledger
from tallystick.chain.logs import read_events
from tallystick.chain.registry import Registry
from tallystick.errors import MissingLogsError
from tallystick.events import Event
from tallystick.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Head:
    """Where the chain was at the last look."""

    number: int
    """Of the last block whose events are in the ledger."""
    hash: bytes
    block_time: int
    """Unix seconds; of that block: no block after it is earlier."""
    latest: int
    """Number of the chain's latest block."""
    timestamp: int
    """Unix seconds; time of a block mined then."""
    seen_at: float
    """Of the monotonic clock."""

    @property
    def now(self) -> int:
        """Unix seconds; about the time of a block mined now."""
        return self.timestamp + int(time.monotonic() - self.seen_at)


class Follower:
    """Reads the core's events since the last look, and applies them.

    Args:
        registry: the core.
        first_block: the core's first, or earlier.
        confirmations: blocks that must be on top of one whose events are read.
        others: the core at other nodes, to read events from where the first leaves some out.
    """

    def __init__(
        self,
        registry: Registry,
        first_block: int = 0,
        confirmations: int = 0,
        others: Sequence[Registry] = (),
    ) -> None:
        self._registry, self._first, self._depth = registry, first_block, confirmations
        self._source, *self._others = [EventSource(one) for one in (registry, *others)]
        self.ledger = Ledger()
        self.head: Head | None = None
        self._unfinished = False
        """The last look failed on its way: the ledger is somewhere behind its head."""

    def advance(self) -> list[Event]:
        """Bring the ledger up to the head; returns the events that were new.

        When a block that was read is no longer in the chain, or logs were left out, everything is
        read again into a new ledger, and all events are new.

        Raises:
            MissingLogsError: every node leaves out logs; the ledger is as it was.
            Web3Exception, OSError, ValueError: the node failed; the ledger is as it was, or events
                short of the head.
        """
        w3 = self._registry.w3
        latest, timestamp, seen_at = w3.eth.block_number, _pending_time(w3), time.monotonic()
        number = max(latest - self._depth, self._first - 1, 0)
        before = self.head
        if before is not None and (number < before.number or self._reorganised(before)):
            self._source.forget()
            before = None
        if self._unfinished:
            before = None
        block = w3.eth.get_block(number)
        events: list[Event] = []
        if before is None:
            self.ledger = self._read(number, events)
        else:
            events += read_events(w3, self._registry.address, before.number + 1, number)
            self._extend(events, number)
        self._unfinished = False
        block_time = int(block["timestamp"])
        self.head = Head(number, bytes(block["hash"]), block_time, latest, timestamp, seen_at)
        return events

    def _read(self, number: int, events: list[Event]) -> Ledger:
        return read_ledger([self._source, *self._others], self._first, number, events=events)

    def _extend(self, events: list[Event], number: int) -> None:
        self._unfinished = True
        try:
            for event in events:
                self._source.place(self.ledger, event, number)
        except MissingLogsError:
            events.clear()
            self.ledger = self._read(number, events)

    def _reorganised(self, before: Head) -> bool:
        return bytes(self._registry.w3.eth.get_block(before.number)["hash"]) != before.hash


def _pending_time(w3: Web3) -> int:
    return int(w3.eth.get_block("pending")["timestamp"])
