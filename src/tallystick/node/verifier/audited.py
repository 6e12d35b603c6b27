"""Audits that are on chain: whoever signed one that turns out wrong loses its stake.

They are read from the evidence that the core tells of each attest, whoever sent it.
"""

from collections.abc import Callable, Iterator

from tallystick.batch import Batch
from tallystick.chain.call import Call
from tallystick.chain.panel import Panel
from tallystick.committee import Audit
from tallystick.enums import Grade
from tallystick.errors import FieldError
from tallystick.events import EvidenceAccepted
from tallystick.moves.auditors import acquittal, convict, convict_on_evidence, drawn_by
from tallystick.node.verifier.journal import Journal
from tallystick.opening import Opening
from tallystick.status import Status

Proof = tuple[Opening, bytes]
"""A leaf, and evidence for the arbiter that it is wrong."""


def conviction(
    panel: Panel,
    journal: Journal,
    batch: Batch,
    archived: Status,
    own: int | None,
    proof: Callable[[set[int]], Proof | None],
) -> Call | None:
    """Return the call that burns the stake of who audited a batch wrongly; None: nobody did.

    Args:
        panel: the committee that audited.
        journal: that has the core's logs.
        batch: audited, and rejected or final.
        archived: what the core has of it.
        own: this node's place in the committee: it does not convict itself. None: it has none.
        proof: given the drawn leaves, returns one that is wrong, if this node can show it.
    """
    terms = panel.terms()
    for audit, signatures in _audits(journal, batch):
        if own in signatures:
            continue
        if acquittal(terms, audit, batch, archived) is None:
            return convict(panel, batch, audit, signatures)
        shown = proof(drawn_by(terms, audit, batch))
        if shown is not None:
            return convict_on_evidence(panel, batch, audit, signatures, *shown)
    return None


def _audits(journal: Journal, batch: Batch) -> Iterator[tuple[Audit, dict[int, bytes]]]:
    """Yield the audits by which a batch became Audited."""
    for event in journal.events(EvidenceAccepted, batch.id()):
        if event.grade is not Grade.AUDITED:
            continue
        try:
            audit, signatures = Audit.from_evidence(event.evidence)
        except FieldError:
            continue
        if audit.batch_id == batch.id():
            yield audit, signatures
