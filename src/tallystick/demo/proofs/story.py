"""The story: one network that takes proofs, audits and an enclave's word, counted side by side.

One operator proves every answer, one is audited, one's key is endorsed as an enclave's; a fourth
shows a proof of another answer than it committed, and is refused.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any

from tallystick.actions.submission.proven import ProofOf, ProvenSubmitter
from tallystick.chain.deploy import creation_code, deploy
from tallystick.chain.localnet import advance, localnet
from tallystick.chain.revert import ContractError
from tallystick.demo import report
from tallystick.demo.cast import ROLES
from tallystick.demo.committee import DemoCommittee
from tallystick.demo.data_folder import keep
from tallystick.demo.digits.quantized import load_samples
from tallystick.demo.operators import DemoOperator, altered, write_records
from tallystick.demo.proofs import kinds
from tallystick.demo.proofs.classifier import HELD_OUT, images, write_mlp
from tallystick.demo.proofs.enclave import EnclaveKey, found_enclave
from tallystick.demo.verifier import DemoVerifier, Good
from tallystick.demo.world import Stage, World, found, open_network
from tallystick.protocol.abi_words import ZERO32
from tallystick.protocol.batch import Batch
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.enums import Grade
from tallystick.protocol.ledger import BatchState
from tallystick.protocol.proof import SPEC_ID as PROVEN_SPEC
from tallystick.protocol.record import InferenceRecord
from tallystick.protocol.rules import model_id
from tallystick.replay.engine import Engine
from tallystick.replay.model import SPEC_ID
from tallystick.storage.batch_store import BatchStore
from tallystick.zk.engine import Limits
from tallystick.zk.model import ZkModel
from tallystick.zk.proofs import ProofFolder, prove_all
from tallystick.zk.setup import Choices, inputs_of, set_up
from tallystick.zk.srs import LOCAL_CAUTION

Tell = Callable[[str], None]
GENESIS = 1_800_000_000
NETWORK = "Assay"
PROVER, AUDITED, ENCLOSED, FORGER = "ada", "bob", "cyd", "dan"
PROVEN_COUNT, AUDITED_COUNT, ENCLAVE_COUNT = 8, 60, 40
CHOICES = Choices("u8", "i32", input_scale=0, param_scale=10, legs=3)
LIMITS = Limits(seconds=300, memory=8 << 30)
LAST = (
    f"What Proven rests on here: {LOCAL_CAUTION}.",
    "With a public ceremony's file (tallystick zk setup --srs) nobody can alone. See docs/zk.md.",
)


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that the parts of the story share."""

    world: World
    lanes: dict[str, Stage]
    """The network as each operator's lane sees it: its model, its gas."""
    folder: Path
    store: BatchStore
    zk: ZkModel
    tell: Tell

    @property
    def proofs(self) -> ProofFolder:
        """The proofs that the prover has made."""
        return ProofFolder(self.folder / "proofs", self.zk)

    def batch(self, batch: Batch) -> BatchState:
        """Return a batch as the events have it."""
        return self.world.ledger().batches[batch.id()]

    def proven(self, role: str, proof_of: ProofOf) -> ProvenSubmitter:
        """Return what commits an operator's records with a proof of each."""
        world = self.world
        return ProvenSubmitter(
            world.registry,
            world.sender_for(self.lanes[role], role),
            world.ledger,
            lambda: world.now,
            self.store,
            self.folder / role / "receipts",
            self.zk.circuit,
            self.zk.creation,
            proof_of,
        )

    def attest(self, role: str, record: BatchState, grade: Grade, evidence: bytes) -> None:
        """Have somebody bring evidence for an operator's batch."""
        reference = record.batch.abi(), record.stamp.pack()
        self.world.send_for(
            self.lanes[role], "verifier", "attest", *reference, int(grade), evidence
        )


