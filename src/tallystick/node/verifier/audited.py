"""Audits that are on chain: whoever signed one that turns out wrong loses its stake.

They are read from the evidence that the registry tells of each attest, whoever sent it.
"""

from collections.abc import Callable, Iterator

from tallystick.actions.auditors import acquittal, convict, convict_on_evidence, drawn_by
from tallystick.chain.call import Call
from tallystick.chain.committee import Committee
from tallystick.chain.follower import Follower
from tallystick.errors import FieldError
from tallystick.protocol.batch import Batch
from tallystick.protocol.committee import Audit
from tallystick.protocol.enums import Grade
from tallystick.protocol.events import EvidenceAccepted
from tallystick.protocol.opening import Opening
from tallystick.protocol.status import Status

Proof = tuple[Opening, bytes]
"""A leaf, and evidence for the arbiter that it is wrong."""


def conviction(
    committee: Committee,
    follower: Follower,
    batch: Batch,
    archived: Status,
    own: int | None,
    proof: Callable[[set[int]], Proof | None],
) -> Call | None:
    """Return the call that burns the stake of who audited a batch wrongly; None: nobody did.

    Args:
        committee: the committee that audited.
        follower: that keeps what events carry.
        batch: audited, and rejected or final.
        archived: what the registry has of it.
        own: this node's place in the committee: it does not convict itself. None: it has none.
        proof: given the drawn leaves, returns one that is wrong, if this node can show it.
    """
    terms = committee.terms()
    for audit, signatures in _audits(follower, batch):
        if own in signatures:
            continue
        if acquittal(terms, audit, batch, archived) is None:
            return convict(committee, batch, audit, signatures)
        shown = proof(drawn_by(terms, audit, batch))
        if shown is not None:
            return convict_on_evidence(committee, batch, audit, signatures, *shown)
    return None


def _audits(follower: Follower, batch: Batch) -> Iterator[tuple[Audit, dict[int, bytes]]]:
    """Yield the audits by which a batch became Audited."""
    for event in follower.events(EvidenceAccepted, batch.id()):
        if event.grade is not Grade.AUDITED:
            continue
        try:
            audit, signatures = Audit.from_evidence(event.evidence)
        except FieldError:
            continue
        if audit.batch_id == batch.id():
            yield audit, signatures
