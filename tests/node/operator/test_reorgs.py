"""Blocks that are given up: what is known follows, and what was committed is committed again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from web3 import HTTPProvider, Web3

from tallystick.chain.follower import Follower
from tallystick.chain.localnet import advance, mine
from tallystick.chain.logs import topic_of
from tallystick.chain.registry import Registry
from tallystick.errors import MissingLogsError
from tallystick.protocol.events import Deposited
from tallystick.protocol.hexes import to_hex
from tests.node.operator.conftest import DEMANDER, Scene, checked
from tests.node.operator.test_committer import RequestHandler
from tests.support.faulty_rpc import Exchange, faulty_rpc, never
from tests.support.loose_core import LooseCore


@contextmanager
def given_up(scene: Scene) -> Iterator[Callable[[], None]]:
    """Yields what gives up all blocks since, for other ones."""
    snapshot = scene.w3.provider.make_request("evm_snapshot", [])["result"]

    def give_up() -> None:
        scene.w3.provider.make_request("evm_revert", [snapshot])
        # Another block than the one that was there.
        advance(scene.w3, 7)

    yield give_up


def test_follower__blocks_replaced__as_if_it_had_read_only_the_new_ones(scene: Scene) -> None:
    registry, account = scene.chain.registry, scene.chain.accounts[DEMANDER]
    follower = Follower(registry)
    follower.advance()
    with given_up(scene) as give_up:
        scene.send(DEMANDER, "deposit", bytes(20), 5, value=5)
        assert follower.advance() == 1
        with_deposit = follower.ledger.credits[bytes(20), account]
        give_up()
        mine(scene.w3, 3)

        again = follower.advance()

        assert again > 1
        assert follower.ledger.credits[bytes(20), account] == with_deposit - 5
        scene.send(DEMANDER, "deposit", bytes(20), 3, value=3)
        assert follower.advance() == 1
        fresh = Follower(registry)
        fresh.advance()
        assert fresh.ledger.credits == follower.ledger.credits
        assert fresh.head is not None and follower.head is not None
        assert fresh.head.hash == follower.head.hash


def test_follower__events_of_an_unknown_network__passed_over(scene: Scene) -> None:
    loose, follower = LooseCore(scene.chain), Follower(scene.chain.registry)
    follower.advance()
    loose.emit("Unstaked", b"?" * 32, scene.operator, 0)
    scene.send(DEMANDER, "deposit", bytes(20), 5, value=5)

    assert follower.advance() == 2

    assert follower.ledger.passed_over == 1
    assert vars(follower.ledger) == vars(scene.chain.ledger())


def test_follower__node_leaves_out_logs__read_again_from_the_other(scene: Scene) -> None:
    hidden = [to_hex(topic_of(Deposited))]

    def leave_out(exchange: Exchange) -> bool:
        kept = [log for log in exchange.logs if log["topics"][0] not in hidden]
        if len(kept) == len(exchange.logs):
            return False
        exchange.answer["result"] = kept
        return True

    url = scene.w3.provider.endpoint_uri  # type: ignore[attr-defined]
    with faulty_rpc(url, never) as leaky:
        registry = Registry(Web3(HTTPProvider(leaky.url)), scene.chain.registry.address)
        alone = Follower(registry)
        both = Follower(registry, others=[scene.chain.registry])
        alone.advance()
        both.advance()
        leaky.fault = leave_out
        scene.send(4, "deposit", bytes(20), 5, value=5)
        scene.send(4, "withdraw", bytes(20), scene.chain.accounts[4], 5)

        with pytest.raises(MissingLogsError, match="would fall below zero; it follows from others"):
            alone.advance()
        both.advance()
        leaky.fault = never
        alone.advance()

    assert vars(both.ledger) == vars(alone.ledger) == vars(scene.chain.ledger())


def test_follower__confirmations__leaves_the_latest_blocks_alone(scene: Scene) -> None:
    follower = Follower(scene.chain.registry, confirmations=2)
    follower.advance()
    mine(scene.w3, 2)
    follower.advance()

    scene.send(DEMANDER, "deposit", bytes(20), 5, value=5)
    assert follower.advance() == 0
    mine(scene.w3, 1)
    assert follower.advance() == 0
    mine(scene.w3, 1)
    assert follower.advance() == 1


def test_commit__its_block_given_up__sent_again_and_receipts_say_where(scene: Scene) -> None:
    handler = RequestHandler(scene, scene.folder)
    handler.answer(range(4))
    lane = handler.lane()
    with given_up(scene) as give_up:
        handler.round(lane)
        before = [checked(one) for one in handler.receipts()]
        give_up()
        assert scene.network.totals().committed == 0

        handler.round(lane)
        lane.journal.close()

        after = [checked(one) for one in handler.receipts()]
        assert scene.network.totals().committed == 4
        assert [one.batch_id for one in after] == [one.batch_id for one in before]
        (record,) = scene.chain.ledger().batches.values()
        assert {one.stamp for one in after} == {record.stamp}
        assert before[0].stamp != record.stamp