def run(tell: Tell, data: Path | None = None) -> list[dict[str, Any]]:
    """Play the whole story on a local chain of its own.

    Args:
        tell: called with a line for each thing that happens.
        data: a folder, empty or not there, where what the chain and the store have is kept; None:
            nowhere.

    Returns:
        A row for the network, as of report.rows, then one for each kind of evidence.

    Raises:
        ZkError: EZKL is missing, or fails.
    """
    with (
        localnet(accounts=len(ROLES), timestamp=GENESIS) as w3,
        tempfile.TemporaryDirectory() as named,
    ):
        folder = Path(named)
        zk = _set_up(folder, tell)
        world = found(w3)
        lanes = _open(world, zk, tell)
        scene = Scene(world, lanes, folder, BatchStore(f"{folder}/batches"), zk, tell)
        proven = _prove(scene)
        _audit(scene)
        _enclose(scene)
        _forge(scene, proven)
        _finish(scene)
        if data is not None:
            keep(world, scene.store, data)
        grades = dict(zip(lanes, kinds.RESTS_ON, strict=True))
        spent = {grades[role]: lane.gas for role, lane in lanes.items()}
        world.stages[NETWORK].gas = sum(spent.values())
        return report.rows(world) + kinds.rows(world, world.stages[NETWORK].id, spent)


def _set_up(folder: Path, tell: Tell) -> ZkModel:
    """Make the circuit, its keys and its verifier, with an SRS of this machine."""
    start = monotonic()
    onnx = write_mlp(folder / "mlp.onnx")
    zk = set_up(onnx, folder / "digits.zk", images()[-HELD_OUT:], CHOICES, limits=LIMITS)
    right, asked = zk.equal
    tell(
        f"a circuit, its keys and its verifier in {monotonic() - start:.0f} s; it answers {right} "
        f"of {asked} images that training never saw as the network it was made of"
    )
    return zk


def _open(world: World, zk: ZkModel, tell: Tell) -> dict[str, Stage]:
    """Register the network with both models; return each operator's lane."""
    w3, owner = world.w3, world.senders["owner"]
    proof, _ = deploy(w3, owner, creation_code("Proof"))
    deploy(w3, owner, zk.creation)
    rules = world.audited(world.replay)
    attestors = rules.attestors[0], found_enclave(w3, owner), proof
    rules = replace(rules, attestors=attestors)
    roles, hashes = (PROVER, AUDITED, ENCLOSED, FORGER), (world.model.content_hash(), SPEC_ID)
    open_network(world, NETWORK, rules, roles, "digits.qi8", hashes)
    stage = world.stages[NETWORK]
    circuit = zk.circuit.content_hash(), PROVEN_SPEC
    world.send("owner", "registerModel", stage.id, *circuit, ZERO32, "digits.zk", "digits.zk")
    proven = model_id(stage.id, owner.address, *circuit, ZERO32)
    tell(f"{NETWORK}: a network whose rules take proofs, audits, and enclaves' signatures")
    # Gas is counted by lane: in each all batches end with one kind of evidence.
    return {
        role: replace(stage, model_id=proven) if role in (PROVER, FORGER) else replace(stage)
        for role in (PROVER, AUDITED, ENCLOSED, FORGER)
    }


def _operator(scene: Scene, role: str) -> DemoOperator:
    own, world = scene.folder / role, scene.world
    own.mkdir()
    return DemoOperator(world, scene.lanes[role], role, Engine(world.model), own, scene.store)


def _prove(scene: Scene) -> Sequence[InferenceRecord]:
    """Answer by the circuit, prove each answer, and commit them with their proofs."""
    zk, tell, start = scene.zk, scene.tell, monotonic()
    inputs = inputs_of(zk.circuit.input, images()[-PROVEN_COUNT:])
    outputs = zk.answers(inputs, LIMITS)
    records = [
        InferenceRecord(input=input_, output=output, line=line)
        for line, (input_, output) in enumerate(zip(inputs, outputs, strict=True), 1)
    ]
    made = sum(new for _, new in prove_all(scene.proofs, records, LIMITS))
    size = len(scene.proofs.get(records[0]))
    tell(f"{PROVER}: {made} answers proven, {size:,} bytes each, in {monotonic() - start:.0f} s")
    submitter = scene.proven(PROVER, scene.proofs.get)
    file = write_records(_operator(scene, PROVER).folder / "proven.jsonl", records)
    lane = scene.lanes[PROVER]
    submitted = submitter.send(submitter.prepare(file, lane.id, lane.model_id))
    record = scene.batch(submitted.plan.batch)
    tell(
        f"{PROVER}: batch 0x{record.id.hex()[:8]} of {record.batch.count} committed with its "
        f"proofs for {lane.gas:,} gas: {record.grade.name}"
    )
    reference, opening = (record.batch.abi(), record.stamp.pack()), submitted.issued[0].opening
    refusal = _refusal(
        lambda: scene.world.send("griefer", "challenge", *reference, opening.abi()),
        "ProvenUnchallengeable",
    )
    tell(f"somebody challenges one of the proven answers; refused: {refusal}")
    return records


