"""A commit that dies between any two of its steps: whoever comes next ends it, once."""

from pathlib import Path
from typing import Any

import pytest

from tallystick.chain.call import Call
from tallystick.chain.follower import Follower
from tallystick.chain.sender import Sent, Web3Sender
from tallystick.node.metrics import Metrics
from tallystick.node.operator.committer import Committer
from tallystick.node.operator.journal import Accepted, Answered, OperatorJournal
from tallystick.node.operator.lane import OperatorLane
from tallystick.node.operator.receipts import Receipts
from tallystick.node.settings import OperatorSettings
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.record import InferenceRecord
from tallystick.storage.batch_store import BatchStore
from tests.node.operator.conftest import OPERATOR, Scene, checked
from tests.support.operator_process import dev_account


class Crash(BaseException):
    """The process is gone: nothing catches it."""


class RequestHandler:
    """Answers without HTTP, and commits as a process of its own would."""

    def __init__(self, scene: Scene, folder: Path) -> None:
        self.scene, self.folder = scene, folder
        self.requests: list[bytes] = []
        self.sender = Web3Sender(scene.w3, dev_account(OPERATOR))

    def journal(self) -> OperatorJournal:
        path = self.folder / "journal.sqlite3"
        return OperatorJournal(path, self.scene.network.id, self.scene.operator, b"here")

    def answer(self, nonces: range, deadline: int | None = None) -> None:
        journal, scene = self.journal(), self.scene
        changes = {} if deadline is None else {"deadline": deadline}
        for nonce in nonces:
            request, sample = scene.request(nonce, **changes)
            signature = bytes.fromhex(str(scene.line(request, sample)["signature"])[2:])
            record = InferenceRecord(
                request.input_hash,
                bytes(32),
                request.requester,
                nonce,
                request.deadline,
                signature=signature,
                input=sample,
            )
            digest = request.struct_hash()
            journal.accept(scene.model_id, [Accepted(digest, record)], worker=0)
            answer = Answered(digest, b"\x07", keccak256(b"\x07"), bytes(32))
            # Long enough ago to be due.
            journal.answer([answer], scene.now - 2)
            self.requests.append(digest)
        journal.close()

    def lane(self) -> OperatorLane:
        settings = self.scene.settings(commit_every=0.001)["operator"]
        return OperatorLane(
            OperatorSettings(**settings),
            self.scene.chain.registry,
            self.sender,
            Follower(self.scene.chain.registry),
            self.journal(),
            BatchStore(str(self.folder / "batches")),
            Metrics(),
        )

    def round(self, lane: OperatorLane) -> None:
        lane.follower.advance()
        committer = Committer(lane)
        committer.reconcile()
        committer.commit()

    def receipts(self) -> list[dict[str, Any]]:
        journal = self.journal()
        found = Receipts(journal, self.scene.chain.registry.domain).find(self.requests)
        journal.close()
        return [one for one in found if one is not None]


@pytest.fixture
def handler(scene: Scene, tmp_path: Path) -> RequestHandler:
    handler = RequestHandler(scene, tmp_path)
    handler.answer(range(5))
    return handler


STEPS = ["put", "note", "send", "settle"]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_commit__crash_at_any_step__next_process_ends_it_once(
    scene: Scene, handler: RequestHandler, step: str, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = {
        "put": BatchStore,
        "note": OperatorJournal,
        "send": Web3Sender,
        "settle": OperatorJournal,
    }[step]
    with monkeypatch.context() as patch:
        plain = getattr(owner, step)

        def crashing(self: Any, *args: Any) -> Any:
            if when == "before":
                raise Crash
            plain(self, *args)
            raise Crash

        patch.setattr(owner, step, crashing)
        lane = handler.lane()
        with pytest.raises(Crash):
            handler.round(lane)
        lane.journal.close()
    handler.answer(range(5, 7))

    for _ in range(2):
        lane = handler.lane()
        handler.round(lane)
        lane.journal.close()

    assert scene.network.totals().committed == 7
    found = handler.receipts()
    assert [one["state"] for one in found] == ["committed"] * 7
    keys = {checked(one).opening.inference.key for one in found}
    assert len(keys) == 7
    assert {one.nonce for one in scene.leaves(handler.folder / "batches")} == set(range(7))


def test_commit__index_taken_by_another_program__batch_given_up_and_answers_go_on(
    scene: Scene, handler: RequestHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(self: Web3Sender, call: Call) -> Sent:
        raise OSError("the chain is away")

    with monkeypatch.context() as patch:
        patch.setattr(Web3Sender, "send", failing)
        lane = handler.lane()
        with pytest.raises(OSError):
            handler.round(lane)
        lane.journal.close()
    other = scene.network.commit(scene.operator, count=3, solicited=True)

    lane = handler.lane()
    handler.round(lane)
    lane.journal.close()

    assert scene.network.totals().committed == 8
    assert [one["state"] for one in handler.receipts()] == ["committed"] * 5
    assert other.id in scene.chain.ledger().batches


def test_commit__batch_of_a_lost_journal__adopted_with_its_nonces(
    scene: Scene, handler: RequestHandler
) -> None:
    lane = handler.lane()
    handler.round(lane)
    lane.journal.close()
    (handler.folder / "journal.sqlite3").unlink()
    for rest in handler.folder.glob("journal.sqlite3-*"):
        rest.unlink()

    lane = handler.lane()
    handler.round(lane)

    request, sample = scene.request(3, deadline=scene.now + 1700)
    record = InferenceRecord(request.input_hash, bytes(32), request.requester, 3, request.deadline)
    (known,) = lane.journal.accept(scene.model_id, [Accepted(request.struct_hash(), record)], 0)
    lane.journal.close()
    assert known is not None and known.answer is not None
    assert known.request == handler.requests[3] and known.answer.output == b"\x07"
    assert [one["state"] for one in handler.receipts()] == ["committed"] * 5
    assert sample


def test_commit__deadline_missed__answer_expires_and_the_rest_is_committed(
    scene: Scene, handler: RequestHandler
) -> None:
    handler.answer(range(5, 6), deadline=scene.now - 1)

    lane = handler.lane()
    handler.round(lane)
    lane.journal.close()

    states = {one["request"]: one["state"] for one in handler.receipts()}
    assert states.pop(to_hex(handler.requests[5])) == "expired"
    assert set(states.values()) == {"committed"}
    assert scene.network.totals().committed == 5


def test_commit__stake_for_some__commits_as_many_and_says_so(
    scene: Scene, handler: RequestHandler
) -> None:
    stake = scene.network.lane(scene.operator).stake
    left = 3 * scene.network.rules.stake_per_inference
    scene.chain.send(scene.operator, "unstake", scene.network.id, stake - left)

    lane = handler.lane()
    handler.round(lane)
    lane.journal.close()

    assert scene.network.totals().committed == 3
    states = sorted(one["state"] for one in handler.receipts())
    assert states == ["answered"] * 2 + ["committed"] * 3
