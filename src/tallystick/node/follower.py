"""The ledger kept up to the chain's head, a few blocks at a time, reorganisations included."""

import time
from dataclasses import dataclass

from web3 import Web3

from tallystick.chain.logs import read_events
from tallystick.chain.registry import Registry
from tallystick.errors import LedgerError
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
    """

    def __init__(self, registry: Registry, first_block: int = 0, confirmations: int = 0) -> None:
        self._registry, self._first, self._depth = registry, first_block, confirmations
        self.ledger = Ledger()
        self.head: Head | None = None

    def advance(self) -> list[Event]:
        """Bring the ledger up to the head; returns the events that were new.

        When a block that was read is no longer in the chain, everything is read again into a new
        ledger, and all events are new.

        Raises:
            Web3Exception, OSError, ValueError: the node failed; the ledger is as it was.
        """
        w3 = self._registry.w3
        latest, timestamp, seen_at = w3.eth.block_number, _pending_time(w3), time.monotonic()
        number = max(latest - self._depth, self._first - 1, 0)
        before = self.head
        if before is not None and (number < before.number or self._reorganised(before)):
            before = None
        first = self._first if before is None else before.number + 1
        block = w3.eth.get_block(number)
        events = list(read_events(w3, self._registry.address, first, number))
        if before is None:
            self.ledger = Ledger.of(events)
        else:
            try:
                for event in events:
                    self.ledger.apply(event)
            except LedgerError:
                self.head, self.ledger = None, Ledger()
                raise
        block_time = int(block["timestamp"])
        self.head = Head(number, bytes(block["hash"]), block_time, latest, timestamp, seen_at)
        return events

    def _reorganised(self, before: Head) -> bool:
        return bytes(self._registry.w3.eth.get_block(before.number)["hash"]) != before.hash


def _pending_time(w3: Web3) -> int:
    return int(w3.eth.get_block("pending")["timestamp"])