def _audit(scene: Scene) -> None:
    """Answer by the int8 model; members of a committee run what the chain draws of it."""
    world = scene.world
    operator = _operator(scene, AUDITED)
    samples = load_samples(world.model)[:AUDITED_COUNT]
    record = scene.batch(operator.submit(operator.answer(samples)).plan.batch)
    looked = DemoVerifier(world, operator.engine, scene.store).look(record)
    assert isinstance(looked, Good)
    evidence = DemoCommittee(world, operator.engine).audit(looked.data, record.stamp)
    assert evidence is not None
    scene.attest(AUDITED, record, Grade.AUDITED, evidence)
    scene.tell(
        f"{AUDITED}: batch 0x{record.id.hex()[:8]} of {record.batch.count}: drawn leaves "
        f"re-executed, audited by 2 of 3: {scene.batch(record.batch).grade.name}"
    )


def _enclose(scene: Scene) -> None:
    """Answer by the int8 model; a key that endorsers endorsed signs the batch."""
    world = scene.world
    operator = _operator(scene, ENCLOSED)
    resolver = world.stages[NETWORK].rules.attestors[Grade.ENCLAVE - 1]
    key = EnclaveKey(Domain(world.registry.domain.chain_id, resolver), operator.address)
    key.endorse(world.senders["owner"])
    samples = load_samples(world.model)[AUDITED_COUNT : AUDITED_COUNT + ENCLAVE_COUNT]
    record = scene.batch(operator.submit(operator.answer(samples)).plan.batch)
    scene.attest(ENCLOSED, record, Grade.ENCLAVE, key.sign(record.batch))
    scene.tell(
        f"{ENCLOSED}: batch 0x{record.id.hex()[:8]} of {record.batch.count}: signed by the "
        f"endorsed key: {scene.batch(record.batch).grade.name}"
    )


def _forge(scene: Scene, proven: Sequence[InferenceRecord]) -> None:
    """Show the proof of a right answer for an altered one; then commit that without evidence."""
    world, lane = scene.world, scene.lanes[FORGER]
    wrong = altered(proven[:2], every=2)
    operator = _operator(scene, FORGER)
    file = write_records(operator.folder / "forged.jsonl", wrong)
    right = {one.input_hash: one for one in proven}
    submitter = scene.proven(FORGER, lambda one: scene.proofs.get(right[one.input_hash]))
    forged = submitter.prepare(file, lane.id, lane.model_id)
    refusal = _refusal(lambda: submitter.send(forged), "ProofRefused")
    scene.tell(f"{FORGER}: an altered answer under the proof of the right one; refused: {refusal}")
    assert world.registry.lane(lane.id, operator.address).next_index == 0
    record = scene.batch(operator.submit(wrong).plan.batch)
    scene.tell(f"{FORGER}: commits it without evidence: {scene.batch(record.batch).grade.name}")


def _refusal(act: Callable[[], object], name: str) -> ContractError:
    """Return the contract's error; anything else ends the story."""
    try:
        act()
    except ContractError as error:
        if error.name != name:
            raise
        return error
    raise AssertionError(f"not refused; expected {name}")


def _finish(scene: Scene) -> None:
    """Let the window pass, and make every batch final."""
    world = scene.world
    advance(world.w3, world.stages[NETWORK].rules.challenge_window + 1)
    for record in list(world.ledger().batches.values()):
        role = next(
            one for one in scene.lanes if world.senders[one].address == record.batch.operator
        )
        lane, refs = scene.lanes[role], [(record.id, record.stamp.pack())]
        world.send_for(lane, "verifier", "finalize", refs, lane.id, record.batch.operator)
    scene.tell("a day later all batches are final")
