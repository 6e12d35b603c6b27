"""The ledger of a core, kept up with the chain through the journal."""

import threading

from web3 import Web3

from tallystick.chain.logs import decode_log, read_logs
from tallystick.chain.registry import Registry
from tallystick.errors import TallystickError
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
    """

    def __init__(
        self, registry: Registry, journal: Journal, first: int, confirmations: int
    ) -> None:
        self.registry, self._journal = registry, journal
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

        Raises:
            ReorgError: blocks were taken back while they were read.
            Web3Exception, OSError, ValueError: the node does not answer as it should.
        """
        w3 = self.registry.w3
        with self._lock:
            self.head = w3.eth.block_number
            self.now = int(w3.eth.get_block("pending")["timestamp"])
            self._take_back()
            last = self.head - self._confirmations
            known = self._journal.checkpoints()
            after = known[0][0] if known else None
            start = self._first if after is None else after + 1
            if start <= last:
                digest = _hash(w3, last)
                logs = list(read_logs(w3, self.registry.address, start, last))
                if _hash(w3, last) != digest:
                    raise ReorgError(f"block {last} changed while its logs were read")
                self._journal.extend(after, logs, last, digest)
            return self._fold()

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
        last = self._ledger.last.order if self._ledger.last else (-1, -1)
        for log in self._journal.logs(after=last):
            self._ledger.apply(decode_log(log))
        return self._ledger


def _hash(w3: Web3, block: int) -> bytes:
    return bytes(w3.eth.get_block(block)["hash"])


def _agrees(w3: Web3, block: int, digest: bytes) -> bool:
    if block > w3.eth.block_number:
        return False
    return _hash(w3, block) == digest
