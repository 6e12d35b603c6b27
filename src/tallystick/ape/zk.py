"""Zk models registered, and proven answers submitted, with the outcome on stdout."""

from pathlib import Path

import click

from tallystick.actions.submission.proven import ProvenSubmitter
from tallystick.ape.outcome import planned, sent
from tallystick.chain.deploy import create2_address, deploy
from tallystick.cli.command import CommandError
from tallystick.cli.session import Session
from tallystick.protocol.proof import SPEC_ID, ProofModel
from tallystick.protocol.scope import Scope
from tallystick.storage.batch_store import BatchStore
from tallystick.zk import srs
from tallystick.zk.model import ZkModel
from tallystick.zk.proofs import ProofFolder


def register_circuit(
    session: Session,
    network_id: bytes,
    folder: Path,
    name: str,
    uri: str,
    parent: bytes,
    local_setup: bool,
) -> None:
    """Deploy a zk model's verifier and register the model, and print the outcome.

    Args:
        session: whose sender registers.
        network_id: 32 bytes.
        folder: as `zk setup` makes.
        name, uri: event data.
        parent: id of the version before, 32 bytes; zero: none.
        local_setup: take a setup that was made on one machine on any chain.

    Raises:
        CommandError: such a setup, and the chain is no known test network.
        ZkError: the folder is none.
    """
    loaded = ZkModel.load(folder)
    chain_id = session.registry.domain.chain_id
    if not loaded.public_setup:
        if chain_id not in srs.TEST_CHAINS and not local_setup:
            raise CommandError(
                f"{srs.LOCAL_CAUTION}; chain {chain_id} is none that is known here; needed: a "
                "public ceremony's file (zk setup --srs), or --local-setup"
            )
        click.echo(f"caution: {srs.LOCAL_CAUTION}", err=True)
    verifier = create2_address(loaded.creation)
    registrant = session.sender.address
    key = ProofModel(network_id, registrant, loaded.circuit, verifier, parent).id()
    told = {**loaded.told(), "verifier": verifier}
    if not session.dry_run:
        deploy(session.w3, session.sender, loaded.creation)
    if key in session.ledger(scope=Scope.directory(network_id)).models:
        session.show({"move": "none: registered already", "model_id": key, **told})
        return
    hashes = loaded.circuit.content_hash(), SPEC_ID
    call = session.registry.call("registerModel", network_id, *hashes, parent, name, uri)
    session.perform(call, model_id=key, **told)


def submit_proven(
    session: Session,
    folder: Path,
    proofs: Path,
    records: Path,
    network_id: bytes,
    model_id: bytes,
    store: str,
    receipts: Path,
) -> None:
    """Commit records with their proofs, or say what that would do, and print the outcome.

    Args:
        session: whose sender is the operator.
        folder: of the zk model.
        proofs: folder of proofs, as `zk prove` makes.
        records: their file.
        network_id: 32 bytes.
        model_id: 32 bytes.
        store: folder or URL of batch data.
        receipts: folder of receipts and of the journal.
    """
    loaded = ZkModel.load(folder)
    submitter = ProvenSubmitter(
        session.registry,
        session.sender,
        lambda: session.ledger(network_id=network_id, operator=session.sender.address),
        lambda: session.now,
        BatchStore(store),
        receipts,
        loaded.circuit,
        loaded.creation,
        ProofFolder(proofs, loaded).get,
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
