"""A node with the operator's key: it commits, answers and reveals; the key may be taken back."""

from itertools import count

from tallystick.enums import State
from tallystick.errors import SignatureError
from tallystick.hexes import checksummed, from_hex, to_hex
from tallystick.node.operator.acknowledgement import Acknowledgement
from tallystick.node.operator.standing import Standing
from tests.node.operator.conftest import (
    DEMANDER,
    OPERATOR,
    Scene,
    Start,
    checked,
    committed,
    wait_for,
)
from tests.support.loose_core import LooseCore

KEY = 6


def key(scene: Scene) -> bytes:
    return scene.chain.accounts[KEY]


def set_key(scene: Scene, to: bytes) -> None:
    scene.send(OPERATOR, "setKey", to)


def test_node__with_the_operators_key__commits_and_answers_in_its_name(
    scene: Scene, start: Start
) -> None:
    set_key(scene, key(scene))
    node = start(account=KEY, operator=to_hex(scene.operator), finalize=False)
    requests, body = scene.lines(range(5))

    answer = node.client.post("/inferences", json=body).json()
    wait_for(lambda: committed(node, requests), node)

    assert answer["operator"] == checksummed(scene.operator)
    assert answer["key"] == checksummed(key(scene))
    outputs = tuple(from_hex(one["output_hash"]) for one in answer["answers"])
    word = Acknowledgement(
        *(scene.network.id, scene.operator, key(scene)),
        *(answer["time"], tuple(requests), outputs),
    )
    registry = scene.chain.registry
    word.check(registry.domain, from_hex(answer["signature"]))
    got = word.confirm(registry)
    (record,) = scene.chain.ledger().batches.values()
    receipts = [checked(one) for one in node.receipts(requests)]
    assert {one.batch.operator for one in receipts} == {record.batch.operator} == {scene.operator}
    about = node.client.get("/").json()
    assert (about["operator"], about["key"]) == (answer["operator"], answer["key"])

    # A demand is answered too: by anybody, from the key's account.
    scene.send(DEMANDER, "demand", record.batch.abi(), record.stamp.pack(), 2, True)
    wait_for(lambda: "demand answered" in node.log.read_text(), node)
    assert scene.chain.ledger().batches[record.id].state is State.OPEN

    set_key(scene, bytes(20))
    nonces = count(5)

    def refused() -> bool:
        # What the node has answered before it saw the chain, it repeats.
        nonce = next(nonces)
        answer = node.client.post("/inferences", json=scene.lines(range(nonce, nonce + 1))[1])
        return "taken this node's key back" in answer.json().get("error", "")

    wait_for(refused, node)
    # What was said before holds: by the block at which it was confirmed.
    ledger = scene.chain.ledger()
    word.judge(ledger, got)
    try:
        word.confirm(registry)
    except SignatureError as error:
        assert "is not the key of operator" in str(error)
    else:
        raise AssertionError("a key that was taken back is confirmed")


def test_node__account_is_not_the_key__ends_with_one_line(scene: Scene) -> None:
    node = scene.node(account=KEY, operator=to_hex(scene.operator))
    node.launch()
    assert node.process is not None
    assert node.process.wait(30) != 0
    said = node.log.read_text()
    assert "operator.operator: " in said and "it has none; the operator names one with" in said


def test_standing__key_of_the_ledger__tells_whether_it_holds(scene: Scene) -> None:
    from tallystick.node.follower import Follower

    follower = Follower(scene.chain.registry)
    set_key(scene, key(scene))
    follower.advance()
    assert follower.head is not None
    lane = (follower.ledger, follower.head, scene.network.id, scene.operator)

    assert Standing.of(*lane, key(scene)).key_holds
    assert Standing.of(*lane, scene.operator).key_holds
    assert not Standing.of(*lane, scene.chain.accounts[DEMANDER]).key_holds


def test_node__event_of_an_unknown_network__goes_on_and_answers_a_demand(
    scene: Scene, start: Start
) -> None:
    node = start()
    requests, body = scene.lines(range(5))
    node.client.post("/inferences", json=body)
    wait_for(lambda: committed(node, requests), node)
    core = LooseCore(scene.chain)
    scene.transact(9, core.call("Unstaked", b"?" * 32, scene.operator, 0))

    (record,) = scene.chain.ledger().batches.values()
    scene.send(DEMANDER, "demand", record.batch.abi(), record.stamp.pack(), 0, False)
    wait_for(lambda: "demand answered" in node.log.read_text(), node)

    node.stop()
    node.start()
    requests, body = scene.lines(range(5, 9))
    assert node.client.post("/inferences", json=body).status_code == 200
    wait_for(lambda: committed(node, requests), node)
    assert "events passed over" in node.log.read_text()
