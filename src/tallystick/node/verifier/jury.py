"""A member of a committee: what it signs, and when the others' signatures are enough."""

import json
import threading
import time
from collections.abc import Sequence

from tallystick.chain.panel import Panel, Seat
from tallystick.committee import Audit, Verdict
from tallystick.node.log import get_log
from tallystick.node.verifier.journal import Journal
from tallystick.node.verifier.sharing import Shared, gathered
from tallystick.node.verifier.signer import Signer
from tallystick.statement import Statement

SEATS_LAST = 30.0
"""Seconds until the members' standing is read again."""

_LOG = get_log("jury")


class Juror:
    """One member, or somebody who would be.

    Args:
        panel: the committee.
        signer: the member's account.
        journal: the node's.
        shared: where members show their signatures.
        turn_every: seconds that each signer before this one has to send what is complete.
    """

    def __init__(
        self,
        panel: Panel,
        signer: Signer,
        journal: Journal,
        shared: Sequence[Shared],
        turn_every: float,
    ) -> None:
        self.panel, self._signer, self._journal = panel, signer, journal
        self._shared, self._turn_every = list(shared), turn_every
        self.terms = panel.terms()
        self._domain = panel.domain
        self._seats: tuple[float, list[Seat]] = (0.0, [])
        self._complete: dict[bytes, float] = {}
        self._lock = threading.Lock()

    @property
    def address(self) -> bytes:
        """The committee, 20 bytes."""
        return self.panel.address

    @property
    def seat(self) -> Seat | None:
        """This node's seat, if it has one whose signature counts."""
        return next(
            (one for one in self.seats() if one.key == self._signer.address and one.counts), None
        )

    def seats(self) -> list[Seat]:
        """Return the members, as they were lately."""
        with self._lock:
            at, seats = self._seats
            if time.monotonic() - at > SEATS_LAST or not seats:
                seats = self.panel.seats()
                self._seats = (time.monotonic(), seats)
            return seats

    def state(self, says: Audit | Verdict) -> Statement | None:
        """Sign a statement, once, and show it; None when this node has no seat that counts.

        On one leaf of a batch only one verdict is ever signed: the first is returned again.
        """
        seat = self.seat
        if seat is None:
            return None
        subject = _subject(says, self._domain.contract)
        known = self._journal.statement(subject)
        if known is None:
            signature = self._signer.sign(self._domain, says.struct_hash())
            signed = Statement(self._domain, says).signed(seat.member, signature)
            digest = says.digest(self._domain)
            written = json.dumps(signed.to_json())
            if self._journal.note_statement(digest, subject, written, time.time()):
                _LOG.info("signed", batch=says.batch_id, kind=type(says).__name__.lower())
            known = self._journal.statement(subject)
        assert known is not None
        statement = Statement.from_json(json.loads(known[0]))
        for place in self._shared:
            place.show(statement.says.digest(self._domain), seat.member, statement)
        return statement

    def evidence(self, own: Statement) -> bytes | None:
        """Return evidence when enough members have signed and it is this node's turn to send it."""
        digest = own.says.digest(self._domain)
        others = [statement for place in self._shared for statement in place.seen(digest)]
        together = gathered(own, others, self.seats())
        if len(together.signatures) < self.terms.threshold:
            return None
        since = self._complete.setdefault(digest, time.monotonic())
        (member,) = own.signatures
        before = sum(place < member for place in together.signatures)
        if time.monotonic() - since < before * self._turn_every:
            return None
        few = dict(sorted(together.signatures.items())[: self.terms.threshold])
        return own.says.evidence(few)


def _subject(says: Audit | Verdict, committee: bytes) -> bytes:
    """Return what a member says one thing about at most."""
    if isinstance(says, Audit):
        # Of a chain that reorganised, the block that seeds the draw is another.
        return committee + says.batch_id + says.committed_at.to_bytes(5, "big") + says.seed
    return committee + says.batch_id + says.leaf_index.to_bytes(4, "big")
