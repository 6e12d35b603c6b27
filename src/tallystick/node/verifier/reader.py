"""The ledger of a core, kept up with the chain through the journal."""

import threading
from collections.abc import Sequence

from web3 import Web3

from tallystick.chain.fold import EventSource
from tallystick.chain.logs import decode_log, read_logs
from tallystick.chain.registry import Registry
from tallystick.errors import MissingLogsError, TallystickError
from tallystick.ledger import Ledger
from tallystick.node.verifier.journal import Journal


class ReorgError(TallystickError, RuntimeError):
    """The chain changed under a reading; the next one begins where it still agrees."""


class Reader:
    """Reads a core's events once, keeps them in the journal, and folds them.

    Args:
        registry: the core.
        journal: the node's.
        first: block to begin with.
        confirmations: blocks on top of one before its events are read.
        others: the core at other nodes, to read events from where the first leaves some out.
    """

    def __init__(
        self,
        registry: Registry,
        journal: Journal,
        first: int,
        confirmations: int,
        others: Sequence[Registry] = (),
    ) -> None:
        self.registry, self._journal = registry, journal
        self._sources = [EventSource(one) for one in (registry, *others)]
        self._first, self._confirmations = first, confirmations
        self._lock = threading.Lock()
        self._ledger, self._generation = Ledger(), -1
        self.head = 0
        """Number of the latest block, confirmed or not."""
        self.now = 0
        """Unix seconds; time of a block mined now."""

    @property
    def read_to(self) -> int:
        """Number of the block up to which events are read."""
        known = self._journal.checkpoints()
        return known[0][0] if known else self._first - 1

    @property
    def lag(self) -> int:
        """Blocks between the latest and the last one read, those waited for excepted."""
        return max(0, self.head - self._confirmations - self.read_to)

    def sync(self) -> Ledger:
        """Read what is new and return the ledger; it is the caller's to read, not to keep.

        Where a node left out logs, all is read again, from the next one if there is one.

        Raises:
            MissingLogsError: every node leaves out logs.
            ReorgError: blocks were taken back while they were read.
            Web3Exception, OSError, ValueError: a node does not answer as it should.
        """
        with self._lock:
            missing: MissingLogsError | None = None
            for _ in range(max(2, len(self._sources))):
                self._read()
                try:
                    return self._fold()
                except MissingLogsError as error:
                    missing = missing or error
                    self._journal.take_back(-1)
                    self._sources.append(self._sources.pop(0))
            assert missing is not None
            raise missing

    def _read(self) -> None:
        w3, source = self.registry.w3, self._sources[0].registry
        self.head = w3.eth.block_number
        self.now = int(w3.eth.get_block("pending")["timestamp"])
        self._take_back()
        last = self.head - self._confirmations
        known = self._journal.checkpoints()
        after = known[0][0] if known else None
        start = self._first if after is None else after + 1
        if start > last:
            return
        digest = _hash(w3, last)
        logs = list(read_logs(source.w3, source.address, start, last, cargo=True))
        if _hash(source.w3, last) != digest:
            raise ReorgError(f"block {last} changed while its logs were read")
        self._journal.extend(after, logs, last, digest)

    def _take_back(self) -> None:
        known = self._journal.checkpoints()
        if not known or _agrees(self.registry.w3, *known[0]):
            return
        agreed = next((b for b, h in known[1:] if _agrees(self.registry.w3, b, h)), -1)
        self._journal.take_back(agreed)

    def _fold(self) -> Ledger:
        generation = self._journal.generation
        if generation != self._generation:
            self._ledger, self._generation = Ledger(), generation
            for source in self._sources:
                source.forget()
        last = self._ledger.last.order if self._ledger.last else (-1, -1)
        read_to = self.read_to
        for log in self._journal.logs(after=last):
            self._sources[0].place(self._ledger, decode_log(log), read_to)
        return self._ledger


def _hash(w3: Web3, block: int) -> bytes:
    return bytes(w3.eth.get_block(block)["hash"])


def _agrees(w3: Web3, block: int, digest: bytes) -> bool:
    if block > w3.eth.block_number:
        return False
    return _hash(w3, block) == digest
