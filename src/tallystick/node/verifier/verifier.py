"""What the node does about each batch; whoever calls it, and how often, makes no difference.

Findings, statements and moves are in the journal before anybody can see them, and each is made
once. Several processes may do this at a time: a batch is looked at by one of them.
"""

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from web3.exceptions import Web3Exception

from tallystick.enums import DisputeKind
from tallystick.errors import TallystickError
from tallystick.node.log import get_log
from tallystick.node.verifier.acting import Acting
from tallystick.node.verifier.collecting import Collecting
from tallystick.node.verifier.journal import Journal
from tallystick.node.verifier.looking import Looking
from tallystick.node.verifier.outbox import Outbox
from tallystick.node.verifier.taking import taken
from tallystick.node.verifier.watch import Watch

AT_ONCE = 4
"""Batches that one process looks at: a store that hangs holds up one of them."""
EXPECTED = (TallystickError, OSError, ValueError, Web3Exception, sqlite3.Error)
"""What may go wrong without a bug of ours; it is tried again with the next block."""

_LOG = get_log("verifier")


class Verifier:
    """One node.

    Args:
        watch: what is known of the chain.
        looking: finds out what is the matter with a batch.
        acting: does something about it.
        collecting: takes what is the node's.
        journal: the node's.
        outbox: sends, or in a dry run says what it would.
        home: the node's folder; processes share the batches by locks in it.
    """

    def __init__(
        self,
        watch: Watch,
        looking: Looking,
        acting: Acting,
        collecting: Collecting,
        journal: Journal,
        outbox: Outbox,
        home: Path,
    ) -> None:
        self.watch, self._looking, self._acting = watch, looking, acting
        self._collecting = collecting
        self.journal, self.outbox, self.home = journal, outbox, home
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="look")
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
            self.watch.sync()
            if self.watch.has(batch_id):
                self._see_to(batch_id)

        self._guarded("batch", see, batch=batch_id)

    def _tick(self) -> None:
        self.watch.sync()
        self._guarded("settle", self.outbox.settle)
        list(self._pool.map(self._see_to_guarded, self.watch.live()))
        self._guarded("convict", self._collecting.convict_jurors)
        self._guarded("claim", self._collecting.claim)

    def _see_to_guarded(self, batch_id: bytes) -> None:
        self._guarded("batch", lambda: self._see_to(batch_id), batch=batch_id)

    def _see_to(self, batch_id: bytes) -> None:
        with taken(self.home / "locks", batch_id) as mine:
            if not mine:
                return
            subject = self.watch.subject(batch_id)
            if subject is None:
                return
            dispute = subject.record.dispute
            if dispute is not None:
                self._acting.on_clock(subject, dispute)
            found = self._looking.found(subject)
            if found is not None:
                self._acting.on_finding(subject, found)
            if dispute is not None and dispute.kind is DisputeKind.CHALLENGE:
                self._acting.on_challenge(subject, dispute)

    def _guarded(self, what: str, work: Callable[[], None], **facts: object) -> None:
        try:
            work()
        except EXPECTED as error:
            self.failures += 1
            reason = " ".join(str(error).split()) or type(error).__name__
            _LOG.warning("failed; tried again", what=what, reason=reason, **facts)
