"""A member of a committee: what it signs, and when the others' signatures are enough."""

import json
import threading
import time
from collections.abc import Sequence

from tallystick.chain.committee import Committee, CommitteeMember
from tallystick.chain.signer import Signer
from tallystick.node.log import get_log
from tallystick.node.verifier.journal import StatementKind, VerifierJournal
from tallystick.node.verifier.sharing import Shared, gathered
from tallystick.protocol.committee import Audit, Verdict
from tallystick.protocol.statement import Statement

MEMBERS_LAST = 30.0
"""Seconds until the members' standing is read again."""

_LOG = get_log("committee")


class Membership:
    """One member, or somebody who would be.

    Args:
        committee: the committee.
        signer: the member's account.
        journal: the node's.
        shared: where members show their signatures.
        turn_every: seconds that each signer before this one has to send what is complete.
    """

    def __init__(
        self,
        committee: Committee,
        signer: Signer,
        journal: VerifierJournal,
        shared: Sequence[Shared],
        turn_every: float,
    ) -> None:
        self.committee, self._signer, self._journal = committee, signer, journal
        self._shared, self._turn_every = list(shared), turn_every
        self.terms = committee.terms()
        self._domain = committee.domain
        self._members: tuple[float, list[CommitteeMember]] = (0.0, [])
        self._complete: dict[bytes, float] = {}
        self._lock = threading.Lock()

    @property
    def address(self) -> bytes:
        """The committee, 20 bytes."""
        return self.committee.address

    @property
    def member(self) -> CommitteeMember | None:
        """This node's member, if it has one whose signature counts."""
        return next(
            (one for one in self.members() if one.key == self._signer.address and one.counts), None
        )

    def members(self) -> list[CommitteeMember]:
        """Return the members, as they were lately."""
        with self._lock:
            at, members = self._members
            if time.monotonic() - at > MEMBERS_LAST or not members:
                members = self.committee.members()
                self._members = (time.monotonic(), members)
            return members

    def state(self, says: Audit | Verdict) -> Statement | None:
        """Sign a statement, once, and show it; None when this node has no member that counts.

        On one leaf of a batch only one verdict is ever signed: the first is returned again.
        """
        member = self.member
        if member is None:
            return None
        subject = _open_batch(says, self._domain.contract)
        known = self._journal.statement(subject)
        if known is None:
            signature = self._signer.sign(self._domain, says.struct_hash())
            signed = Statement(self._domain, says).signed(member.index, signature)
            digest = says.digest(self._domain)
            written = json.dumps(signed.to_json())
            kind = StatementKind.AUDIT if isinstance(says, Audit) else StatementKind.VERDICT
            if self._journal.note_statement(digest, subject, kind, written, time.time()):
                _LOG.info("signed", batch=says.batch_id, kind=kind.value)
            known = self._journal.statement(subject)
        assert known is not None
        statement = Statement.from_json(json.loads(known[0]))
        for place in self._shared:
            place.show(statement.says.digest(self._domain), member.index, statement)
        return statement

    def evidence(self, own: Statement) -> bytes | None:
        """Return evidence when enough members have signed and it is this node's turn to send it."""
        digest = own.says.digest(self._domain)
        others = [statement for place in self._shared for statement in place.seen(digest)]
        together = gathered(own, others, self.members())
        if len(together.signatures) < self.terms.threshold:
            return None
        since = self._complete.setdefault(digest, time.monotonic())
        (member,) = own.signatures
        before = sum(place < member for place in together.signatures)
        if time.monotonic() - since < before * self._turn_every:
            return None
        few = dict(sorted(together.signatures.items())[: self.terms.threshold])
        return own.says.evidence(few)


def _open_batch(says: Audit | Verdict, committee: bytes) -> bytes:
    """Return what a member says one thing about at most."""
    if isinstance(says, Audit):
        # Of a chain that reorganised, the block that seeds the draw is another.
        return committee + says.batch_id + says.committed_at.to_bytes(5, "big") + says.seed
    return committee + says.batch_id + says.leaf_index.to_bytes(4, "big")
