"""A requester against a real node, and against one that says something else than it should."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

import tallystick
from tallystick import (
    AnswerError,
    FieldError,
    MissingExtraError,
    OperatorAnswer,
    OperatorError,
    Requester,
    State,
    WaitError,
)
from tallystick.client import connection
from tallystick.protocol.acknowledgement import Acknowledgement
from tallystick.protocol.hexes import from_hex, to_hex
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.ledger import Ledger
from tallystick.protocol.signature import sign
from tests.node.operator.conftest import DEMANDER, SAMPLES, Scene
from tests.support.bent_http import Bent, bent_http
from tests.support.operator_process import OperatorProcess, dev_account
from tests.support.patience import PATIENCE


@pytest.fixture(scope="module")
def scene(shared_scene: Scene) -> Scene:
    return shared_scene


@pytest.fixture(scope="module")
def node(shared_node: OperatorProcess) -> OperatorProcess:
    return shared_node


def asking(scene: Scene, url: str, **options: Any) -> Requester:
    registry = tallystick.connect(
        scene.w3,
        key=bytes(dev_account(DEMANDER).key),
        registry=scene.chain.registry.address,
    )
    return registry.requester(url, **options)


@pytest.fixture
def requester(scene: Scene, node: OperatorProcess) -> Iterator[Requester]:
    with asking(scene, node.url) as found:
        yield found


@pytest.fixture
def bent(node: OperatorProcess) -> Iterator[Bent]:
    with bent_http(node.url) as found:
        yield found


def test_requester__real_node__has_a_receipt_for_each_answer(
    scene: Scene, requester: Requester
) -> None:
    answers = requester.ask(scene.model_id, SAMPLES[:5])
    receipts = requester.wait(answers, timeout=PATIENCE, poll=0.1)

    assert [one.opening.inference.input_hash for one in receipts] == [
        keccak256(sample) for sample in SAMPLES[:5]
    ]
    for answer, receipt in zip(answers, receipts, strict=True):
        assert receipt.opening.inference.output_hash == keccak256(answer.output)
        assert receipt.opening.inference.requester == scene.chain.accounts[DEMANDER]
        answer.word.judge(scene.chain.ledger(), answer.block)
    assert scene.chain.ledger().batches[receipts[0].batch_id].state is State.OPEN


def test_ask__more_than_a_request_takes__are_asked_in_parts(scene: Scene, bent: Bent) -> None:
    with asking(scene, bent.url) as requester:
        answers = requester.ask(scene.model_id, SAMPLES[:70])

        assert bent.paths.count("/inferences") == 2
        assert [one.asked.input for one in answers] == list(SAMPLES[:70])
        assert len(requester.wait(answers, timeout=PATIENCE, poll=0.1)) == 70


def test_send__same_requests_again__same_answers(scene: Scene, requester: Requester) -> None:
    said = requester.about()
    asked = requester.sign(
        scene.model_id, SAMPLES[0], operator=scene.operator, deadline=said.now + 900, nonce=7
    )

    first, again = requester.send([asked]), requester.send([asked])

    assert [one.output for one in first] == [one.output for one in again]
    assert first[0].asked == again[0].asked
    assert requester.send([]) == []


def test_ask__connection_breaks__is_asked_again(scene: Scene, bent: Bent) -> None:
    with asking(scene, bent.url) as requester:
        requester.about()
        bent.dropped = 2
        (answer,) = requester.ask(scene.model_id, SAMPLES[:1])
        assert len(requester.wait([answer], timeout=PATIENCE, poll=0.1)) == 1
        bent.dropped = 3
        with pytest.raises(OperatorError, match="the operator does not answer") as error:
            requester.ask(scene.model_id, SAMPLES[:1])
        assert error.value.status is None


def test_ask__refused__tells_status_and_reason(scene: Scene, requester: Requester) -> None:
    with pytest.raises(OperatorError, match="does not serve the model") as error:
        requester.ask(b"?" * 32, SAMPLES[:1])
    assert error.value.status == 404
    with pytest.raises(OperatorError, match="deadline") as error:
        requester.ask(scene.model_id, SAMPLES[:1], within=1)
    assert error.value.status == 422
    with pytest.raises(FieldError, match="inputs is one bytes; needed: a list"):
        requester.ask(scene.model_id, SAMPLES[0])  # type: ignore[arg-type]
    with pytest.raises(FieldError, match="input is of type str; needed: bytes"):
        requester.ask(scene.model_id, ["text"])  # type: ignore[list-item]


def bend_answers(said: Any, name: str, value: Any) -> Any:
    """Change a field of an answer, or of the first output in it."""
    if name in said:
        return said | {name: value}
    first, *rest = said["answers"]
    return said | {"answers": [first | {name: value}, *rest]}


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("output", "0xffff", "does not hold: the answers are signed by"),
        ("request", "0x" + "11" * 32, "not to the requests that were sent"),
        ("answers", [], "not to the requests that were sent"),
        ("operator", "0x" + "11" * 20, "the answers are 0x1111.*; the requests are to"),
        ("network_id", "0x" + "11" * 32, "does not hold: the answers are signed by"),
        ("time", 5, "does not hold: the answers are signed by"),
        ("key", "0x" + "11" * 20, "does not hold: the answers are signed by"),
        ("signature", "0x" + "11" * 65, "does not hold: v of the signature"),
        ("signature", "0x11", "malformed: signature"),
    ],
)
def test_ask__answer_is_bent__is_not_believed(
    scene: Scene, bent: Bent, name: str, value: Any, reason: str
) -> None:
    bent.bend = lambda path, said: (
        bend_answers(said, name, value) if path == "/inferences" else said
    )

    with asking(scene, bent.url) as requester, pytest.raises(AnswerError, match=reason):
        requester.ask(scene.model_id, SAMPLES[:2])


def test_ask__key_of_somebody_else__is_not_believed(scene: Scene, bent: Bent) -> None:
    stranger = dev_account(7)

    def bend(path: str, said: Any) -> Any:
        if path != "/inferences":
            return said
        word = word_of(said, bytes.fromhex(stranger.address[2:]))
        digest = scene.chain.registry.domain.digest(word.struct_hash())
        signature = sign(digest, bytes(stranger.key))
        return said | {"key": stranger.address, "signature": to_hex(signature)}

    bent.bend = bend
    reason = "is not the key of operator"
    with asking(scene, bent.url) as requester, pytest.raises(AnswerError, match=reason):
        requester.ask(scene.model_id, SAMPLES[:1])


def word_of(said: Any, key: bytes) -> Acknowledgement:
    """What an answer acknowledges, by another key."""
    return Acknowledgement(
        from_hex(said["network_id"]),
        from_hex(said["operator"]),
        key,
        said["time"],
        tuple(from_hex(one["request"]) for one in said["answers"]),
        tuple(from_hex(one["output_hash"]) for one in said["answers"]),
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"chain_id": 1}, "is of registry .* on chain 1; needed"),
        ({"registry": "0x" + "11" * 20}, "is of registry 0x1111"),
        ({"max_inferences": 0}, "malformed: max_inferences"),
    ],
)
def test_about__another_place__is_refused(
    scene: Scene, bent: Bent, changes: dict[str, Any], reason: str
) -> None:
    bent.bend = lambda path, said: said | changes if path == "/" else said

    with asking(scene, bent.url) as requester, pytest.raises(AnswerError, match=reason):
        requester.ask(scene.model_id, SAMPLES[:1])


def test_about__not_json_or_too_much__is_refused(
    scene: Scene, bent: Bent, monkeypatch: pytest.MonkeyPatch
) -> None:
    bent.bend = lambda path, said: b"<html>"
    with asking(scene, bent.url) as requester:
        with pytest.raises(AnswerError, match="malformed: body"):
            requester.about()
        monkeypatch.setattr(connection, "MAX_BODY", 5)
        with pytest.raises(AnswerError, match="exceeds 5 bytes"):
            requester.about()


@pytest.fixture(scope="module")
def committed(scene: Scene, node: OperatorProcess) -> list[OperatorAnswer]:
    with asking(scene, node.url) as requester:
        answers = requester.ask(scene.model_id, SAMPLES[:2])
        requester.wait(answers, timeout=PATIENCE, poll=0.1)
    return answers


def moved(receipt: Any) -> Any:
    """Give a receipt its neighbour's place; which of the two it has is up to the node."""
    return receipt | {"leaf_index": receipt["leaf_index"] ^ 1}


