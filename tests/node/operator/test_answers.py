"""Answers: right, signed, kept, and given again; requests that get none, each with one reason."""

import json
from collections.abc import Iterator

import httpx
import pytest
import yaml
from click.testing import CliRunner

from tallystick.cli.model import model
from tallystick.demo.digits import model as digits
from tallystick.demo.processes import free_port
from tallystick.protocol.acknowledgement import Acknowledgement
from tallystick.protocol.answer import NONCE_HEADER, SIGNATURE_HEADER, Answer
from tallystick.protocol.hexes import from_hex, to_hex
from tallystick.protocol.keccak import keccak256
from tallystick.storage.batch_store import BatchStore
from tallystick.storage.models.store import ModelStore
from tests.node.operator.conftest import (
    OPERATOR,
    SAMPLES,
    Scene,
    checked,
    committed,
    wait_for,
)
from tests.support.operator_process import OperatorProcess, running


@pytest.fixture(scope="module")
def shared(shared_scene: Scene) -> Iterator[OperatorProcess]:
    """One node for all that ask for nothing else: it takes seconds to start."""
    settings = shared_scene.settings(max_body=60_000)
    settings["common"]["metrics_port"] = free_port()
    with running(OperatorProcess(shared_scene.folder / "node", settings, OPERATOR)) as node:
        yield node


def metric(node: OperatorProcess, name: str) -> float:
    """A number that the node shows Prometheus; 0 for one that it has not."""
    port = yaml.safe_load(node.path.read_text())["common"]["metrics_port"]
    told = httpx.get(f"http://127.0.0.1:{port}/metrics").text
    lines = dict(line.rsplit(" ", 1) for line in told.splitlines() if not line.startswith("#"))
    return float(lines.get(name, 0))


def settled(node: OperatorProcess) -> None:
    """Wait until the chain has all that was answered."""
    wait_for(lambda: metric(node, "tallystick_inferences_waiting") == 0, node)


def test_inferences__signed_requests__answered_signed_and_receipted(
    shared_scene: Scene, shared: OperatorProcess
) -> None:
    scene, node = shared_scene, shared
    before = set(scene.chain.ledger().batches)
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
    assert {one.batch_id for one in receipts} == set(ledger.batches) - before
    assert scene.network.totals().committed == sum(
        one.batch.count for one in ledger.batches.values()
    )
    assert sorted(one.opening.leaf_index for one in receipts) == list(range(64))
    record = ledger.batches[receipts[0].batch_id]
    assert receipts[0].stamp == record.stamp and receipts[0].transaction == record.committed.tx_hash


def test_inferences__asked_again__same_answers_and_committed_once(
    shared_scene: Scene, shared: OperatorProcess
) -> None:
    scene, node = shared_scene, shared
    settled(node)
    before = scene.network.totals().committed
    requests, body = scene.lines(range(100, 105))

    first = node.client.post("/inferences", json=body)
    again = node.client.post("/inferences", json=body)
    wait_for(lambda: committed(node, requests), node)
    late = node.client.post("/inferences", json=body)

    assert first.status_code == again.status_code == late.status_code == 200
    assert first.json()["answers"] == again.json()["answers"] == late.json()["answers"]
    # A batch that came later than the second answer is on chain with the next one at the latest.
    more, body = scene.lines(range(105, 106))
    node.client.post("/inferences", json=body).raise_for_status()
    wait_for(lambda: committed(node, more), node)
    assert scene.network.totals().committed == before + 6


def test_inferences__what_cannot_be_taken__refused_with_one_reason_and_nothing_kept(
    shared_scene: Scene, shared: OperatorProcess
) -> None:
    scene, node = shared_scene, shared
    now = scene.now
    good = scene.request(200)
    line = scene.line(*good)

    def changed(**fields: object) -> dict[str, object]:
        return scene.body(line | fields)

    def of(**fields: object) -> dict[str, object]:
        return scene.body(scene.line(*scene.request(201, **fields)))

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
        (scene.body(*[line] * 65), 413, "65 inferences; allowed in one request: 64"),
        (scene.body(*[line] * 160), 413, "the body is too large; allowed: 60000 bytes"),
        (scene.body(line) | {"model_id": to_hex(bytes(32))}, 404, "this operator does not serve"),
    ]
    for sample, status, reason in (
        (bytes(63), 422, "input 0 is 63 bytes; needed: 64"),
        (bytes(200), 413, "inference 0: input and output are 200 bytes or more"),
    ):
        request, _ = scene.request(202, input_hash=keccak256(sample))
        refusals.append((scene.body(scene.line(request, sample)), status, reason))

    for body, status, reason in refusals:
        answer = node.client.post("/inferences", json=body)

        assert (answer.status_code, list(answer.json())) == (status, ["error"]), answer.text
        assert reason in answer.json()["error"], (answer.json(), reason)
    for garbage in (b"", b"{", b"[]", b"\xff" * 100):
        assert node.client.post("/inferences", content=garbage).status_code == 400
    # Nothing of all that has taken a nonce.
    for nonce in (200, 201, 202):
        asked = scene.body(scene.line(*scene.request(nonce)))
        assert node.client.post("/inferences", json=asked).status_code == 200


