"""Lets go of the bytes of batches that are over for good, in the journal and in the store.

A batch is over when the chain cannot ask for its data any more: it is rejected, or it is final and
no slot holds it (while one does, its leaves show a request that was committed twice), and all of
the network's windows have passed since it closed. What the head says may be given up again; so a
batch is pruned only when the block at which it was seen to be over is itself finalized.
"""

import time
from dataclasses import dataclass, field

from tallystick.node.operator.journal import PendingBatch
from tallystick.node.operator.lane import OperatorLane
from tallystick.node.settings import NEVER
from tallystick.protocol.enums import State

_BUDGET = 0.5
"""Seconds of one round that pruning may take: commits and demands wait meanwhile."""
_MOST = 256
"""Inferences in one transaction: answers wait for it."""
_SPARE = 1 << 20
"""Bytes that the journal's file may hold for what comes."""
_PAGES = 1024


@dataclass(frozen=True, slots=True)
class _Sight:
    """Batches that were over at a block."""

    number: int
    hash: bytes
    over: list[PendingBatch]


@dataclass(slots=True)
class Pruner:
    """Prunes one lane's bytes, a little each round; one process at a time does."""

    lane: OperatorLane
    _sight: _Sight | None = None
    """Batches that wait for their block to be finalized."""
    _looked_at: float = float("-inf")
    """Seconds of the monotonic clock."""
    _unfinished: bool = False
    """True while something may be left of what is to go: rounds in between write nothing."""
    _done: dict[int, int] = field(default_factory=dict)
    """Progress of emptying each batch, by its key."""

    def prune(self) -> None:
        """See what is over, and let go of what is so for good."""
        if self.lane.settings.prune_after == NEVER:
            return
        begun = time.monotonic()
        if begun >= self._looked_at + self.lane.settings.prune_every:
            self._looked_at, self._unfinished = begun, True
            self._confirm()
            if self._sight is None:
                self._look()
        if self._unfinished:
            self._unfinished = not self._empty(begun + _BUDGET)
        self.lane.metrics.journal_size.set(self.lane.journal.size())

    def _look(self) -> None:
        """Note which batches are over at the head."""
        lane, head = self.lane, self.lane.head
        over = [noted for noted in lane.journal.unpruned() if self._is_over(noted)]
        if over:
            self._sight = _Sight(head.number, head.hash, over)

    def _is_over(self, noted: PendingBatch) -> bool:
        lane = self.lane
        record = lane.ledger.batches.get(noted.batch.id())
        if record is None:
            return False
        if record.state is State.FINAL:
            held = lane.standing.slots.get(record.stamp.slot) == record.id
        else:
            held = record.state is not State.REJECTED
        return not held and record.stamp.closes_at <= self._last()

    def _last(self) -> int:
        """Return the latest time, Unix seconds, at which what is pruned now may have closed."""
        lane = self.lane
        rules = lane.ledger.networks[lane.settings.network_id].rules
        windows = rules.challenge_window + rules.response_window + rules.ruling_window
        return self._kept_since() - windows

    def _kept_since(self) -> int:
        after = self.lane.settings.prune_after
        assert after != NEVER
        return self.lane.head.block_time - int(after)

    def _confirm(self) -> None:
        """Begin to prune what was over at a block that is finalized by now."""
        sight, lane = self._sight, self.lane
        if sight is None:
            return
        w3 = lane.registry.w3
        if int(w3.eth.get_block("finalized")["number"]) < sight.number:
            return
        self._sight = None
        if bytes(w3.eth.get_block(sight.number)["hash"]) != sight.hash:
            lane.log.warning("block given up; nothing pruned", block=sight.number)
            return
        lane.journal.begin_pruning(sight.over, lane.head.block_time)

    def _empty(self, until: float) -> bool:
        """Let go of what was begun, until a time of the monotonic clock; whether that was all."""
        lane, journal = self.lane, self.lane.journal
        for noted in journal.pruning():
            lane.store.delete(noted.batch.root)
            while (after := journal.prune(noted, self._done.get(noted.key, 0), _MOST)) is not None:
                self._done[noted.key] = after
                if time.monotonic() > until:
                    return False
            journal.end_pruning(noted, lane.head.block_time)
            self._done.pop(noted.key, None)
            lane.metrics.pruned.inc(noted.batch.count)
            lane.log.info(
                "batch pruned",
                batch_id=noted.batch.id(),
                index=noted.batch.index,
                count=noted.batch.count,
            )
        while count := journal.prune_expired(self._kept_since(), _MOST):
            lane.metrics.pruned.inc(count)
            lane.log.info("expired answers pruned", count=count)
            if time.monotonic() > until:
                return False
        return self._give_back(until)

    def _give_back(self, until: float) -> bool:
        """Make the journal's file shorter by what nothing is in; whether that is done."""
        lane, journal = self.lane, self.lane.journal
        free = journal.free()
        # A process that was killed may have shortened the file, and left the log that says so.
        if free <= _SPARE and journal.log_size() <= _SPARE:
            return True
        while free and time.monotonic() <= until:
            journal.give_back(_PAGES)
            before, free = free, journal.free()
            if free >= before:
                break
        journal.checkpoint()
        lane.log.info("journal made smaller", size=journal.size(), free=free)
        return free <= _SPARE
