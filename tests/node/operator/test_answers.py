"""Answers: right, signed, kept, and given again; requests that get none, each with one reason."""

import json
import socket
from time import sleep

import httpx
from click.testing import CliRunner

from tallystick.console.hub import hub
from tallystick.demo.digits import model as digits
from tallystick.hexes import from_hex, to_hex
from tallystick.hub.store import ModelStore
from tallystick.keccak import keccak256
from tallystick.node.operator.acknowledgement import Acknowledgement
from tallystick.probe.answer import NONCE_HEADER, SIGNATURE_HEADER, Answer
from tallystick.store import BatchStore
from tests.node.operator.conftest import (
    OPERATOR,
    SAMPLES,
    Scene,
    Start,
    checked,
    committed,
    wait_for,
)
from tests.support.operator_process import OperatorProcess, running


def test_inferences__signed_requests__answered_signed_and_receipted(
    scene: Scene, start: Start
) -> None:
    node = start()
    requests, body = scene.lines(range(64))

    answer = node.client.post("/inferences", json=body).json()

    outputs = [from_hex(one["output"]) for one in answer["answers"]]
    assert outputs == digits.Digits().infer(SAMPLES[:64])
    assert [from_hex(one["request"]) for one in answer["answers"]] == requests
    word = Acknowledgement(
        scene.network.id,
        scene.operator,
        from_hex(answer["key"]),
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


def test_inferences__asked_again__same_answers_and_committed_once(
    scene: Scene, start: Start
) -> None:
    node = start()
    requests, body = scene.lines(range(5))

    first = node.client.post("/inferences", json=body)
    again = node.client.post("/inferences", json=body)
    wait_for(lambda: committed(node, requests), node)
    late = node.client.post("/inferences", json=body)

    assert first.status_code == again.status_code == late.status_code == 200
    assert first.json()["answers"] == again.json()["answers"] == late.json()["answers"]
    sleep(1)
    assert scene.network.totals().committed == 5


def test_inferences__what_cannot_be_taken__refused_with_one_reason_and_nothing_kept(
    scene: Scene, start: Start
) -> None:
    node = start(max_inferences=8, max_body=20_000)
    now = scene.now
    good = scene.request(0)
    line = scene.line(*good)

    def changed(**fields: object) -> dict[str, object]:
        return scene.body(line | fields)

    def of(**fields: object) -> dict[str, object]:
        return scene.body(scene.line(*scene.request(1, **fields)))

    refusals = [
        (changed(signature="0x" + "11" * 65), 403, "v of the signature is 17"),
        (changed(nonce=9), 403, "the request is signed by 0x"),
        (changed(input=to_hex(SAMPLES[5])), 403, "the request is signed by 0x"),
        (changed(requester=to_hex(bytes(20))), 403, "the request is signed by 0x"),
        (of(operator=bytes(20)), 403, "the request is signed by 0x"),
        (changed(signature="0x11"), 400, "inferences.0.signature: "),
        (changed(nonce=-1), 400, "inferences.0.nonce: "),
        (changed(nonce=1 << 64), 400, "inferences.0.nonce: "),
        (changed(extra=1), 400, "inferences.0.extra: "),
        (scene.body(), 400, "inferences: "),
        (of(deadline=now - 1), 422, f"inference 0: deadline is {now - 1}; needed: "),
        (of(deadline=now + 30), 422, f"inference 0: deadline is {now + 30}; needed: "),
        (of(deadline=now + 3 * 3600), 422, "inference 0: deadline is "),
        (of(deadline=(1 << 64) - 1), 422, "inference 0: deadline is "),
        (scene.body(line, line), 409, "two of the inferences have the same requester and nonce"),
        (scene.body(*[line] * 9), 413, "9 inferences; allowed in one request: 8"),
        (scene.lines(range(60))[1], 413, "the body is too large; allowed: 20000 bytes"),
        (scene.body(line) | {"model_id": to_hex(bytes(32))}, 404, "this operator does not serve"),
    ]
    for sample, status, reason in (
        (bytes(63), 422, "input 0 is 63 bytes; needed: 64"),
        (bytes(200), 413, "inference 0: input and output are 200 bytes or more"),
    ):
        request, _ = scene.request(2, input_hash=keccak256(sample))
        refusals.append((scene.body(scene.line(request, sample)), status, reason))

    for body, status, reason in refusals:
        answer = node.client.post("/inferences", json=body)

        assert (answer.status_code, list(answer.json())) == (status, ["error"]), answer.text
        assert reason in answer.json()["error"], (answer.json(), reason)
    for garbage in (b"", b"{", b"[]", b"\xff" * 100):
        assert node.client.post("/inferences", content=garbage).status_code == 400
    # Nothing of all that has taken a nonce.
    for nonce in (0, 1, 2):
        asked = scene.body(scene.line(*scene.request(nonce)))
        assert node.client.post("/inferences", json=asked).status_code == 200


def test_inferences__nonce_of_another_request__refused_whole(scene: Scene, start: Start) -> None:
    node = start(commit_every=3600.0)
    _, body = scene.lines(range(3))
    assert node.client.post("/inferences", json=body).status_code == 200
    other = scene.line(*scene.request(1, deadline=scene.now + 1900))
    fresh, taken = scene.request(7), scene.body(scene.line(*scene.request(7)), other)

    refused = node.client.post("/inferences", json=taken)

    assert refused.status_code == 409
    assert refused.json()["error"] == "inference 1: nonce 1 of its requester is taken"
    assert node.client.get(f"/receipts/{to_hex(fresh[0].struct_hash())}").status_code == 404


def test_inferences__stake_used_up__refused_until_batches_are_final(
    scene: Scene, start: Start
) -> None:
    stake = scene.network.lane(scene.operator).stake
    left = 10 * scene.network.rules.stake_per_inference
    scene.chain.send(scene.operator, "unstake", scene.network.id, stake - left)
    node = start()
    requests, body = scene.lines(range(10))

    assert node.client.post("/inferences", json=body).status_code == 200
    refused = node.client.post("/inferences", json=scene.lines(range(10, 11))[1])

    assert refused.status_code == 503
    assert refused.json()["error"] == "the operator's stake covers 0 more inferences now"
    wait_for(lambda: committed(node, requests), node)
    assert scene.network.totals().committed == 10


def test_answers__probed__signed_as_probes_ask(scene: Scene, start: Start) -> None:
    node = start()
    nonce = to_hex(b"n" * 32)

    answer = node.client.get("/", headers={NONCE_HEADER: nonce})

    served = Answer.to(nonce, scene.network.id, scene.operator, answer.content)
    served.check(scene.chain.registry.domain, answer.headers[SIGNATURE_HEADER], scene.operator)
    assert node.client.get("/", headers={NONCE_HEADER: "0x12"}).status_code == 400


def test_files__batches_and_models__served_as_stores_have_them(scene: Scene, start: Start) -> None:
    node = start()
    requests, body = scene.lines(range(9))
    node.client.post("/inferences", json=body).raise_for_status()
    wait_for(lambda: committed(node, requests), node)
    root = checked(node.receipts(requests)[0]).batch.root
    content = to_hex(digits.content_hash())

    records = BatchStore(f"{node.url}/batches").get(root, scene.model_id, scene.operator)

    assert [one.nonce for one in records] == list(range(9))
    assert all(one.input == SAMPLES[one.nonce] and one.signature for one in records)
    assert node.client.get(f"/models/{content}").content == digits.FILE.read_bytes()
    part = node.client.get(f"/models/{content}", headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, digits.FILE.read_bytes()[10:20])
    copy = scene.folder / "copy.onnx"
    ModelStore(f"{node.url}/models").pull(digits.content_hash(), copy)
    assert copy.read_bytes() == digits.FILE.read_bytes()
    line = ["list", to_hex(scene.chain.registry.address), "--store", f"{node.url}/models", "--json"]
    listed = CliRunner().invoke(hub, [*line, "--rpc", scene.settings()["common"]["rpc"]])
    (row,) = [one for one in json.loads(listed.stdout) if one["name"] == "digits"]
    assert (row["size"], row["version"]) == (digits.FILE.stat().st_size, 1)
    assert row["copies"] == [f"{node.url}/models"]
    for missing in (f"/batches/{'00' * 32}.parquet", f"/models/{'00' * 32}", "/nothing"):
        assert node.client.get(missing).status_code == 404


def test_metrics__after_answers__count_them(scene: Scene) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = scene.settings()
    settings["common"]["metrics_port"] = port
    with running(OperatorProcess(scene.folder / "metered", settings, OPERATOR)) as node:
        requests, body = scene.lines(range(5))
        node.client.post("/inferences", json=body).raise_for_status()
        node.client.post("/inferences", json=scene.body())
        wait_for(lambda: committed(node, requests), node)

        told = httpx.get(f"http://127.0.0.1:{port}/metrics").text

    lines = dict(line.rsplit(" ", 1) for line in told.splitlines() if not line.startswith("#"))
    served = f'tallystick_inferences_served_total{{model="{to_hex(scene.model_id)}"}}'
    assert lines[served] == lines["tallystick_inferences_committed_total"] == "5.0"
    assert lines['tallystick_requests_refused_total{status="400"}'] == "1.0"
    assert float(lines["tallystick_receipts_total"]) >= 5
    assert lines['tallystick_transactions_total{function="commit"}'] == "1.0"
    assert "tallystick_lag_blocks" in lines


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
