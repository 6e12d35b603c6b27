"""Records committed as a batch with a zk proof of each: graded Proven in the same transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
            check_proof(self._registry, network_id, self._circuit, self._verifier)
        evidence = proven_evidence(
            model,
            plan.batch.operator,
            plan.records,
            lambda one: proofs[one.input_hash, one.output_hash],
        )
        return PreparedProven(prepared, evidence)

    def simulate(self, proven: PreparedProven) -> int | None:
        """Return the gas of commit and proofs together; None: it is not sent.

        Raises:
            ContractError: registry or attestor would refuse it; a proof that does not hold is
                ProofRefused, with its leaf.
        """
        return self._submitter.simulate(self._attested(proven))

    def send(self, proven: PreparedProven) -> Submitted:
        """Commit the batch with its proofs, unless the chain has it.

        Raises:
            SubmitError: the stake is too small.
            ContractError: registry or attestor refuse it.
        """
        # The proofs are of this batch's leaves: nothing is planned once more.
        return self._submitter.send(self._attested(proven))

    def _attested(self, proven: PreparedProven) -> PreparedSubmission:
        return self._submitter.attested(proven.prepared, Grade.PROVEN, proven.evidence)

    def _model(self, network_id: bytes, model_id: bytes) -> ProofModel:
        registered = registered_model(self._ledger(), network_id, model_id)
        return proof_model(registered, self._circuit, self._verifier)


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


def check_proof(registry: Registry, network_id: bytes, circuit: Circuit, verifier: bytes) -> None:
    """Raise SubmitError unless a network takes proofs of a circuit as things stand.

    Its Proven attestor must be a Proof, and the circuit's verifier must be on chain.
    """
    w3 = registry.w3
    attestor = registry.rules(network_id).attestors[Grade.PROVEN - 1]
    arguments = circuit.code_hash, circuit.key_hash, circuit.input.word, circuit.output.word
    try:
        content = read_view(w3, CONTRACT, attestor, "contentHashOf", *arguments)
    except (ContractError, ValueError) as error:
        raise SubmitError(
            f"the network's Proven attestor {checksummed(attestor)} is no {CONTRACT}: {error}"
        ) from error
    if content != circuit.content_hash():
        raise SubmitError(f"the network's Proven attestor is another {CONTRACT} than this one")
    where = checksummed(verifier)
    if not is_deployed(w3, verifier):
        raise SubmitError(f"the model's verifier is not at {where}; needed: model register")
    found = keccak256(bytes(w3.eth.get_code(w3.to_checksum_address(verifier))))
    if found != circuit.code_hash:
        raise SubmitError(f"the code at {where} is not the model's verifier")


def proven_evidence(
    model: ProofModel, operator: bytes, records: Sequence[InferenceRecord], proof_of: ProofOf
) -> bytes:
    """Return the evidence that each leaf of a batch is proven.

    Args:
        model: the batch's.
        operator: the batch's, 20 bytes.
        records: all of the batch, in its order, with their bytes.
        proof_of: returns a record's proof.

    Raises:
        FieldError: a record's bytes are not as the encodings say.
        ZkError: as `proof_of`.
    """
    return model.evidence(
        [
            ProvenLeaf(
                one.inference(model.id(), operator),
                one.input or b"",
                one.output or b"",
                proof_of(one),
            )
            for one in records
        ]
    )
