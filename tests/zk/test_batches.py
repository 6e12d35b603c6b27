"""What an operator's committer makes of answers with and without proofs, with real ones.

commit: all proven: one batch | some failed: in a batch of their own | the deadline is near: too
a proof of another answer in the folder: the chain refuses it, and it alone goes without
as many proofs as a transaction carries, and one more
a crash after the batch is noted: the next process shows the proofs
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree
from time import monotonic, sleep

import pytest

from tallystick.chain.follower import Follower
from tallystick.chain.localnet import advance
from tallystick.chain.sender import Web3Sender
from tallystick.node.metrics import Metrics
from tallystick.node.operator.committer import Committer
from tallystick.node.operator.journal import Accepted, Answered, OperatorJournal
from tallystick.node.operator.lane import OperatorLane
from tallystick.node.operator.receipts import Receipts
from tallystick.node.operator.zk.batches import ProvenBatches
from tallystick.node.operator.zk.queue import ProvingQueue
from tallystick.node.settings import OperatorSettings
from tallystick.protocol.enums import Grade
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.record import InferenceRecord
from tallystick.storage.batch_store import BatchStore
from tests.node.operator.conftest import OPERATOR, Scene, checked
from tests.support.chain import Chain
from tests.support.operator_process import dev_account
from tests.support.patience import PATIENCE
from tests.zk.conftest import Proven
from tests.zk.place import staged


@dataclass
class Rig:
    """A lane's committer without a node around it; its queue proves nothing by itself."""

    scene: Scene
    proven: Proven
    proofs: Path
    folder: Path

    def __post_init__(self) -> None:
        self.requests: list[bytes] = []
        self.made: dict[int, InferenceRecord] = {}

    def answer(self, nonces: Sequence[int], of: int = 0, left: int = 1800) -> None:
        """Have an answer be given to requests: one of those that are proven."""
        journal, scene, sample = self.journal(), self.scene, self.proven.records[of]
        for nonce in nonces:
            input_, output = sample.input or b"", sample.output or b""
            request, _ = scene.request(
                nonce, input_hash=keccak256(input_), deadline=scene.now + left
            )
            signature = bytes.fromhex(str(scene.line(request, input_)["signature"])[2:])
            record = InferenceRecord(
                request.input_hash,
                bytes(32),
                request.requester,
                nonce,
                request.deadline,
                signature=signature,
                input=input_,
            )
            digest = request.struct_hash()
            journal.accept(scene.model_id, [Accepted(digest, record)], worker=0)
            journal.answer([Answered(digest, output, keccak256(output), bytes(32))], scene.now)
            self.requests.append(digest)
            self.made[nonce] = record
        journal.close()

    def journal(self) -> OperatorJournal:
        path = self.folder / "journal.sqlite3"
        return OperatorJournal(path, self.scene.network.id, self.scene.operator, b"here")

    def begin(self, **changes: object) -> tuple[Committer, ProvenBatches]:
        """A process of its own."""
        scene = self.scene
        settings = scene.settings(**{"commit_every": 0.001} | changes)["operator"]
        lane = OperatorLane(
            OperatorSettings(**settings),
            scene.chain.registry,
            Web3Sender(scene.w3, dev_account(OPERATOR)),
            Follower(scene.chain.registry),
            self.journal(),
            BatchStore(str(self.folder / "batches")),
            Metrics(),
        )
        lane.follower.advance()
        queue = ProvingQueue(lane.journal, lane.settings.proving, lane.metrics)
        batches = ProvenBatches(lane, queue, self.proofs)
        batches.load()
        return Committer(lane, proven=batches), batches

    def rounds(self, committer: Committer, batches: ProvenBatches, count: int = 4) -> None:
        for _ in range(count):
            committer.lane.follower.advance()
            committer.reconcile()
            committer.commit()
            batches.attest()

    def batches(self) -> list[tuple[Grade, int]]:
        """Grade and count of each batch on chain, in order."""
        found = sorted(self.scene.chain.ledger().batches.values(), key=lambda one: one.batch.index)
        return [(one.grade, one.batch.count) for one in found]

    def check_receipts(self) -> None:
        """Every answer has one, and it holds."""
        journal = self.journal()
        found = Receipts(journal, self.scene.chain.registry.domain).find(self.requests)
        journal.close()
        assert all(one and one["state"] == "committed" for one in found)
        assert len({checked(one).opening.inference.key for one in found}) == len(self.requests)


@pytest.fixture
def rig(chain: Chain, proven: Proven, tmp_path: Path) -> Iterator[Rig]:
    with staged(chain, proven, tmp_path) as scene:
        # A copy: a test may spoil it.
        copytree(proven.proofs, tmp_path / "proofs")
        yield Rig(scene, proven, tmp_path / "proofs", tmp_path)


