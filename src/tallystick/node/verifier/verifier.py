"""The node's work on each batch; it makes no difference who calls it, and how often.

Findings, statements and moves are in the journal before anybody can see them, and each is made
once. Several processes may do this at a time: a batch is looked at by one of them.
"""

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from web3.exceptions import Web3Exception

from tallystick.errors import TallystickError
from tallystick.node.log import get_log
from tallystick.node.verifier.backoff import Backoff
from tallystick.node.verifier.claims import Claims
from tallystick.node.verifier.games import Games
from tallystick.node.verifier.inspector import Inspector
from tallystick.node.verifier.journal import VerifierJournal
from tallystick.node.verifier.locks import taken
from tallystick.node.verifier.outbox import Outbox
from tallystick.node.verifier.pool.duty import PoolDuty
from tallystick.node.verifier.responder import Responder
from tallystick.node.verifier.watch import Watch
from tallystick.protocol.enums import DisputeKind

AT_ONCE = 4
"""Batches that one process looks at: a store that hangs holds up one of them."""
_TOLD_EVERY = 60.0
"""Seconds between two lines that say that the node is behind."""
EXPECTED = (TallystickError, OSError, ValueError, Web3Exception, sqlite3.Error)
"""What may go wrong without a bug of ours; it is tried again with the next block."""

_LOG = get_log("verifier")


class Verifier:
    """One node.

    Args:
        watch: what is known of the chain.
        inspector: finds out what is the matter with a batch.
        responder: does something about it.
        games: plays those of the node's challenges.
        claims: takes what is the node's.
        journal: the node's.
        outbox: sends, or in a dry run says what it would.
        home: the node's folder; processes share the batches by locks in it.
        duty: its part in a pool; None: it has none.
    """

    def __init__(
        self,
        watch: Watch,
        inspector: Inspector,
        responder: Responder,
        games: Games,
        claims: Claims,
        journal: VerifierJournal,
        outbox: Outbox,
        home: Path,
        duty: PoolDuty | None = None,
    ) -> None:
        self.watch, self._inspector, self._responder = watch, inspector, responder
        self._games, self._claims, self.duty = games, claims, duty
        self.journal, self.outbox, self.home = journal, outbox, home
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="look")
        self._told = Backoff(_TOLD_EVERY)
        self.failures = 0
        """Since the start; what failed is tried again."""

    def tick(self) -> None:
        """See what is new, and do whatever is due."""
        self._guarded("tick", self._tick)

    def refresh(self) -> None:
        """Read what is new, and do nothing about it."""
        self._guarded("refresh", self.watch.sync)

    def saw(self, batch_id: bytes) -> None:
        """Something happened to a batch: see to it now."""

        def see() -> None:
            if self._sees() and self.watch.has(batch_id):
                self._see_to(batch_id)

        self._guarded("batch", see, batch=batch_id)

    def _sees(self) -> bool:
        """Look at the chain; return whether it is as far as it was, else say that it is not."""
        self.watch.sync()
        if self.watch.behind and self._told.is_time(b"", "behind"):
            self._told.put_off(b"", "behind")
            _LOG.warning("the node is behind; waiting for it", blocks=self.watch.behind)
        return not self.watch.behind

    def _tick(self) -> None:
        if not self._sees():
            return
        self._guarded("settle", self.outbox.settle)
        # Their clocks run: before all else, and not behind batches that take long to look at.
        self._games.play(self._guarded)
        if self.duty is not None:
            # Cases before audits: a challenge lapses where they are late.
            self.duty.step(self._guarded)
        list(self._pool.map(self._see_to_guarded, self.watch.live()))
        self._guarded("convict", self._claims.convict_members)
        self._guarded("claim", self._claims.claim)

    def _see_to_guarded(self, batch_id: bytes) -> None:
        self._guarded("batch", lambda: self._see_to(batch_id), batch=batch_id)

    def _see_to(self, batch_id: bytes) -> None:
        with taken(self.home / "locks", batch_id) as mine:
            if not mine:
                return
            open_batch = self.watch.open_batch(batch_id)
            if open_batch is None:
                return
            dispute = open_batch.record.dispute
            if dispute is not None:
                self._responder.on_clock(open_batch, dispute)
            found = self._inspector.found(open_batch)
            if found is not None:
                self._responder.on_finding(open_batch, found)
                if self.duty is not None:
                    self.duty.on_finding(open_batch, found)
            if dispute is None or dispute.kind is not DisputeKind.CHALLENGE:
                return
            leaf = self._inspector.opened(open_batch.record, dispute.leaf_index)
            if leaf is not None and open_batch.now <= dispute.due:
                self._responder.on_challenge(open_batch, dispute, leaf)
                if self.duty is not None:
                    self.duty.on_challenge(open_batch, dispute, leaf)

    def _guarded(self, what: str, work: Callable[[], None], **facts: object) -> None:
        try:
            work()
        except EXPECTED as error:
            self.failures += 1
            reason = " ".join(str(error).split()) or type(error).__name__
            _LOG.warning("failed; tried again", what=what, reason=reason, **facts)
