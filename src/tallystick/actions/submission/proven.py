"""Records committed as a batch with a zk proof of each: graded Proven in the same transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tallystick.actions.submission.journal import SubmissionJournal
from tallystick.actions.submission.plan import Submission, registered_model
from tallystick.actions.submission.submitter import PreparedSubmission, Submitted, Submitter
from tallystick.chain.deploy import create2_address, is_deployed
from tallystick.chain.registry import Registry
from tallystick.chain.revert import ContractError
from tallystick.chain.sender import Sender
from tallystick.chain.view import read_view
from tallystick.errors import SubmitError
from tallystick.protocol.enums import Grade
from tallystick.protocol.hexes import checksummed, to_hex
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.ledger import Ledger, Model
from tallystick.protocol.proof import SPEC, SPEC_ID, Circuit, ProofModel, ProvenLeaf
from tallystick.protocol.record import InferenceRecord
from tallystick.storage.batch_store import BatchStore
from tallystick.storage.record_files import read_records

CONTRACT = "Proof"
LABEL = "proven"
"""Tells these submissions apart from those of the same records without proofs."""
ProofOf = Callable[[InferenceRecord], bytes]
"""Returns a record's proof."""


@dataclass(frozen=True, slots=True)
class PreparedProven:
    """A batch with the evidence that all of it is proven."""

    order: Submission
    prepared: PreparedSubmission
    evidence: bytes


class ProvenSubmitter:
    """Commits records in one operator's lane, each with its proof.

    Args:
        registry: the contract.
        sender: the operator.
        ledger: reads the events up to the latest block.
        now: reads the time of a block mined now, in Unix seconds.
        store: where batch data go.
        receipts: folder of receipts and of the journal.
        circuit: of the model.
        creation: the verifier's creation code.
        proof_of: returns a record's proof.
    """

    def __init__(
        self,
        registry: Registry,
        sender: Sender,
        ledger: Callable[[], Ledger],
        now: Callable[[], int],
        store: BatchStore,
        receipts: Path,
        circuit: Circuit,
        creation: bytes,
        proof_of: ProofOf,
    ) -> None:
        self._registry, self._ledger = registry, ledger
        self._circuit, self._proof_of = circuit, proof_of
        self._verifier = create2_address(creation)
        journal = SubmissionJournal.beside(receipts)
        self._submitter = Submitter(registry, sender, ledger, now, store, journal, receipts)

    def prepare(self, records: Path, network_id: bytes, model_id: bytes) -> PreparedProven:
        """Return the batch that records become, with its evidence; writes and sends nothing.

        Raises:
            RecordError: wrong lines.
            SubmitError: model, verifier or attestor are others than are needed.
            ZkError: a record has no proof.
            FieldError: a record has hashes alone, or bytes that the encodings don't take.
        """
        model = self._model(network_id, model_id)
        read = read_records(records)
        # Before anything is planned: what lacks a proof is told first.
        proofs = {(one.input_hash, one.output_hash): self._proof_of(one) for one in read}
        order = Submission(records, network_id, model_id, label=LABEL)
        prepared = self._submitter.prepare(order)
        plan = prepared.plan
        if not plan.committed:
            self._check_chain(network_id)
        evidence = model.evidence(self._leaves(plan.records, plan.batch.operator, model, proofs))
        return PreparedProven(order, prepared, evidence)

    def simulate(self, proven: PreparedProven) -> int | None:
        """Return the gas of commit and proofs together; None: it is not sent.

        Raises:
            ContractError: registry or attestor would refuse it; a proof that does not hold is
                ProofRefused, with its leaf.
        """
        attested = replace(proven.order, attestation=(Grade.PROVEN, proven.evidence))
        # Prepared anew, a second later, it would be another batch than the evidence is of.
        return self._submitter.simulate(self._submitter.attested(proven.prepared, attested))

    def send(self, proven: PreparedProven) -> Submitted:
        """Commit the batch with its proofs, unless the chain has it.

        Raises:
            SubmitError: the stake is too small.
            ContractError: registry or attestor refuse it.
        """
        if not proven.prepared.plan.committed:
            # The proofs are of this batch's leaves: a second run must make no other one of them.
            self._submitter.note(proven.prepared)
        attested = replace(proven.order, attestation=(Grade.PROVEN, proven.evidence))
        return self._submitter.submit(attested)

    def _model(self, network_id: bytes, model_id: bytes) -> ProofModel:
        registered = registered_model(self._ledger(), network_id, model_id)
        return proof_model(registered, self._circuit, self._verifier)

    def _leaves(
        self,
        records: Sequence[InferenceRecord],
        operator: bytes,
        model: ProofModel,
        proofs: dict[tuple[bytes, bytes], bytes],
    ) -> list[ProvenLeaf]:
        return [
            ProvenLeaf(
                record.inference(model.id(), operator),
                record.input or b"",
                record.output or b"",
                proofs[record.input_hash, record.output_hash],
            )
            for record in records
        ]

    def _check_chain(self, network_id: bytes) -> None:
        w3, circuit = self._registry.w3, self._circuit
        attestor = self._registry.rules(network_id).attestors[Grade.PROVEN - 1]
        arguments = circuit.code_hash, circuit.key_hash, circuit.input.word, circuit.output.word
        try:
            content = read_view(w3, CONTRACT, attestor, "contentHashOf", *arguments)
        except (ContractError, ValueError) as error:
            raise SubmitError(
                f"the network's Proven attestor {checksummed(attestor)} is no {CONTRACT}: {error}"
            ) from error
        if content != circuit.content_hash():
            raise SubmitError(f"the network's Proven attestor is another {CONTRACT} than this one")
        where = checksummed(self._verifier)
        if not is_deployed(w3, self._verifier):
            raise SubmitError(f"the model's verifier is not at {where}; needed: zk register")
        found = keccak256(bytes(w3.eth.get_code(w3.to_checksum_address(self._verifier))))
        if found != circuit.code_hash:
            raise SubmitError(f"the code at {where} is not the model's verifier")


def proof_model(registered: Model, circuit: Circuit, verifier: bytes) -> ProofModel:
    """Return a registered model as evidence names it.

    Raises:
        SubmitError: it is of another spec, or of another circuit.
    """
    if registered.spec_hash != SPEC_ID:
        found = to_hex(registered.spec_hash)
        raise SubmitError(f"the model's spec is {found}, not that of {SPEC.decode()}")
    if registered.content_hash != circuit.content_hash():
        raise SubmitError(
            f"the model's content is {to_hex(registered.content_hash)}; that of this circuit is "
            f"{to_hex(circuit.content_hash())}"
        )
    network_id, registrant = registered.network_id, registered.registrant
    return ProofModel(network_id, registrant, circuit, verifier, registered.parent)
