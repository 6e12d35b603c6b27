"""`tallystick receipt get --node`: receipts by request, from a real node and from one that lies."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tallystick.cli.main import main
from tallystick.protocol.hexes import to_hex
from tallystick.storage.receipt_files import checked
from tests.node.operator.conftest import Scene, committed, wait_for
from tests.support.bent_http import Bend, Bent, bent_http
from tests.support.operator_process import OperatorProcess

COUNT = 5


@pytest.fixture(scope="module")
def scene(shared_scene: Scene) -> Scene:
    return shared_scene


@pytest.fixture(scope="module")
def node(shared_node: OperatorProcess) -> OperatorProcess:
    return shared_node


@pytest.fixture(scope="module")
def requests(scene: Scene, node: OperatorProcess) -> list[str]:
    """Hashes of requests that are committed."""
    hashes, body = scene.lines(range(COUNT))
    node.client.post("/inferences", json=body)
    wait_for(lambda: committed(node, hashes), node)
    return [to_hex(one) for one in hashes]


@pytest.fixture
def bent(node: OperatorProcess) -> Iterator[Bent]:
    with bent_http(node.url) as found:
        yield found


def get(scene: Scene, url: str, *words: str | Path) -> Result:
    line = ["receipt", "get", *map(str, words), "--node", url]
    line += ["--rpc", str(scene.w3.provider.endpoint_uri)]  # type: ignore[attr-defined]
    line += ["--registry", to_hex(scene.chain.registry.address)]
    return CliRunner(mix_stderr=False).invoke(main, line)


def test_receipt_get__requests_of_a_node__are_written_and_hold(
    scene: Scene, node: OperatorProcess, requests: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "receipts.jsonl"

    done = get(scene, node.url, *requests, requests[0], "--out", file, "--json")
    printed = get(scene, node.url, requests[2])

    assert json.loads(done.stdout) == {"receipts": COUNT, "file": str(file)}
    found = [to_hex(one.opening.inference.request().struct_hash()) for one in checked(file)]
    assert found == requests
    assert printed.stdout == file.read_text().splitlines(keepends=True)[2]


def test_receipt_get__not_committed_yet__is_waited_for(
    scene: Scene, node: OperatorProcess, tmp_path: Path
) -> None:
    hashes, body = scene.lines(range(100, 102))
    node.client.post("/inferences", json=body)

    done = get(scene, node.url, *map(to_hex, hashes), "--wait", "1m", "--out", tmp_path / "two")

    assert done.exit_code == 0, done.stderr
    assert len(list(checked(tmp_path / "two"))) == 2


def test_receipt_get__one_is_unknown__the_others_are_written(
    scene: Scene, node: OperatorProcess, requests: list[str], tmp_path: Path
) -> None:
    unknown = "0x" + "11" * 32
    file = tmp_path / "receipts.jsonl"

    done = get(scene, node.url, requests[0], unknown, "--out", file)

    assert done.exit_code == 1
    assert done.stderr == f"error: request {unknown} is unknown to the operator\n"
    assert len(list(checked(file))) == 1


def changed(said: Any, **fields: Any) -> Any:
    first, *rest = said["receipts"]
    return {"receipts": [first | {"receipt": first["receipt"] | fields}, *rest]}


@pytest.mark.parametrize(
    ("bend", "reason"),
    [
        (lambda _, said: {"receipts": said["receipts"][::-1]}, "the receipt is of another request"),
        (lambda _, said: {"receipts": said["receipts"][:1]}, "1 receipts were given; asked for: 2"),
        (lambda _, said: changed(said, transaction="0x" + "11" * 32), "transaction: it was 0x"),
        (lambda _, said: changed(said, chain_id=1), "the receipt does not hold: signature"),
        (lambda _, said: changed(said, version=9), "of format version 9; needed: 1"),
        (lambda _, said: changed(said, proof=[]), "the receipt does not hold: "),
        (lambda _, said: {"receipts": "none"}, "the answer is malformed: receipts"),
        (lambda _, said: b"<html>", "the answer is malformed"),
    ],
    ids=["swapped", "short", "transaction", "chain", "version", "proof", "kind", "page"],
)
def test_receipt_get__node_lies__one_line_and_no_file(
    scene: Scene, bent: Bent, requests: list[str], tmp_path: Path, bend: Bend, reason: str
) -> None:
    bent.bend = bend

    done = get(scene, bent.url, *requests[:2], "--out", tmp_path / "receipts.jsonl")

    assert done.exit_code == 1
    assert reason in done.stderr and done.stderr.count("\n") == 1
    assert not (tmp_path / "receipts.jsonl").exists()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["0x11"], "request is 1 bytes; needed: 32 bytes in hex"),
        (["0x" + "11" * 32, "--leaf", "1"], "--leaf is of a batch"),
    ],
)
def test_receipt_get__what_is_no_request__is_one_line(
    scene: Scene, words: list[str], reason: str
) -> None:
    done = get(scene, "http://127.0.0.1:1", *words)

    assert done.exit_code != 0
    assert reason in done.stderr


def test_receipt_get__nobody_answers__is_one_line(scene: Scene) -> None:
    done = get(scene, "http://127.0.0.1:1", "0x" + "11" * 32)

    assert done.exit_code == 1
    assert done.stderr.startswith("error: the operator does not answer: ")
