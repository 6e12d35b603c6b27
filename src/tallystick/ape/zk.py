"""Submission of proven answers, with its outcome on stdout."""

from pathlib import Path

from tallystick.actions.submission.proven import ProofOf, ProvenSubmitter
from tallystick.ape.outcome import planned, sent
from tallystick.cli.session import Session
from tallystick.protocol.proof import Circuit
from tallystick.storage.batch_store import BatchStore


def submit_proven(
    session: Session,
    circuit: Circuit,
    creation: bytes,
    proof_of: ProofOf,
    records: Path,
    network_id: bytes,
    model_id: bytes,
    store: str,
    receipts: Path,
) -> None:
    """Commit records with their proofs, or say what that would do, and print the outcome.

    Args:
        session: whose sender is the operator.
        circuit: of the model.
        creation: the verifier's creation code.
        proof_of: returns a record's proof.
        records: their file.
        network_id: 32 bytes.
        model_id: 32 bytes.
        store: folder or URL of batch data.
        receipts: folder of receipts and of the journal.
    """
    submitter = ProvenSubmitter(
        session.registry,
        session.sender,
        lambda: session.ledger(network_id=network_id, operator=session.sender.address),
        lambda: session.now,
        BatchStore(store),
        receipts,
        circuit,
        creation,
        proof_of,
    )
    proven = submitter.prepare(records, network_id, model_id)
    prepared = proven.prepared
    if session.dry_run:
        result = planned(prepared, submitter.simulate(proven))
    else:
        result = sent(submitter.send(proven))
    batch = prepared.plan.batch
    facts = {"batch_id": batch.id(), "root": batch.root, "count": batch.count}
    session.show({**facts, "grade": "proven", **result})
