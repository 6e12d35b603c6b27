"""A node with the operator's key: it commits, answers and reveals; the key may be taken back."""

from itertools import count

from tallystick.chain.sender import Web3Sender
from tallystick.client.requester import Requester
from tallystick.errors import SignatureError
from tallystick.node.operator.lane_terms import LaneTerms
from tallystick.protocol.acknowledgement import Acknowledgement
from tallystick.protocol.enums import State
from tallystick.protocol.hexes import checksummed, from_hex, to_hex
from tallystick.protocol.ledger import Ledger
from tests.node.operator.conftest import (
    DEMANDER,
    OPERATOR,
    SAMPLES,
    Scene,
    Start,
    checked,
    committed,
    wait_for,
)
from tests.support.loose_core import LooseCore
from tests.support.operator_process import OperatorProcess, dev_account
from tests.support.patience import PATIENCE

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
    got = registry.w3.eth.block_number
    word.confirm(registry.key(word.operator, got), got)
    with Requester(
        node.url, registry, Web3Sender(scene.w3, dev_account(9)), lambda *_: Ledger()
    ) as requester:
        (asked,) = requester.ask(scene.model_id, SAMPLES[:1])
    assert (asked.word.operator, asked.word.key) == (scene.operator, key(scene))
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
        word.confirm(registry.key(word.operator), registry.w3.eth.block_number)
    except SignatureError as error:
        assert "is not the key of operator" in str(error)
    else:
        raise AssertionError("a key that was taken back is confirmed")


def test_node__account_is_not_the_key__ends_with_one_line(scene: Scene) -> None:
    node = scene.node(account=KEY, operator=to_hex(scene.operator))
    node.launch()
    assert node.process is not None
    assert node.process.wait(PATIENCE) != 0
    said = node.log.read_text()
    assert "operator.operator: " in said and "it has none; the operator names one with" in said


def test_standing__key_of_the_ledger__tells_whether_it_holds(scene: Scene) -> None:
    from tallystick.chain.follower import Follower

    follower = Follower(scene.chain.registry)
    set_key(scene, key(scene))
    follower.advance()
    assert follower.head is not None
    lane = (follower.ledger, follower.head, scene.network.id, scene.operator)

    assert LaneTerms.of(*lane, key(scene)).key_holds
    assert LaneTerms.of(*lane, scene.operator).key_holds
    assert not LaneTerms.of(*lane, scene.chain.accounts[DEMANDER]).key_holds


def test_node__event_of_an_unknown_network__goes_on_and_answers_a_demand(
    scene: Scene, start: Start
) -> None:
    node = start()
    requests, body = scene.lines(range(5))
    node.client.post("/inferences", json=body)
    wait_for(lambda: committed(node, requests), node)
    loose = LooseCore(scene.chain)
    scene.transact(9, loose.call("Unstaked", b"?" * 32, scene.operator, 0))

    (record,) = scene.chain.ledger().batches.values()
    scene.send(DEMANDER, "demand", record.batch.abi(), record.stamp.pack(), 0, False)
    wait_for(lambda: "demand answered" in node.log.read_text(), node)

    node.stop()
    node.start()
    requests, body = scene.lines(range(5, 9))
    assert node.client.post("/inferences", json=body).status_code == 200
    wait_for(lambda: committed(node, requests), node)
    # An event of another network is none that a lane's node asks for.
    assert "events passed over" not in node.log.read_text()


def test_ape_run_node_operator__ape_account__answers_and_commits(scene: Scene) -> None:
    settings = scene.settings()
    settings["common"]["account"] = f"TEST::{OPERATOR}"
    node = OperatorProcess(scene.folder / "ape", settings, OPERATOR)
    command = ["ape", "run", "node", "operator", "--settings", str(node.path)]
    node.launch(command)
    try:
        node.wait()
        requests, body = scene.lines(range(3))
        answer = node.client.post("/inferences", json=body).json()
        wait_for(lambda: committed(node, requests), node)
        code = node.stop()
    finally:
        if node.process is not None and node.process.poll() is None:
            node.kill()
    outputs = tuple(from_hex(one["output_hash"]) for one in answer["answers"])
    word = Acknowledgement(
        *(scene.network.id, scene.operator, scene.operator),
        *(answer["time"], tuple(requests), outputs),
    )
    word.check(scene.chain.registry.domain, from_hex(answer["signature"]))
    assert code == 0