@pytest.mark.parametrize(
    ("bend", "reason"),
    [
        (lambda places: [None, places[1]], "request 0x.* is unknown to the operator"),
        (lambda places: [places[0] | {"state": "expired", "receipt": None}, places[1]], "missed"),
        (lambda places: places[:1], "1 receipts were given; asked for: 2"),
        (lambda places: [places[1], places[0]], "the receipt is of another request"),
        (
            lambda places: [places[0] | {"receipt": moved(places[0]["receipt"])}, places[1]],
            "the receipt does not hold: proof",
        ),
        (lambda places: [places[0] | {"receipt": {"version": 1}}, places[1]], "does not hold"),
    ],
    ids=["unknown", "expired", "too few", "of another", "broken proof", "malformed"],
)
def test_receipts__bent__are_not_believed(
    scene: Scene, bent: Bent, committed: list[OperatorAnswer], bend: Any, reason: str
) -> None:
    bent.bend = lambda path, said: {"receipts": bend(said["receipts"])}

    with asking(scene, bent.url) as requester, pytest.raises(AnswerError, match=reason):
        requester.receipts(committed)


def test_receipts__another_output_than_acknowledged__is_told(
    requester: Requester, committed: list[OperatorAnswer]
) -> None:
    changed = [replace(committed[0], output=b"other"), committed[1]]

    with pytest.raises(AnswerError, match="of another output than was acknowledged"):
        requester.receipts(changed)


def test_receipts__batch_that_the_chain_lacks__is_told(
    requester: Requester, committed: list[OperatorAnswer]
) -> None:
    """The chain forgets the batch, as a reorganisation would have it; the node does not see it."""
    requester._ledger = lambda network_id, operator: Ledger()

    with pytest.raises(AnswerError, match="batch: 0x[0-9a-f]{64} is not on this chain"):
        requester.receipts(committed)


def test_wait__not_committed_in_time__tells_how_many(
    scene: Scene, bent: Bent, committed: list[OperatorAnswer]
) -> None:
    def bend(path: str, said: Any) -> Any:
        first, second = said["receipts"]
        return {"receipts": [first | {"state": "in batch", "receipt": None}, second]}

    bent.bend = bend
    with asking(scene, bent.url) as requester:
        assert [one is None for one in requester.receipts(committed)] == [True, False]
        bent.bend = lambda path, said: {
            "receipts": [one | {"state": "in batch", "receipt": None} for one in said["receipts"]]
        }
        with pytest.raises(WaitError, match="2 of 2 receipts are not here after 0.2 s"):
            requester.wait(committed, timeout=0.2, poll=0.05)


def test_requester__without_httpx__names_the_extra(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "httpx", None)

    with pytest.raises(MissingExtraError, match=r"pip install 'tallystick\[client\]'"):
        asking(scene, "http://127.0.0.1:9")
