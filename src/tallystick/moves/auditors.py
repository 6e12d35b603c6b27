"""Moves that burn the stake of who signed a wrong audit.

Two ways: by what the core has archived of the batch, or by asking the committee's arbiter, whatever
became of the batch. Source: contracts/committee/ICommittee.sol.
"""

from tallystick.batch import Batch
from tallystick.chain.call import Call
from tallystick.chain.panel import Panel, Terms
from tallystick.committee import Audit
from tallystick.draw import draw
from tallystick.enums import Cause
from tallystick.keys import Signatures, packed
from tallystick.opening import Opening
from tallystick.status import Status


def drawn_by(terms: Terms, audit: Audit, batch: Batch) -> set[int]:
    """Return the leaves that signers of an audit say they re-executed."""
    return set(draw(audit.seed, audit.batch_id, terms.min_drawn, batch.count))


def acquittal(terms: Terms, audit: Audit, batch: Batch, archived: Status) -> str | None:
    """Return why what the core has archived of a batch convicts no signer; None: it does.

    Args:
        terms: the committee's.
        audit: of the batch, with a good verdict.
        batch: in a network with the committee's arbiter.
        archived: the core's answer.
    """
    cause = archived.cause
    if cause in (Cause.RULING, Cause.DISPROOF):
        if archived.leaf_index in drawn_by(terms, audit, batch):
            return None
        return f"leaf {archived.leaf_index}, which convicted the batch, was not drawn"
    if cause is Cause.DEADLINE:
        if archived.committed_at == audit.committed_at:
            return None
        return f"the audit is of a commit at {audit.committed_at}, not {archived.committed_at}"
    if cause is Cause.ORDER:
        return None
    if cause is Cause.NONE:
        return f"the batch is archived as {archived.state.name.lower()}, not as rejected"
    return f"the batch was rejected by a {cause.name.lower()}, which convicts nobody"


def convict(panel: Panel, batch: Batch, audit: Audit, signatures: Signatures) -> Call:
    """Return the call that convicts by what the core has archived."""
    return panel.call("convict", batch.abi(), audit.abi(), packed(signatures))


def convict_on_evidence(
    panel: Panel,
    batch: Batch,
    audit: Audit,
    signatures: Signatures,
    opening: Opening,
    evidence: bytes,
) -> Call:
    """Return the call that has the committee's arbiter rule on a drawn leaf, and convicts."""
    return panel.call(
        "convictOnEvidence",
        batch.abi(),
        audit.abi(),
        packed(signatures),
        opening.abi(),
        evidence,
    )
