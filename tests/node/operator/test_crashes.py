"""Whatever dies when: nothing is committed twice, no demand is missed, no receipt is lost."""

import random
import shutil
import threading
from collections import Counter
from time import sleep

import httpx

from tallystick.chain.localnet import advance
from tallystick.protocol.enums import DisputeKind, State
from tallystick.protocol.hexes import from_hex
from tests.node.operator.conftest import (
    DEMANDER,
    OPERATOR,
    Scene,
    Start,
    checked,
    committed,
    wait_for,
)
from tests.support import faulty_rpc as faults
from tests.support.operator_process import OperatorProcess
from tests.support.patience import PATIENCE


class Client(threading.Thread):
    """Asks for one part after another, each again until it is answered."""

    def __init__(self, scene: Scene, node: OperatorProcess, parts: list[range]) -> None:
        super().__init__(daemon=True)
        self.node, self.parts = node, [scene.lines(part) for part in parts]
        self.answered: dict[bytes, str] = {}
        """Output by request."""
        self.over = threading.Event()

    def run(self) -> None:
        with httpx.Client(base_url=self.node.url, timeout=PATIENCE) as client:
            for _, body in self.parts:
                while not self.over.is_set():
                    try:
                        answer = client.post("/inferences", json=body)
                    except httpx.TransportError:
                        sleep(0.1)
                        continue
                    if answer.status_code == 200:
                        for one in answer.json()["answers"]:
                            self.answered[from_hex(one["request"])] = one["output"]
                        break
                    # A part whose process died in between, or a node that has not seen the chain.
                    assert answer.status_code in (409, 503), answer.text
                    sleep(0.1)
                sleep(0.05)
        self.over.set()


def check_whole(scene: Scene, node: OperatorProcess, client: Client, count: int) -> None:
    """Every answer has a receipt, and the chain has each leaf once."""
    requests = [request for asked, _ in client.parts for request in asked]
    assert sorted(client.answered) == sorted(requests) and len(requests) == count
    wait_for(lambda: committed(node, requests), node)
    ledger = scene.chain.ledger()
    receipts = [checked(one) for one in node.receipts(requests)]
    assert {one.batch_id for one in receipts} <= set(ledger.batches)
    leaves = scene.leaves(next(node.folder.rglob("batches")))
    keys = Counter((leaf.requester, leaf.nonce) for leaf in leaves)
    assert len(keys) == count and set(keys.values()) == {1}
    assert scene.network.totals().committed == count


def taken_in_silence(exchange: faults.Exchange) -> bool:
    """The node takes a transaction, and its answer is lost."""
    return exchange.method == "eth_sendRawTransaction" and faults.bad_gateway(exchange)


def open_demands(scene: Scene) -> int:
    return sum(one.state is State.DISPUTED for one in scene.chain.ledger().batches.values())


def demand_one(scene: Scene, choose: random.Random) -> int:
    """Demand a leaf, with its bytes, of an open batch; returns how many were demanded."""
    batches = [one for one in scene.chain.ledger().batches.values() if one.state is State.OPEN]
    if not batches:
        return 0
    record = choose.choice(batches)
    index = choose.randrange(record.batch.count)
    scene.send(DEMANDER, "demand", record.batch.abi(), record.stamp.pack(), index, True)
    return 1


def test_node__killed_again_and_again__nothing_twice_and_nothing_lost(
    scene: Scene, start: Start
) -> None:
    choose = random.Random(5)
    node = start()
    client = Client(scene, node, [range(at, at + 10) for at in range(0, 960, 10)])
    client.start()
    wait_for(lambda: scene.network.totals().committed > 0, node)
    demanded = 0
    for _ in range(4):
        sleep(choose.uniform(0.1, 1.2))
        node.kill()
        demanded += demand_one(scene, choose)
        node.launch()
        # Some die while they start.
        if choose.random() < 0.7:
            node.wait()
    node.wait()
    wait_for(client.over.is_set, node)

    check_whole(scene, node, client, 960)
    wait_for(lambda: not open_demands(scene), node)
    assert demanded >= 2
    assert scene.network.totals().rejected == 0


