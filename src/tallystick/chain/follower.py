"""The ledger of a scope kept up to the chain's head, from what was read before; reorgs included.

Logs are read by topic, once, into a cache that outlives the process; each further look reads the
blocks since, and folds them into the ledger that is kept beside them. A cached block stands as long
as the node has the same hash at its height. Another hash is a reorganisation: what follows the last
block that both have is read again. A node that has not come as far is behind, which is no fork: the
cache stays, and so does a ledger that is further; a new one goes as far as the node does.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeVar

from web3 import Web3
from web3.exceptions import BlockNotFound, Web3Exception

from tallystick.chain.cache import CacheChangedError, ChainCache, Checkpoint
from tallystick.chain.clock import pending_time
from tallystick.chain.fold import EventSource
from tallystick.chain.logs import (
    FIRST_RANGE,
    BlockRange,
    LogError,
    cargo_filter,
    decode_log,
    filters,
    read_logs,
    topic_of,
)
from tallystick.chain.origin import first_block_of
from tallystick.chain.registry import Registry
from tallystick.chain.rpc.provider import name_of, url_of
from tallystick.chain.snapshot import write, write_batches
from tallystick.errors import MissingLogsError, TallystickError
from tallystick.protocol.events import BatchAttested, Event, LeafRevealed
from tallystick.protocol.ledger import Ledger
from tallystick.protocol.progress import Progress
from tallystick.protocol.scope import WHOLE, Scope

_ATTEMPTS = 4
"""Of one look, where blocks or the cache change under it."""
_REMEMBERED = 256
"""Hashes of the latest blocks that were seen."""

_WORTH_KEEPING = 256
"""Events since the ledger that is kept, from which on another one is written."""

E = TypeVar("E", bound=Event)


class ReorgError(TallystickError, RuntimeError):
    """The chain changed under a reading; the next one begins where it still agrees."""


@dataclass(frozen=True, slots=True)
class Head:
    """The chain's newest block at the last look."""

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


class _BehindError(Exception):
    """A node has not come as far as the ledger; `blocks` is by how many."""

    def __init__(self, blocks: int) -> None:
        self.blocks = blocks
        super().__init__(blocks)


