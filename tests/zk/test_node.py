"""An operator's node that proves: processes, killed at any point.

node: answers are proven and committed with their proofs, which anybody checks offline
the operator's key: commits, then shows the proofs | a proof past its cap: a batch without a grade
kill -9 again and again: no receipt lost, no proof made twice, no process left behind
models that are not the registered ones, or whose verifier is not there: one line
"""

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from tallystick.protocol.enums import Grade
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.record import InferenceRecord
from tallystick.storage.batch_store import BatchStore
from tallystick.zk.proofs import ProofFolder
from tests.node.operator.conftest import OPERATOR, Scene, checked, committed, wait_for
from tests.support.chain import Chain
from tests.support.operator_process import OperatorProcess, running
from tests.zk.conftest import LIMITS, Proven
from tests.zk.place import staged
from tests.zk.processes import children, proving

KEY = 6
Start = Callable[..., OperatorProcess]


@pytest.fixture
def scene(chain: Chain, proven: Proven, tmp_path: Path) -> Iterator[Scene]:
    with staged(chain, proven, tmp_path) as found:
        yield found


@pytest.fixture
def start(scene: Scene) -> Iterator[Start]:
    with ExitStack() as stack:

        def begin(**changes: Any) -> OperatorProcess:
            return stack.enter_context(running(scene.node(**changes)))

        yield begin


def ask(scene: Scene, node: OperatorProcess, nonces: range) -> list[bytes]:
    requests, body = scene.lines(nonces)
    node.client.post("/inferences", json=body).raise_for_status()
    return requests


def grades(scene: Scene) -> list[tuple[Grade, int]]:
    return [(one.grade, one.batch.count) for one in scene.chain.ledger().batches.values()]


def proofs_of(node: OperatorProcess) -> dict[Path, int]:
    """The whole proofs of a node, and when each was written."""
    files = node.folder.rglob("proofs/*/*.json")
    return {file: file.stat().st_mtime_ns for file in files}


def workers(node: OperatorProcess) -> set[int]:
    """Ids of the node's processes in which EZKL runs."""
    assert node.process is not None
    return children(node.process.pid)


def test_node__asked__proves_commits_and_anybody_checks(
    scene: Scene, start: Start, proven: Proven, tmp_path: Path
) -> None:
    node = start()
    assert node.client.get("/").json()["proofs"]["seconds_each"] is None

    requests = ask(scene, node, range(2))
    wait_for(lambda: committed(node, requests), node)

    assert sum(count for grade, count in grades(scene) if grade is Grade.PROVEN) == 2
    for one in node.receipts(requests):
        checked(one)
    said = node.client.get("/").json()["proofs"]
    assert (said["queued"], said["proving"], said["proven"], said["failed"]) == (0, 0, 2, 0)
    assert said["seconds_each"] > 0
    assert len(node.events("proving")) == len(node.events("proven")) == 2
    # Over HTTP, as whoever doubts has it: the data by the root, and each proof.
    folder = ProofFolder(tmp_path / "fetched", proven.model)
    for record in leaves(scene, f"{node.url}/batches"):
        name = folder.path(record).relative_to(tmp_path / "fetched")
        answer = node.client.get(f"/proofs/{name}")
        folder.path(record).parent.mkdir(parents=True, exist_ok=True)
        folder.path(record).write_bytes(answer.content)
        folder.check(record, LIMITS)
    assert node.client.get(f"/proofs/{'0' * 64}/{'0' * 64}.json").status_code == 404
    assert node.client.get("/proofs/../journal.sqlite3").status_code == 404


def leaves(scene: Scene, store: str) -> list[InferenceRecord]:
    kept = BatchStore(store)
    return [
        leaf
        for one in scene.chain.ledger().batches.values()
        for leaf in kept.get(one.batch.root, scene.model_id, scene.operator)
    ]


def test_node__with_the_operators_key__commits_and_then_shows_the_proofs(
    scene: Scene, start: Start
) -> None:
    scene.send(OPERATOR, "setKey", scene.chain.accounts[KEY])
    node = start(account=KEY, operator=to_hex(scene.operator))

    requests = ask(scene, node, range(1))
    wait_for(lambda: committed(node, requests), node)

    wait_for(lambda: grades(scene) == [(Grade.PROVEN, 1)], node)
    wait_for(lambda: len(node.events("batch proven")) == 1, node)


def test_node__proof_past_its_cap__committed_without_a_grade_and_said(
    scene: Scene, start: Start
) -> None:
    node = start(proving={"timeout": 0.05})

    requests = ask(scene, node, range(2))
    wait_for(lambda: committed(node, requests), node)

    assert {grade for grade, _ in grades(scene)} == {Grade.UNCHALLENGED}
    (first, _) = node.events("proof failed; the answer is committed without it")
    assert "prove took more than 0.05 seconds" in first
    assert node.client.get("/").json()["proofs"]["failed"] == 2


def test_node__killed_again_and_again__every_answer_proven_and_no_proof_twice(
    scene: Scene, start: Start
) -> None:
    choose = random.Random(7)
    node = start(commit_every=3600.0)
    requests = ask(scene, node, range(6))
    made: dict[Path, int] = {}
    for turn in range(4):
        if turn % 2:
            # Between two proofs, or soon after one began.
            has = len(made)
            wait_for(lambda has=has: len(proofs_of(node)) > has or has == 6, node)
        else:
            # Inside one: EZKL runs.
            wait_for(lambda: bool(workers(node)), node)
            sleep(choose.uniform(0, 0.5))
        running_now = workers(node)
        node.kill()
        wait_for(lambda those=running_now: not those & set(proving()), node)
        now = proofs_of(node)
        assert made.items() <= now.items()
        made = now
        node.start()
    wait_for(lambda: len(proofs_of(node)) == 6, node)
    assert made.items() <= proofs_of(node).items()
    assert not grades(scene)
    node.stop()

    again = start(commit_every=0.3)
    wait_for(lambda: committed(again, requests), again)

    assert grades(scene) == [(Grade.PROVEN, 6)]
    assert proofs_of(again).keys() == proofs_of(node).keys()
    assert not again.events("proof failed; the answer is committed without it")


def test_node__another_circuit_or_no_verifier__ends_with_one_line(
    scene: Scene, tmp_path: Path
) -> None:
    node = scene.node()
    scene.w3.provider.make_request(  # type: ignore[attr-defined]
        "anvil_setCode", [verifier_of(scene), "0x"]
    )
    node.launch()
    assert node.process is not None and node.process.wait(60) == 1
    assert "needed: model register" in node.log.read_text()
    scene.model["file"] = str(tmp_path)
    other = scene.node("other")
    other.launch()
    assert other.process is not None and other.process.wait(60) == 1
    assert "its setup was not finished" in other.log.read_text()


def verifier_of(scene: Scene) -> str:
    from tallystick.chain.deploy import create2_address
    from tallystick.protocol.hexes import checksummed
    from tallystick.zk.model import ZkModel

    return checksummed(create2_address(ZkModel.load(Path(scene.model["file"])).creation))