def test_node__one_rpc_call_in_five_fails__commits_once_and_answers_demands(
    scene: Scene, start: Start
) -> None:
    kinds = [
        faults.rate_limited,
        faults.server_error,
        faults.bad_gateway,
        faults.cut_off,
        faults.truncated,
        faults.not_json,
    ]
    rpc = scene.settings()["common"]["rpc"]
    fault = faults.in_turn(
        faults.every_other(taken_in_silence), faults.sometimes(kinds, share=0.2, seed=3)
    )
    with faults.faulty_rpc(rpc, fault) as proxy:
        node = start(rpc=proxy.url)
        client = Client(scene, node, [range(at, at + 16) for at in range(0, 320, 16)])
        client.start()
        wait_for(client.over.is_set, node)
        check_whole(scene, node, client, 320)
        demanded = demand_one(scene, random.Random(1))
        wait_for(lambda: not open_demands(scene), node)

    assert demanded == 1 and proxy.faulted["eth_sendRawTransaction"] >= 2
    assert sum(proxy.faulted.values()) > sum(proxy.calls.values()) / 8
    assert scene.network.totals().rejected == 0


def test_node__demand_while_it_was_dead_and_its_store_lost__answered_from_the_journal(
    scene: Scene, start: Start
) -> None:
    node = start()
    requests, body = scene.lines(range(20))
    node.client.post("/inferences", json=body).raise_for_status()
    wait_for(lambda: committed(node, requests), node)
    node.kill()
    shutil.rmtree(next(node.folder.rglob("batches")))
    demand_one(scene, random.Random(2))
    (record,) = scene.chain.ledger().batches.values()
    assert record.dispute is not None and record.dispute.kind is DisputeKind.DEMAND

    node.start()

    wait_for(lambda: not open_demands(scene), node)
    (record,) = scene.chain.ledger().batches.values()
    assert record.state is State.OPEN
    assert len(node.events("demand answered")) == 1


def test_node__two_processes_of_one_lane__one_commits_and_the_other_takes_over(
    scene: Scene, start: Start
) -> None:
    first = start("first", shared=True)
    settings = scene.settings(shared=True)
    settings["common"]["data"] = str(first.folder)
    second = OperatorProcess(scene.folder / "second", settings, OPERATOR)
    second.start()
    try:
        both = [
            Client(scene, first, [range(at, at + 8) for at in range(0, 160, 8)]),
            Client(scene, second, [range(at, at + 8) for at in range(160, 320, 8)]),
        ]
        for client in both:
            client.start()
        wait_for(lambda: len(both[0].answered) >= 80, first)
        both[0].over.set()
        both[0].join()
        first.kill()
        # The first may have committed all that was asked so far.
        both.append(Client(scene, second, [range(at, at + 8) for at in range(320, 400, 8)]))
        both[2].start()
        wait_for(both[1].over.is_set, second)
        wait_for(both[2].over.is_set, second)

        requests = [request for client in both for request in client.answered]
        wait_for(lambda: committed(second, requests), second)
    finally:
        second.kill()
    assert len(first.events("this process commits for the lane")) == 1
    assert len(second.events("this process commits for the lane")) == 1
    assert scene.network.totals().committed == len(requests)


def test_node__window_over_and_no_commit_to_ride_on__finalizes(scene: Scene, start: Start) -> None:
    node = start(finalize_after=0.0)
    requests, body = scene.lines(range(4))
    node.client.post("/inferences", json=body).raise_for_status()
    wait_for(lambda: committed(node, requests), node)
    advance(scene.w3, scene.network.rules.challenge_window + 3700)

    wait_for(lambda: scene.network.totals().unchallenged == 4, node)

    assert scene.network.lane(scene.operator).open_inferences == 0
    assert committed(node, requests)
