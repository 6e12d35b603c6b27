"""A leaf is called wrong for good on facts that were read twice, of one chain, at each node.

steady     ruled on at the second look
unsteady   blocks that change, a dispute that the registry does not know, nodes that disagree: none
others     that are behind or gone say nothing
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from tallystick.chain.registry import Registry
from tallystick.node.verifier.second_look import (
    Facts,
    NodeBehindError,
    SecondLook,
    UnsteadyError,
)
from tallystick.node.verifier.verifier import Verifier
from tallystick.protocol.enums import Ruling, State
from tests.node.verifier.stage import GRIEFER, Stage, rounds
from tests.support.faulty_rpc import Exchange, FaultyRpc, faulty_rpc, never
from tests.support.story import Committed


@pytest.fixture
def proxy(staged: Stage) -> Iterator[FaultyRpc]:
    endpoint = staged.chain.w3.provider.endpoint_uri  # type: ignore[attr-defined]
    with faulty_rpc(str(endpoint), never) as rpc:
        yield rpc


@contextlib.contextmanager
def asking(staged: Stage, rpc: FaultyRpc) -> Iterator[Verifier]:
    """A judge that reaches the chain through a proxy."""
    verifier = staged.verifier(rpc=rpc.url)
    yield verifier


def disputed(staged: Stage, wrong: bool = True) -> Committed:
    batch = staged.commit(20, wrong=[2] if wrong else [])
    staged.seeded()
    arguments = batch.batch.abi(), batch.stamp.pack(), batch.opening(2)
    staged.chain.send(staged.chain.accounts[GRIEFER], "challenge", *arguments)
    return batch


def verdicts(verifier: Verifier) -> list[Ruling]:
    rows = verifier.journal._read("select json from statement where kind = 'verdict'")
    return [Ruling.REJECTED if '"rejected"' in row[0] else Ruling.UPHELD for row in rows]


class Renamed:
    """Gives one block another hash at each look, or at all looks from the second on."""

    def __init__(self, block: int, every_time: bool) -> None:
        self._block, self._every_time = block, every_time
        self._times = 0

    def __call__(self, exchange: Exchange) -> bool:
        if exchange.method != "eth_getBlockByNumber":
            return False
        if exchange.request["params"][0] != hex(self._block):
            return False
        self._times += 1
        number = self._times if self._every_time else 1
        exchange.answer["result"]["hash"] = "0x" + number.to_bytes(32, "big").hex()
        return True


def test_tick__steady_node__rejected_at_the_second_look(staged: Stage) -> None:
    disputed(staged)
    verifier = staged.verifier()

    verifier.tick()
    assert verdicts(verifier) == []
    verifier.tick()

    assert verdicts(verifier) == [Ruling.REJECTED]


def test_tick__right_leaf__upheld_at_once(staged: Stage) -> None:
    disputed(staged, wrong=False)
    verifier = staged.verifier()

    verifier.tick()

    assert verdicts(verifier) == [Ruling.UPHELD]


def test_tick__commit_in_another_block_each_time__no_verdict_until_it_is_steady(
    staged: Stage, proxy: FaultyRpc
) -> None:
    batch = disputed(staged)
    with asking(staged, proxy) as verifier:
        proxy.fault = Renamed(batch.stamp.committed_block, every_time=True)
        rounds(verifier, count=5)
        assert proxy.faulted.total() >= 5
        assert verdicts(verifier) == []

        proxy.fault = never
        rounds(verifier, count=3)
        assert verdicts(verifier) == [Ruling.REJECTED]


def test_tick__core_knows_no_such_dispute__no_verdict(staged: Stage, proxy: FaultyRpc) -> None:
    from tallystick.chain.abi import contract

    disputed(staged)
    selector = "0x" + contract("Tallystick").functions()["stateOf"].selector.hex()

    def unknown(exchange: Exchange) -> bool:
        if exchange.method != "eth_call":
            return False
        if not exchange.request["params"][0]["data"].startswith(selector):
            return False
        exchange.answer["result"] = "0x" + bytes(32).hex()
        return True

    with asking(staged, proxy) as verifier:
        proxy.fault = unknown
        rounds(verifier, count=5)
        assert proxy.faulted["eth_call"] >= 4
        assert verdicts(verifier) == []


def test_stands__another_node_has_another_chain__no(staged: Stage, proxy: FaultyRpc) -> None:
    batch = disputed(staged)
    record, registry = staged.record(batch), staged.chain.registry
    other = staged.verifier(rpc=proxy.url).watch.registry
    head = staged.chain.w3.eth.block_number
    second = SecondLook(registry, [other])

    proxy.fault = Renamed(batch.stamp.committed_block, every_time=False)
    assert [second.stands(record, None, head, look) for look in (1, 2, 3)] == [False] * 3
    proxy.fault = never
    assert second.stands(record, None, head, 4)


def test_stands__other_node_behind_or_gone__says_nothing(staged: Stage, proxy: FaultyRpc) -> None:
    batch = disputed(staged)
    record, registry = staged.record(batch), staged.chain.registry
    other = staged.verifier(rpc=proxy.url).watch.registry
    head = staged.chain.w3.eth.block_number
    second = SecondLook(registry, [other])

    def behind(exchange: Exchange) -> bool:
        if exchange.method != "eth_blockNumber":
            return False
        exchange.answer["result"] = hex(head - 1)
        return True

    def gone(exchange: Exchange) -> bool:
        exchange.refuse(-32601, "no")
        return True

    assert not second.stands(record, None, head, 1)
    for look, fault in ((2, behind), (3, gone)):
        proxy.fault = fault
        assert second.stands(record, None, head, look)


def test_read__head_becomes_another_block_meanwhile__refused(
    staged: Stage, proxy: FaultyRpc
) -> None:
    batch = disputed(staged)
    record, head = staged.record(batch), staged.chain.w3.eth.block_number
    registry: Registry = staged.verifier(rpc=proxy.url).watch.registry

    proxy.fault = Renamed(head, every_time=True)
    with pytest.raises(UnsteadyError, match=f"block {head} became another"):
        Facts.read(registry, record, None, head)
    proxy.fault = never
    with pytest.raises(NodeBehindError, match=f"latest block is {head} of {head + 1}"):
        Facts.read(registry, record, None, head + 1)
    assert Facts.read(registry, record, None, head).state is State.DISPUTED


def test_agrees__seed_known_to_one__the_same_chain() -> None:
    block: Any = b"b" * 32
    facts = Facts(block, State.DISPUTED, b"s" * 32)

    assert facts.agrees(Facts(block, State.DISPUTED, b""))
    assert not facts.agrees(Facts(block, State.DISPUTED, b"t" * 32))
    assert not facts.agrees(Facts(block, State.OPEN, b"s" * 32))