class Follower:
    """Reads a scope's events since the last look, and applies them. Threads may share one.

    Args:
        registry: the contract.
        first_block: the registry's first, or earlier; None: found by its code, and cached.
        confirmations: blocks that must be on top of one whose events are read.
        others: the registry at other nodes, asked where the first leaves out events or is behind.
        scope: whose events; all unless a part is named.
        cache: what was read before, and where it is kept; None: nothing, nowhere.
        cargo: keep the events that carry data too, for `events`.
        progress: told how far a reading is, in blocks.
    """

    def __init__(
        self,
        registry: Registry,
        first_block: int | None = None,
        confirmations: int = 0,
        others: Sequence[Registry] = (),
        scope: Scope = WHOLE,
        cache: ChainCache | None = None,
        cargo: bool = False,
        progress: Progress | None = None,
    ) -> None:
        self.registry, self.scope = registry, scope
        self._first, self._confirmations, self._cargo = first_block, confirmations, cargo
        self._others = list(others)
        self._sources = [EventSource(one) for one in (registry, *others)]
        self._cache = cache or ChainCache()
        self._name = scope.name + (" cargo" if cargo else "")
        self._progress, self._lock = progress, threading.Lock()
        self.ledger = Ledger(scope)
        self.head: Head | None = None
        self.behind = 0
        """Blocks that every node was behind the ledger at the last look; the head is as before."""
        self._asked = registry
        """The registry at the node whose blocks count in the look that is going on."""
        self._seen: dict[int, bytes] = {}
        """Hashes of the latest blocks that were looked at, and of their parents."""
        self._generation = -1
        """Of the cache's logs that the ledger was folded from; -1: it is to be folded anew."""
        self._folded_to = -1
        self._unkept = 0
        """Events in the ledger that the cache has not in its own."""

    @property
    def lag(self) -> int:
        """Blocks between the latest and the last one read, those waited for excepted."""
        if self.head is None:
            return 0
        return max(0, self.head.latest - self._confirmations - self.head.number)

    def advance(self, to: int | None = None) -> int:
        """Bring the ledger up to the head, or to a block; returns how many events were new.

        When a block that was read is no longer in the chain, or logs were left out, the ledger is
        a new one, and all events are new. When every node is behind, nothing is new and the head
        stays, with the time at which it was seen.

        Args:
            to: number of the block to stop at; None: the head.

        Raises:
            MissingLogsError: every node leaves out logs.
            LogError: the node gave logs that were not asked for.
            ReorgError: blocks were taken back again and again while they were read.
            CacheError: the cache's file fails.
            Web3Exception, OSError, ValueError: the node failed. In each case the ledger may be
                short of the head, and the next look goes on.
        """
        with self._lock:
            for _ in range(_ATTEMPTS - 1):
                try:
                    return self._advance(to)
                except (ReorgError, CacheChangedError):
                    continue
            return self._advance(to)

    def events(self, kind: type[E], batch_id: bytes) -> list[E]:
        """Return a batch's events of a kind that were read, in order.

        Args:
            kind: a BatchEvent, or one that carries data where those are kept.
            batch_id: 32 bytes.
        """
        found = map(decode_log, self._cache.logs_of(self._name, topic_of(kind), batch_id))
        return [event for event in found if isinstance(event, kind)]

    def _advance(self, to: int | None) -> int:
        behind: list[int] = []
        try:
            for registry in (self.registry, *self._others):
                self._asked = registry
                try:
                    return self._look(to)
                except _BehindError as error:
                    behind.append(error.blocks)
                except (Web3Exception, OSError, ValueError):
                    # Nobody is worse off than with the first node alone.
                    if not behind:
                        raise
        finally:
            self._asked = self.registry
        self.behind = min(behind)
        return 0

    def _look(self, to: int | None) -> int:
        """Bring the ledger up to the head of the node that is asked."""
        w3 = self._asked.w3
        latest, timestamp, seen_at = w3.eth.block_number, pending_time(w3), time.monotonic()
        number = max(0, latest - self._confirmations)
        number = number if to is None else min(number, to)
        try:
            block = w3.eth.get_block(number)
        except BlockNotFound:
            # A pool whose second backend has not got the block that the first one named.
            if to is not None or self.head is None:
                raise
            raise _BehindError(max(0, self.head.number - number)) from None
        here = Checkpoint(number, bytes(block["hash"]))
        if to is None:
            self._check_not_behind(here, latest)
        count = self._catch_up(here, latest)
        self._remember(here, bytes(block["parentHash"]))
        time_of = int(block["timestamp"])
        self.head = Head(number, here.hash, time_of, latest, timestamp, seen_at)
        self.behind = 0
        return count

    def _check_not_behind(self, here: Checkpoint, latest: int) -> None:
        """Raise _BehindError where a block is lower than the ledger and nothing shows a fork."""
        if self.head is None or here.block >= self._folded_to:
            return
        if self._generation not in (-1, self._cache.generation(self._name)):
            return  # Another process has seen a fork.
        if self._seen.get(here.block, here.hash) != here.hash:
            return
        for one in self._cache.checkpoints(self._name):
            if one.block <= latest:
                try:
                    there = here.hash if one.block == here.block else self._hash(one.block)
                except BlockNotFound:
                    continue
                if one.hash != there:
                    return
                break
        raise _BehindError(self._folded_to - here.block)

    def _remember(self, here: Checkpoint, parent: bytes) -> None:
        self._seen[here.block - 1], self._seen[here.block] = parent, here.hash
        for block in sorted(self._seen)[:-_REMEMBERED]:
            del self._seen[block]

    def _catch_up(self, here: Checkpoint, latest: int) -> int:
        """Read and fold; where logs were left out, all of them again, from the next node."""
        missing: MissingLogsError | None = None
        for _ in range(max(2, len(self._sources))):
            try:
                agreed = self._agreed(here, latest)
                extra = self._read(agreed, here)
                return self._fold(agreed, extra, here)
            except MissingLogsError as error:
                missing = missing or error
                self._cache.take_back(self._name, -1)
            except (Web3Exception, OSError, ValueError, LogError):
                if missing is None:
                    raise
            self._sources.append(self._sources.pop(0))
        assert missing is not None
        raise missing

    def _agreed(self, here: Checkpoint, latest: int) -> Checkpoint | None:
        """Return the latest checkpoint that the node has too; forget those that it contradicts."""
        contradicted = self._seen.get(here.block, here.hash) != here.hash
        for one in self._cache.checkpoints(self._name):
            if one.block > latest:
                continue  # The node has not come so far: nothing is known about that one.
            if one.hash == (here.hash if one.block == here.block else self._hash(one.block)):
                if contradicted:
                    self._cache.take_back(self._name, one.block)
                    self._seen.clear()
                return one
            contradicted = True
        if contradicted:
            self._cache.take_back(self._name, -1)
            self._seen.clear()
        return None

    def _read(self, agreed: Checkpoint | None, here: Checkpoint) -> list[Any] | None:
        """Read what follows a checkpoint, and keep it, a range at a time.

        Where the node is behind what is kept, the logs are returned instead.
        """
        if agreed is not None and agreed.block >= here.block:
            return None
        source, ahead = self._sources[0].registry, self._is_ahead(here)
        size = BlockRange(self._cache.accepted_range(url_of(source.w3)) or FIRST_RANGE)
        start = self._first_block() if agreed is None else agreed.block + 1
        extra: list[Any] = []
        while start <= here.block:
            end = min(start + size.blocks - 1, here.block)
            at = here if end == here.block else Checkpoint(end, self._hash(end))
            logs = self._logs(source, start, end, size)
            if _hash(source.w3, end) != at.hash:
                error = ReorgError if source is self._asked else LogError
                raise error(f"block {end} is another one at {name_of(source.w3)}")
            if ahead:
                extra += logs
            else:
                self._cache.extend(self._name, agreed, logs, at)
            agreed, start = at, end + 1
            if self._progress:
                self._progress(end, here.block)
        if size.longest:
            self._cache.note_accepted_range(url_of(source.w3), size.longest)
        return extra if ahead else None

    def _is_ahead(self, here: Checkpoint) -> bool:
        """Return whether more is kept than the node has."""
        known = self._cache.checkpoints(self._name)
        return bool(known) and known[0].block > here.block

    def _logs(self, source: Registry, first: int, last: int, size: BlockRange) -> list[Any]:
        place = source.w3, source.address
        wanted = filters(self.scope, self._cargo)
        logs = list(read_logs(*place, first, last, wanted, size=size))
        if not self._cargo or self.scope.is_whole:
            return logs
        # They name their batch alone, and stand beside an event that names its lane.
        beside = {topic_of(BatchAttested), topic_of(LeafRevealed)}
        told = [log for log in logs if bytes(log["topics"][0]) in beside]
        if told:
            of = cargo_filter({bytes(log["topics"][3]) for log in told})
            blocks = told[0]["blockNumber"], told[-1]["blockNumber"]
            logs += read_logs(*place, *blocks, [of], size=size)
        return logs

    def _fold(self, agreed: Checkpoint | None, extra: list[Any] | None, here: Checkpoint) -> int:
        """Apply what is kept up to the head, or up to a checkpoint and then what is not kept."""
        last = here.block if extra is None else (agreed.block if agreed else -1)
        generation = self._cache.generation(self._name)
        if generation != self._generation or self._folded_to > here.block:
            kept = self._cache.ledger(self.scope, self._name, generation, last)
            self.ledger, self._unkept = kept.ledger if kept else Ledger(self.scope), 0
            for one in self._sources:
                one.forget()
        # Even if it ends half way: the next fold goes on from there, or begins anew.
        self._folded_to, self._generation = here.block, generation if extra is None else -1
        after = self.ledger.last.order if self.ledger.last else (-1, -1)
        known = self._cache.logs(self._name, generation, after, last)
        count = 0
        for log in chain(known, extra or ()):
            event = decode_log(log)
            if self.scope.has_event(event):
                self._sources[0].place(self.ledger, event, here.block)
                count += 1
        self._unkept += count
        if self._cache.path and extra is None and self._unkept >= _WORTH_KEEPING:
            self._keep(generation, here.block)
        return count

    def _keep(self, generation: int, block: int) -> None:
        """Have the next process begin with this ledger."""
        ledger = self.ledger
        batches = write_batches(ledger)
        if self._cache.note_ledger(self._name, generation, block, write(ledger), batches):
            ledger.touched.clear()
            self._unkept = 0

    def _first_block(self) -> int:
        if self._first is None:
            return first_block_of(self.registry, self._cache)
        return self._first

    def _hash(self, block: int) -> bytes:
        return _hash(self._asked.w3, block)


def read_ledger(
    registry: Registry,
    last: int | None = None,
    others: Sequence[Registry] = (),
    first_block: int | None = None,
) -> Ledger:
    """Return what all events up to a block say, read anew; see Follower.advance for errors.

    Args:
        registry: the contract.
        last: the block, included; None: the latest.
        others: the registry at other nodes.
        first_block: the registry's first, or earlier; None: found by its code.
    """
    follower = Follower(registry, first_block, others=others)
    follower.advance(last)
    return follower.ledger


def _hash(w3: Web3, block: int) -> bytes:
    return bytes(w3.eth.get_block(block)["hash"])
