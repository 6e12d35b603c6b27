"""Actions that burn the stake of who signed a wrong audit.

Two ways: by the registry's archive of the batch, or by asking the committee's arbiter, whatever
became of the batch. Source: contracts/committee/ICommittee.sol.
"""

from tallystick.chain.call import Call
from tallystick.chain.committee import Committee, CommitteeTerms
from tallystick.protocol.batch import Batch
from tallystick.protocol.committee import Audit
from tallystick.protocol.enums import Cause
from tallystick.protocol.keys import Signatures, packed
from tallystick.protocol.opening import Opening
from tallystick.protocol.sampling import draw
from tallystick.protocol.status import Status


def drawn_by(terms: CommitteeTerms, audit: Audit, batch: Batch) -> set[int]:
    """Return the leaves that signers of an audit say they re-executed."""
    return set(draw(audit.seed, audit.batch_id, terms.min_drawn, batch.count))


def acquittal(terms: CommitteeTerms, audit: Audit, batch: Batch, archived: Status) -> str | None:
    """Return why what the registry has archived of a batch convicts no signer; None: it does.

    Args:
        terms: the committee's.
        audit: of the batch, with a good verdict.
        batch: in a network with the committee's arbiter.
        archived: the registry's answer.
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


def convict(committee: Committee, batch: Batch, audit: Audit, signatures: Signatures) -> Call:
    """Return the call that convicts by what the registry has archived."""
    return committee.call("convict", batch.abi(), audit.abi(), packed(signatures))


def convict_on_evidence(
    committee: Committee,
    batch: Batch,
    audit: Audit,
    signatures: Signatures,
    opening: Opening,
    evidence: bytes,
) -> Call:
    """Return the call that has the committee's arbiter rule on a drawn leaf, and convicts."""
    return committee.call(
        "convictOnEvidence",
        batch.abi(),
        audit.abi(),
        packed(signatures),
        opening.abi(),
        evidence,
    )