def test_inferences__nonce_of_another_request__refused_whole(
    shared_scene: Scene, shared: OperatorProcess
) -> None:
    scene, node = shared_scene, shared
    _, body = scene.lines(range(300, 303))
    assert node.client.post("/inferences", json=body).status_code == 200
    other = scene.line(*scene.request(301, deadline=scene.now + 1900))
    fresh, taken = scene.request(307), scene.body(scene.line(*scene.request(307)), other)

    refused = node.client.post("/inferences", json=taken)

    assert refused.status_code == 409
    assert refused.json()["error"] == "inference 1: nonce 301 of its requester is taken"
    assert node.client.get(f"/receipts/{to_hex(fresh[0].struct_hash())}").status_code == 404


def test_answers__probed__signed_as_probes_ask(
    shared_scene: Scene, shared: OperatorProcess
) -> None:
    scene, node = shared_scene, shared
    nonce = to_hex(b"n" * 32)

    answer = node.client.get("/", headers={NONCE_HEADER: nonce})

    served = Answer.to(nonce, scene.network.id, scene.operator, answer.content)
    served.check(scene.chain.registry.domain, answer.headers[SIGNATURE_HEADER], scene.operator)
    assert node.client.get("/", headers={NONCE_HEADER: "0x12"}).status_code == 400


def test_files__batches_and_models__served_as_stores_have_them(
    shared_scene: Scene, shared: OperatorProcess
) -> None:
    scene, node = shared_scene, shared
    requests, body = scene.lines(range(400, 409))
    node.client.post("/inferences", json=body).raise_for_status()
    wait_for(lambda: committed(node, requests), node)
    root = checked(node.receipts(requests)[0]).batch.root
    content = to_hex(digits.content_hash())

    records = BatchStore(f"{node.url}/batches").get(root, scene.model_id, scene.operator)

    # Answers to the tests before may be in the batch too.
    assert set(range(400, 409)) <= {one.nonce for one in records}
    assert all(one.input == SAMPLES[one.nonce] and one.signature for one in records)
    assert node.client.get(f"/models/{content}").content == digits.FILE.read_bytes()
    part = node.client.get(f"/models/{content}", headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, digits.FILE.read_bytes()[10:20])
    copy = scene.folder / "copy.onnx"
    ModelStore(f"{node.url}/models").pull(digits.content_hash(), copy)
    assert copy.read_bytes() == digits.FILE.read_bytes()
    line = ["list", "--store", f"{node.url}/models", "--json"]
    line += ["--registry", to_hex(scene.chain.registry.address)]
    listed = CliRunner().invoke(model, [*line, "--rpc", scene.settings()["common"]["rpc"]])
    (row,) = [one for one in json.loads(listed.stdout) if one["name"] == "digits"]
    assert (row["size"], row["version"]) == (digits.FILE.stat().st_size, 1)
    assert row["copies"] == [f"{node.url}/models"]
    for missing in (f"/batches/{'00' * 32}.parquet", f"/models/{'00' * 32}", "/nothing"):
        assert node.client.get(missing).status_code == 404


def test_metrics__after_answers__count_them(shared_scene: Scene, shared: OperatorProcess) -> None:
    scene, node = shared_scene, shared
    names = {
        "served": f'tallystick_inferences_served_total{{model="{to_hex(scene.model_id)}"}}',
        "committed": "tallystick_inferences_committed_total",
        "refused": 'tallystick_requests_refused_total{status="400"}',
        "receipts": "tallystick_receipts_total",
        "commits": 'tallystick_transactions_total{function="commit"}',
    }
    requests, body = scene.lines(range(500, 505))
    settled(node)
    before = {name: metric(node, told) for name, told in names.items()}
    node.client.post("/inferences", json=body).raise_for_status()
    node.client.post("/inferences", json=scene.body())
    wait_for(lambda: committed(node, requests), node)

    more = {name: metric(node, told) - before[name] for name, told in names.items()}

    assert more["receipts"] >= 5
    del more["receipts"]
    assert more == {"served": 5, "committed": 5, "refused": 1, "commits": 1}
    assert metric(node, "tallystick_lag_blocks") == 0