def test_commit__all_proven__one_batch_with_its_proofs(rig: Rig) -> None:
    rig.answer(range(3))
    rig.answer(range(3, 6), of=1)
    committer, batches = rig.begin()

    rig.rounds(committer, batches)

    assert rig.batches() == [(Grade.PROVEN, 6)]
    rig.check_receipts()


def test_commit__some_cannot_be_proven__in_a_batch_of_their_own(rig: Rig) -> None:
    rig.answer(range(4))
    committer, batches = rig.begin()
    for nonce in (1, 3):
        batches.queue.fail(rig.made[nonce], "prove took more than 600 seconds")

    rig.rounds(committer, batches)

    assert rig.batches() == [(Grade.PROVEN, 2), (Grade.UNCHALLENGED, 2)]
    rig.check_receipts()


def test_commit__without_a_proof__waits_until_its_deadline_is_near(rig: Rig) -> None:
    proof = rig.proven.folder.path(rig.proven.records[1]).relative_to(rig.proven.proofs)
    (rig.proofs / proof).unlink()
    rig.answer(range(2))
    rig.answer([2], of=1)
    rig.answer([3], of=1, left=90)
    committer, batches = rig.begin(commit_margin=60.0)

    rig.rounds(committer, batches)
    assert rig.batches() == [(Grade.PROVEN, 2)]
    advance(rig.scene.w3, 40)
    rig.rounds(committer, batches)

    assert rig.batches() == [(Grade.PROVEN, 2), (Grade.UNCHALLENGED, 1)]
    assert [one.count for one in committer.lane.journal.waiting()] == [1]


def test_commit__proof_of_another_answer__only_that_one_goes_without(rig: Rig) -> None:
    first, second = (rig.proven.folder.path(one) for one in rig.proven.records)
    (rig.proofs / second.relative_to(rig.proven.proofs)).write_bytes(first.read_bytes())
    rig.answer(range(3))
    rig.answer([3], of=1)
    committer, batches = rig.begin()

    rig.rounds(committer, batches, count=8)

    graded = {Grade.PROVEN: 0, Grade.UNCHALLENGED: 0}
    for grade, count in rig.batches():
        graded[grade] += count
    assert graded == {Grade.PROVEN: 3, Grade.UNCHALLENGED: 1}
    rig.check_receipts()


@pytest.mark.parametrize(
    ("leaves", "counts"), [(34, [34, 2]), (64, [18, 18])], ids=["as many", "too many"]
)
def test_commit__more_than_a_transaction_carries__in_several_batches(
    rig: Rig, leaves: int, counts: list[int]
) -> None:
    """36 answers, all of one proof; the chain takes 2^24 gas a transaction."""
    rig.answer(range(36))
    committer, batches = rig.begin(proving={"leaves": leaves})

    rig.rounds(committer, batches)

    assert rig.batches() == [(Grade.PROVEN, count) for count in counts]
    rig.check_receipts()


def test_commit__process_gone_after_noting__next_one_shows_the_proofs(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.answer(range(2))
    committer, batches = rig.begin()
    with monkeypatch.context() as patch:
        patch.setattr(Committer, "_send", gone)
        with pytest.raises(KeyboardInterrupt):
            rig.rounds(committer, batches)
    committer.lane.journal.close()
    rig.answer([2])

    rig.rounds(*rig.begin())

    assert rig.batches() == [(Grade.PROVEN, 2), (Grade.PROVEN, 1)]
    rig.check_receipts()


def test_commit__damaged_proof_of_a_noted_batch__receipts_come_and_no_grade(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.answer(range(2))
    committer, batches = rig.begin()
    with monkeypatch.context() as patch:
        patch.setattr(Committer, "_send", gone)
        with pytest.raises(KeyboardInterrupt):
            rig.rounds(committer, batches)
    committer.lane.journal.close()
    proof = rig.proven.folder.path(rig.proven.records[0]).relative_to(rig.proven.proofs)
    (rig.proofs / proof).write_bytes((rig.proofs / proof).read_bytes()[:100])

    rig.rounds(*rig.begin())

    assert rig.batches() == [(Grade.UNCHALLENGED, 2)]
    rig.check_receipts()


def test_queue__answer_whose_proof_would_be_late__proves_the_next_one(rig: Rig) -> None:
    late, next_ = (
        rig.proofs / rig.proven.folder.path(one).relative_to(rig.proven.proofs)
        for one in rig.proven.records
    )
    late.unlink()
    next_.unlink()
    rig.answer([0], left=50)
    rig.answer([1], of=1)
    _, batches = rig.begin(commit_margin=60.0)

    batches.begin()
    end = monotonic() + PATIENCE
    while not next_.exists():
        assert monotonic() < end
        sleep(0.05)
    batches.queue.stop()

    said = batches.queue.said()
    assert not late.exists()
    assert (said["proven"], said["failed"], said["proving"]) == (1, 0, 0)


def gone(*args: object) -> None:
    """The process is killed here."""
    raise KeyboardInterrupt
