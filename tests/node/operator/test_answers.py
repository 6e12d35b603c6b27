"""Answers: right, signed, kept, and given again; requests that get none, each with one reason."""

from collections.abc import Callable
from time import monotonic, sleep

from tallystick.demo.digits.model import Digits
from tallystick.hexes import from_hex
from tallystick.keccak import keccak256
from tallystick.node.operator.acknowledgement import Acknowledgement
from tests.node.operator.conftest import SAMPLES, Scene, checked
from tests.support.operator_process import OperatorProcess

Start = Callable[..., OperatorProcess]


def wait_for(condition: Callable[[], bool], node: OperatorProcess, timeout: float = 20) -> None:
    end = monotonic() + timeout
    while not condition():
        assert monotonic() < end, node.log.read_text()[-5000:]
        sleep(0.05)


def committed(node: OperatorProcess, requests: list[bytes]) -> bool:
    return all(one and "receipt" in one for one in node.receipts(requests))


def test_inferences__signed_requests__answered_signed_and_receipted(
    scene: Scene, start: Start
) -> None:
    node = start()
    requests, body = scene.lines(range(64))

    answer = node.client.post("/inferences", json=body).json()

    outputs = [from_hex(one["output"]) for one in answer["answers"]]
    assert outputs == Digits().infer(SAMPLES[:64])
    assert [from_hex(one["request"]) for one in answer["answers"]] == requests
    word = Acknowledgement(
        scene.network.id,
        scene.operator,
        answer["time"],
        tuple(requests),
        tuple(keccak256(output) for output in outputs),
    )
    word.check(scene.chain.registry.domain, from_hex(answer["signature"]))
    wait_for(lambda: committed(node, requests), node)
    receipts = [checked(one) for one in node.receipts(requests)]
    ledger = scene.chain.ledger()
    assert {one.batch_id for one in receipts} == set(ledger.batches)
    assert scene.network.totals().committed == 64
    assert sorted(one.opening.leaf_index for one in receipts) == list(range(64))
    record = ledger.batches[receipts[0].batch_id]
    assert receipts[0].stamp == record.stamp and receipts[0].transaction == record.committed.tx_hash
    assert node.stop() == 0
