"""An operator's escrow in a pool: kept above its floor, or warned of.

funded    from the account | from credit that is there, after a crash in between
warned    no top_up | after notice | by a commit key
node      warns in its log | funds
"""

import json
from typing import Any

import pytest

from tallystick.chain.pool import Pool
from tallystick.chain.sender import Web3Sender
from tallystick.node.metrics import Metrics
from tallystick.node.operator.escrow import EscrowFunding
from tallystick.node.settings import EscrowSettings
from tallystick.protocol.hexes import to_hex
from tests.node.operator.conftest import OPERATOR, Scene, Start, wait_for
from tests.node.verifier.stage import account
from tests.support.pool import deploy

FLOOR, TOP_UP = 1_000, 5_000


class Log:
    """What was logged, by event."""

    def __init__(self) -> None:
        self.said: list[tuple[str, dict[str, Any]]] = []

    def info(self, event: str, **facts: Any) -> None:
        self.said.append((event, facts))

    warning = info


class Lane:
    """An operator's account, as the funding needs it."""

    def __init__(self, scene: Scene, sender: int = OPERATOR) -> None:
        self.registry, self.operator = scene.chain.registry, scene.operator
        self.sender = Web3Sender(scene.w3, account(sender))
        self.metrics, self.log = Metrics(), Log()


@pytest.fixture
def pool(scene: Scene) -> Pool:
    return Pool(scene.w3, deploy(scene.chain).address)


def look(lane: Lane, pool: Pool, top_up: int = TOP_UP) -> list[str]:
    """What a look at the escrow says."""
    settings = EscrowSettings(pool=pool.address, floor=FLOOR, top_up=top_up)
    EscrowFunding(lane, settings).look()  # type: ignore[arg-type]
    return [event for event, _ in lane.log.said]


def test_look__below_the_floor__funded_once(scene: Scene, pool: Pool) -> None:
    lane = Lane(scene)

    assert look(lane, pool) == ["escrow funded"]
    assert look(lane, pool) == ["escrow funded"]
    assert pool.escrow(scene.operator).balance == TOP_UP
    assert pool.credit(scene.operator) == 0


def test_look__killed_after_the_deposit__credit_is_used(scene: Scene, pool: Pool) -> None:
    lane = Lane(scene)
    lane.sender.send(pool.call("deposit", scene.operator, TOP_UP, value=TOP_UP))

    assert look(lane, pool) == ["escrow funded"]
    assert (pool.escrow(scene.operator).balance, pool.credit(scene.operator)) == (TOP_UP, 0)


def test_look__without_top_up__warned(scene: Scene, pool: Pool) -> None:
    assert look(Lane(scene), pool, top_up=0) == ["escrow is low"]
    assert pool.escrow(scene.operator).balance == 0


def test_look__after_notice__warned_and_notice_stands(scene: Scene, pool: Pool) -> None:
    lane = Lane(scene)
    lane.sender.send(pool.call("notice"))

    assert look(lane, pool) == ["escrow is low"]
    assert pool.escrow(scene.operator).notice_at > 0


def test_look__by_a_commit_key__warned(scene: Scene, pool: Pool) -> None:
    assert look(Lane(scene, OPERATOR + 5), pool) == ["escrow is low"]


def test_node__escrow_below_the_floor__warned_in_its_log(
    scene: Scene, pool: Pool, start: Start
) -> None:
    node = start(escrow={"pool": to_hex(pool.address), "floor": FLOOR})

    wait_for(lambda: '"escrow is low"' in node.log.read_text(), node)

    (line, *_) = [one for one in node.log.read_text().splitlines() if '"escrow is low"' in one]
    facts = json.loads(line)
    assert (facts["level"], facts["balance"], facts["floor"]) == ("warning", 0, FLOOR)
    assert "ape tallystick pool fund" in facts["reason"]


def test_node__with_top_up__funds_its_escrow(scene: Scene, pool: Pool, start: Start) -> None:
    node = start(escrow={"pool": to_hex(pool.address), "floor": FLOOR, "top_up": TOP_UP})

    wait_for(lambda: pool.escrow(scene.operator).balance == TOP_UP, node)
