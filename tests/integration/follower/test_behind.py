"""A node that is behind, flaps, or lacks the block it named: the ledger stays, nothing is reread.

A fork is shown by another hash at a height that both have, and by nothing else.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from web3 import HTTPProvider, Web3

from tallystick.chain.cache import ChainCache
from tallystick.chain.follower import Follower
from tallystick.chain.localnet import mine
from tallystick.chain.registry import Registry
from tests.support.chain import Chain
from tests.support.faulty_rpc import Exchange, Fault, blocks_behind, faulty_rpc, never
from tests.support.story import Network


class Pool:
    """A follower of a pool of nodes, and the ranges of logs that it asks for."""

    def __init__(self, chain: Chain, path: Path, confirmations: int) -> None:
        self.chain, self.ranges = chain, list[tuple[int, int]]()
        self.fault: Fault = never
        self._cache, self._confirmations = ChainCache(path), confirmations

    def note(self, exchange: Exchange) -> bool:
        if exchange.method == "eth_getLogs":
            query = exchange.request["params"][0]
            self.ranges.append((int(query["fromBlock"], 16), int(query["toBlock"], 16)))
        return self.fault(exchange)

    def at(self, url: str, others: tuple[Registry, ...] = ()) -> Follower:
        registry = Registry(Web3(HTTPProvider(url)), self.chain.registry.address)
        return Follower(registry, 0, self._confirmations, others, cache=self._cache)

    def whole(self) -> dict[str, Any]:
        return vars(self.chain.ledger())


@contextmanager
def pooled(chain: Chain, path: Path, confirmations: int = 0) -> Iterator[tuple[Pool, Follower]]:
    pool = Pool(chain, path / "chain.sqlite3", confirmations)
    with faulty_rpc(str(chain.w3.provider.endpoint_uri), pool.note) as proxy:  # type: ignore[attr-defined]
        yield pool, pool.at(proxy.url)


def flapping(blocks: int) -> Fault:
    """Have every other answer come from a node that is behind."""
    back, turns = blocks_behind(blocks), [0]

    def fault(exchange: Exchange) -> bool:
        turns[0] += exchange.method == "eth_blockNumber"
        return turns[0] % 2 == 0 and back(exchange)

    return fault


def without(number: int | None) -> Fault:
    """Have a block be null; None: whichever is asked for by its number."""

    def fault(exchange: Exchange) -> bool:
        if exchange.method != "eth_getBlockByNumber":
            return False
        asked = exchange.request["params"][0]
        if not asked.startswith("0x") or number not in (None, int(asked, 16)):
            return False
        exchange.answer["result"] = None
        return True

    return fault


@pytest.mark.parametrize("confirmations", [0, 6])
@pytest.mark.parametrize("blocks", [1, 3, 10_000])
def test_advance__pool_flaps__history_is_read_once_and_nothing_is_new(
    chain: Chain, network: Network, operator: bytes, tmp_path: Path, confirmations: int, blocks: int
) -> None:
    network.join(operator)
    network.commit(operator, count=3)
    mine(chain.w3, 12)
    blocks = min(blocks, chain.w3.eth.block_number - 1)
    with pooled(chain, tmp_path, confirmations) as (pool, follower):
        pool.fault = flapping(blocks)
        first, *rest = [follower.advance() for _ in range(6)]

    assert first > 0 and rest == [0] * 5
    assert len(pool.ranges) == len(set(pool.ranges)) and pool.ranges[0][0] == 0
    assert sum(start == 0 for start, _ in pool.ranges) == 1
    assert vars(follower.ledger) == pool.whole()


def test_advance__pool_flaps_while_events_come__each_is_new_once(
    chain: Chain, network: Network, operator: bytes, tmp_path: Path
) -> None:
    network.join(operator)
    with pooled(chain, tmp_path) as (pool, follower):
        follower.advance()
        pool.fault = flapping(2)
        new = []
        for _ in range(4):
            network.commit(operator, count=1, slot=network.lane(operator).next_index)
            new.append([follower.advance() for _ in range(2)])

    assert sorted(map(sum, new)) == [1] * 4
    assert vars(follower.ledger) == pool.whole()


def test_advance__node_behind__head_stays_with_the_time_it_was_seen(
    chain: Chain, network: Network, tmp_path: Path
) -> None:
    with pooled(chain, tmp_path) as (pool, follower):
        mine(chain.w3, 5)
        follower.advance()
        head = follower.head
        pool.fault = blocks_behind(4)
        follower.advance()
        assert follower.head is head and follower.behind == 4
        pool.fault = never
        follower.advance()

    assert follower.behind == 0


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_advance__node_behind_and_then_a_reorg__only_what_was_replaced_is_read_again(
    chain: Chain, network: Network, operator: bytes, tmp_path: Path, depth: int
) -> None:
    network.join(operator)
    mine(chain.w3, 10)
    with pooled(chain, tmp_path) as (pool, follower):
        revert = chain.snapshot()
        agreed = chain.w3.eth.block_number
        follower.advance()
        gone = network.commit(operator, count=2)
        mine(chain.w3, depth - 1)
        follower.advance()
        assert gone.id in follower.ledger.batches
        revert()
        new = network.commit(operator, count=5)
        mine(chain.w3, depth - 1)
        pool.ranges.clear()
        # Minutes of looks at a node that has none of it yet.
        pool.fault = blocks_behind(depth + 2)
        assert [follower.advance() for _ in range(5)] == [0] * 5
        assert gone.id in follower.ledger.batches
        pool.fault = never
        follower.advance()

    assert gone.id not in follower.ledger.batches and new.id in follower.ledger.batches
    assert [start for start, _ in pool.ranges] == [agreed + 1]
    assert vars(follower.ledger) == pool.whole()


def test_advance__fork_at_the_parent_of_the_head__seen_by_a_node_that_is_one_block_behind(
    chain: Chain, network: Network, operator: bytes, tmp_path: Path
) -> None:
    network.join(operator)
    with pooled(chain, tmp_path) as (pool, follower):
        revert = chain.snapshot()
        follower.advance()
        gone = network.commit(operator, count=2)
        mine(chain.w3, 1)
        follower.advance()
        revert()
        new = network.commit(operator, count=5)
        follower.advance()

    assert gone.id not in follower.ledger.batches and new.id in follower.ledger.batches
    assert vars(follower.ledger) == pool.whole()


def test_advance__null_for_the_block_named_as_head__stays_as_it_was(
    chain: Chain, network: Network, operator: bytes, tmp_path: Path
) -> None:
    network.join(operator)
    with pooled(chain, tmp_path) as (pool, follower):
        follower.advance()
        pool.ranges.clear()
        network.commit(operator, count=2)
        pool.fault = without(chain.w3.eth.block_number)
        assert [follower.advance() for _ in range(3)] == [0] * 3
        pool.fault = without(None)
        assert follower.advance() == 0
        assert pool.ranges == []
        pool.fault = never
        assert follower.advance() == 1

    assert vars(follower.ledger) == pool.whole()


def test_advance__first_node_behind__the_next_one_is_asked(
    chain: Chain, network: Network, operator: bytes, tmp_path: Path
) -> None:
    network.join(operator)
    with pooled(chain, tmp_path) as (pool, follower):
        url = str(follower.registry.w3.provider.endpoint_uri)  # type: ignore[attr-defined]
        follower = pool.at(url, (chain.registry,))
        follower.advance()
        new = network.commit(operator, count=2)
        pool.fault = blocks_behind(3)
        assert follower.advance() == 1

    assert new.id in follower.ledger.batches and follower.behind == 0
