"""Turns that the members of a committee or a panel take with moves that any of them may make.

Who is first differs from batch to batch. Whoever does nothing in its turn loses it to the next one,
and near a deadline nobody waits.
"""

import threading
import time

from tallystick.chain.committee import CommitteeMember
from tallystick.node.verifier.watch import OpenBatch, Watch

NEAR = 600.0
"""Seconds before a deadline from which on nobody waits."""


class Turns:
    """The order of a network's verifiers, and how long this node has waited.

    Args:
        watch: knows the committees, and which member this node is.
        turn_every: seconds of one turn.
    """

    def __init__(self, watch: Watch, turn_every: float) -> None:
        self._watch, self._turn_every = watch, turn_every
        self._since: dict[tuple[bytes, str], float] = {}
        self._lock = threading.Lock()

    def is_mine(self, open_batch: OpenBatch, what: str, deadline: int) -> bool:
        """Return whether this node may make a move; its wait begins when it is first asked.

        Args:
            open_batch: the batch.
            what: the move.
            deadline: Unix seconds of the chain until which the move has to be made.
        """
        before = len(self.before(open_batch)) + len(self.keys_before(open_batch))
        with self._lock:
            since = self._since.setdefault((open_batch.record.id, what), time.monotonic())
        if deadline - open_batch.now <= max(NEAR, (before + 1) * self._turn_every):
            return True
        return time.monotonic() - since >= before * self._turn_every

    def before(self, open_batch: OpenBatch) -> list[CommitteeMember]:
        """Return the members whose turn comes before this node's; those of no committee are last.

        Without a committee in which this node takes part, nobody is.
        """
        membership = self._watch.colleagues(open_batch.rules)
        if membership is None:
            return []
        members = [one for one in membership.members() if one.counts]
        if not members:
            return []
        first = int.from_bytes(open_batch.record.id[:8], "big") % len(members)
        order = members[first:] + members[:first]
        own = membership.member
        return order if own is None else order[: order.index(own)]

    def keys_before(self, open_batch: OpenBatch) -> list[bytes]:
        """Return the keys of a pool's panel whose turn comes before this node's; off it: all."""
        auditor = self._watch.auditor
        if auditor is None or self._watch.auditor_for(open_batch.rules) is not auditor:
            return []
        record = open_batch.record
        seed = self._watch.seed(record, auditor)
        panel = auditor.audit_panel(record.id, record.stamp, seed) if seed else None
        return panel.before(auditor.key) if panel else []
