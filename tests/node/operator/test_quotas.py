"""Quotas at a node: refused with the status and the reason, while others and repeats are served."""

import pytest

from tallystick.node.operator.committer import Committer
from tallystick.node.operator.reveal_capacity import RevealCapacity
from tallystick.protocol.hexes import checksummed, to_hex
from tests.node.operator.conftest import Scene, Start, committed, wait_for
from tests.node.operator.test_committer import RequestHandler
from tests.support.story import REQUESTERS


def test_inferences__over_a_quota__429_and_the_reason(scene: Scene, start: Start) -> None:
    quotas = {
        "known": [to_hex(REQUESTERS[0])],
        "each": {"per_minute": 6},
        "all_strangers": {"open_inferences": 4},
    }
    node = start(requesters=quotas, commit_every=0.2)

    def ask(nonces: range, requester: int) -> tuple[int, str]:
        lines = [scene.line(*scene.request(nonce, requester)) for nonce in nonces]
        answer = node.client.post("/inferences", json=scene.body(*lines))
        return answer.status_code, answer.json().get("error", "")

    first = [scene.line(*scene.request(nonce, 1)) for nonce in range(3)]
    taken = node.client.post("/inferences", json=scene.body(*first))
    assert taken.status_code == 200
    known = checksummed(REQUESTERS[0])
    assert ask(range(9), 0) == (429, f"{known} may ask for 6 inferences a minute")
    wait_for(lambda: scene.network.totals().committed == 3, node)
    status, reason = ask(range(2), 2)
    assert status == 429 and "3 inferences of all requesters that are not on" in reason
    assert ask(range(6), 0)[0] == 200
    # What was answered before is repeated, whatever the quotas say.
    again = node.client.post("/inferences", json=scene.body(*first))
    assert again.status_code == 200
    assert again.json()["answers"] == taken.json()["answers"]


@pytest.mark.parametrize(("most", "count"), [(0, 0), (1, 5)])
def test_commit__as_many_open_as_could_be_revealed__no_more(
    scene: Scene, most: int, count: int
) -> None:
    handler = RequestHandler(scene, scene.folder)
    handler.answer(range(5))
    lane = handler.lane()
    lane.follower.advance()
    committer = Committer(lane, RevealCapacity(most, most, 1, 12.0))
    for _ in range(2):
        committer.reconcile()
        committer.commit()
    handler.answer(range(5, 7))
    committer.commit()
    lane.journal.close()

    assert scene.network.totals().committed == count
    assert lane.metrics.failures.labels("capacity")._value.get() > 0


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
