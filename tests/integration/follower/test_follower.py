"""The follower beside the ledger of all events, on a real chain.

part      network, lane, directory: as the whole ledger has it, asking for nothing else
again     a second process reads the blocks since | nothing new: no logs are asked for
reorg     another hash at a height that both have | a node that is behind takes nothing back
first     found by code, once, again on another chain | a node without old state | recorded
range     what a node accepted is asked for first
missing   a lane's event that cannot be placed is put to the registry
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from web3 import HTTPProvider, Web3

from tallystick.actions.chain_view import ChainView
from tallystick.chain.cache import ChainCache
from tallystick.chain.follower import Follower
from tallystick.chain.lanes import find_lanes, scope_of
from tallystick.chain.localnet import localnet, mine
from tallystick.chain.logs import topic_of
from tallystick.chain.origin import first_block_of
from tallystick.chain.registry import Registry
from tallystick.errors import MissingLogsError
from tallystick.protocol.enums import State
from tallystick.protocol.events import (
    BatchCommitted,
    BytesRevealed,
    EvidenceAccepted,
    ModelRegistered,
)
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.ledger import Ledger
from tallystick.protocol.scope import WHOLE, Scope
from tests.integration.conftest import GENESIS
from tests.support.chain import Chain
from tests.support.faulty_rpc import Exchange, FaultyRpc, blocks_behind, faulty_rpc, never
from tests.support.loose_core import LooseCore
from tests.support.story import RULES, Committed, Network, register


@contextmanager
def watched(
    chain: Chain, fault: Callable[[Exchange], bool] = never
) -> Iterator[tuple[Registry, list[dict[str, Any]], FaultyRpc]]:
    """Yields the registry through a proxy, the log queries that are made, and the proxy."""
    asked: list[dict[str, Any]] = []

    def note(exchange: Exchange) -> bool:
        if exchange.method == "eth_getLogs":
            asked.append(exchange.request["params"][0])
        return fault(exchange)

    with faulty_rpc(str(chain.w3.provider.endpoint_uri), note) as proxy:  # type: ignore[attr-defined]
        yield Registry(Web3(HTTPProvider(proxy.url)), chain.registry.address), asked, proxy


@pytest.fixture(scope="module")
def shared_chain() -> Iterator[Chain]:
    """A chain of this file's own: where others mine thousands of blocks, old states are gone."""
    with localnet(timestamp=GENESIS) as w3:
        yield Chain(w3)


@pytest.fixture
def cache(tmp_path: Path) -> ChainCache:
    return ChainCache(tmp_path / "chain.sqlite3")


@pytest.fixture
def stranger(chain: Chain) -> bytes:
    return chain.accounts[6]


@pytest.fixture
def busy(chain: Chain, network: Network, operator: bytes, stranger: bytes) -> Network:
    """The network with two lanes, and another network beside it with the same operators."""
    other = register(chain, chain.accounts[4], RULES, salt=9)
    network.join(stranger)
    for one in (operator, stranger):
        other.join(one)
        chain.send(one, "setKey", chain.accounts[7])
        for of in (network, other):
            commit(of, one, 5)
    return network


def commit(network: Network, operator: bytes, count: int) -> Committed:
    """Commit a batch into a slot that the lane has not used."""
    return network.commit(operator, count=count, slot=network.lane(operator).next_index)


def follow(registry: Registry, scope: Scope, cache: ChainCache | None = None) -> Ledger:
    follower = Follower(registry, scope=scope, cache=cache)
    follower.advance()
    return follower.ledger


def test_advance__a_network__as_the_whole_ledger_has_it_and_no_other_is_asked_for(
    chain: Chain, busy: Network, operator: bytes, stranger: bytes
) -> None:
    whole = chain.ledger()
    with watched(chain) as (registry, asked, _):
        found = follow(registry, Scope.network(busy.id))

    assert found.totals[busy.id] == whole.totals[busy.id] == busy.totals()
    assert {lane: asdict(found.lanes[lane]) for lane in found.lanes} == {
        lane: asdict(state) for lane, state in whole.lanes.items() if lane[0] == busy.id
    }
    assert all(one["topics"][1] == [to_hex(busy.id)] for one in asked)


def test_advance__a_lane__as_the_whole_ledger_has_it_and_no_other_is_asked_for(
    chain: Chain, busy: Network, operator: bytes
) -> None:
    whole = chain.ledger()
    with watched(chain) as (registry, asked, _):
        found = follow(registry, Scope.lane(busy.id, operator))

    lane = busy.id, operator
    assert asdict(found.lanes[lane]) == asdict(whole.lanes[lane])
    assert {one.batch.operator for one in found.batches.values()} == {operator}
    assert list(found.models) == [busy.model_id]
    assert found.key_of(operator) == chain.accounts[7]
    own = {to_hex(busy.id), to_hex(operator.rjust(32, b"\0"))}
    assert all(set(one["topics"][1]) <= own for one in asked)


def test_advance__networks_and_models__all_of_them(chain: Chain, busy: Network) -> None:
    whole, found = chain.ledger(), follow(chain.registry, Scope.directory())

    assert (found.networks, found.models) == (whole.networks, whole.models)
    assert len(found.networks) == 2


def test_advance__a_second_time__asks_for_the_blocks_since(
    chain: Chain, busy: Network, operator: bytes, cache: ChainCache
) -> None:
    scope = Scope.lane(busy.id, operator)
    follow(chain.registry, scope, cache)
    before = chain.w3.eth.block_number
    commit(busy, operator, 3)
    with watched(chain) as (registry, asked, proxy):
        found = follow(registry, scope, cache)
        assert {int(one["fromBlock"], 16) for one in asked} == {before + 1}
        asked.clear()
        proxy.calls.clear()

        follow(registry, scope, ChainCache(cache.path))

    assert asked == []
    assert sum(proxy.calls.values()) <= 3
    assert len(found.batches) == 2
    assert vars(found) == vars(follow(chain.registry, scope))


def test_advance__to_a_block_before_the_last_one_read__as_it_was_then(
    chain: Chain, busy: Network, operator: bytes, cache: ChainCache
) -> None:
    block, before = chain.w3.eth.block_number, chain.ledger()
    commit(busy, operator, 3)
    follower = Follower(chain.registry, cache=cache)
    follower.advance()

    follower.advance(block)
    assert vars(follower.ledger) == vars(before)
    follower.advance()
    assert vars(follower.ledger) == vars(chain.ledger())


def test_advance__blocks_replaced_while_nobody_looked__only_the_new_ones_count(
    chain: Chain, busy: Network, operator: bytes, cache: ChainCache
) -> None:
    scope = Scope.network(busy.id)
    follow(chain.registry, scope, cache)
    agreed, revert = chain.w3.eth.block_number, chain.snapshot()
    gone = commit(busy, operator, 3)
    assert gone.id in follow(chain.registry, scope, cache).batches
    revert()
    new = commit(busy, operator, 4)
    mine(chain.w3, 3)

    with watched(chain) as (registry, asked, _):
        found = follow(registry, scope, ChainCache(cache.path))

    assert {int(one["fromBlock"], 16) for one in asked} == {agreed + 1}
    assert new.id in found.batches and gone.id not in found.batches
    assert vars(found) == vars(follow(chain.registry, scope))


def test_advance__node_behind__goes_as_far_as_it_does_and_nothing_is_taken_back(
    chain: Chain, busy: Network, operator: bytes, cache: ChainCache
) -> None:
    scope = Scope.network(busy.id)
    follow(chain.registry, scope, cache)
    then = commit(busy, operator, 3)
    later = commit(busy, operator, 4)
    follow(chain.registry, scope, cache)
    kept = cache.checkpoints(Follower(chain.registry, scope=scope, cache=cache)._name)
    with watched(chain, blocks_behind(1)) as (registry, asked, proxy):
        follower = Follower(registry, scope=scope, cache=cache)
        follower.advance()

        assert then.id in follower.ledger.batches and later.id not in follower.ledger.batches
        assert cache.checkpoints(follower._name) == kept
        proxy.fault = never
        asked.clear()
        follower.advance()

    assert asked == []
    assert later.id in follower.ledger.batches
    assert vars(follower.ledger) == vars(follow(chain.registry, scope))


def test_advance__shorter_other_fork_below_what_was_read__the_fork_counts(
    chain: Chain, busy: Network, operator: bytes, cache: ChainCache
) -> None:
    scope = Scope.network(busy.id)
    follow(chain.registry, scope, cache)
    revert = chain.snapshot()
    gone = [commit(busy, operator, 3) for _ in range(4)]
    follow(chain.registry, scope, cache)
    revert()
    new = commit(busy, operator, 6)

    found = follow(chain.registry, scope, ChainCache(cache.path))

    assert new.id in found.batches
    assert not {one.id for one in gone} & set(found.batches)


def test_advance__another_chain_under_the_same_id__read_from_its_own_first_block(
    chain: Chain, busy: Network, cache: ChainCache
) -> None:
    follow(chain.registry, WHOLE, cache)
    assert first_block_of(chain.registry, cache) == chain.deployed["blockNumber"]
    with localnet(timestamp=1_900_000_000) as w3:
        mine(w3, 5)
        other = Chain(w3)
        register(other, other.accounts[1], RULES)
        assert other.registry.address == chain.registry.address
        # Another height: the old chain's first block means nothing here.
        assert other.deployed["blockNumber"] > chain.deployed["blockNumber"]
        mine(w3, chain.w3.eth.block_number)

        found = follow(other.registry, WHOLE, cache)

        assert vars(found) == vars(other.ledger())
        assert first_block_of(other.registry, cache) == other.deployed["blockNumber"]


def test_first_block_of__asked_again__code_is_not(chain: Chain, cache: ChainCache) -> None:
    mine(chain.w3, 40)
    with watched(chain) as (registry, _, proxy):
        first = first_block_of(registry, cache)
        asked = proxy.calls["eth_getCode"]
        again = first_block_of(registry, ChainCache(cache.path))

    assert first == again == chain.deployed["blockNumber"]
    assert 0 < asked <= chain.w3.eth.block_number.bit_length() + 1
    assert proxy.calls["eth_getCode"] == asked


def test_first_block_of__node_without_old_state__an_earlier_one_that_is_not_kept(
    chain: Chain, cache: ChainCache
) -> None:
    mine(chain.w3, 40)

    def pruned(exchange: Exchange) -> bool:
        if exchange.method == "eth_getCode":
            exchange.refuse(-32000, "missing trie node d0be57 (path )")
        return exchange.method == "eth_getCode"

    with watched(chain, pruned) as (registry, _, _proxy):
        assert first_block_of(registry, cache) == 0
    assert cache.origin() is None


def test_advance__node_takes_short_ranges__remembered_for_the_next_process(
    chain: Chain, busy: Network, operator: bytes, cache: ChainCache
) -> None:
    mine(chain.w3, 300)

    def narrow(exchange: Exchange) -> bool:
        if exchange.method != "eth_getLogs":
            return False
        one = exchange.request["params"][0]
        if int(one["toBlock"], 16) - int(one["fromBlock"], 16) < 50:
            return False
        exchange.refuse(-32600, "block range is too wide")
        return True

    with watched(chain, narrow) as (registry, asked, proxy):
        follow(registry, Scope.lane(busy.id, operator), cache)
        assert proxy.faulted["eth_getLogs"] >= 3
        proxy.faulted.clear()
        asked.clear()

        found = follow(registry, Scope.lane(busy.id, chain.accounts[6]), ChainCache(cache.path))

    assert proxy.faulted["eth_getLogs"] <= 2
    assert len(found.batches) == 1
    first = asked[0]
    assert 20 < int(first["toBlock"], 16) - int(first["fromBlock"], 16) < 50


def test_advance__kept_evidence_and_bytes__only_of_the_networks_batches(
    chain: Chain, busy: Network, operator: bytes, resolver: bytes
) -> None:
    attestors, evidence = (resolver,) * 3, (1).to_bytes(32, "big")
    other = register(chain, chain.accounts[4], RULES, salt=10, attestors=attestors)
    other.join(operator)
    for network in (busy, other):
        batch = commit(network, operator, 2)
        chain.send(operator, "attest", batch.batch.abi(), batch.stamp.pack(), 1, evidence)
    with watched(chain) as (registry, asked, _):
        follower = Follower(registry, scope=Scope.network(busy.id), cargo=True)
        follower.advance()

    (told,) = [one for one in follower.ledger.batches.values() if one.grade]
    (found,) = follower.events(EvidenceAccepted, told.id)
    assert found.evidence == evidence
    carrying = {to_hex(topic_of(kind)) for kind in (EvidenceAccepted, BytesRevealed)}
    (query,) = [one for one in asked if set(one["topics"][0]) & carrying]
    assert query["topics"][1] == [to_hex(told.id)]


def test_advance__a_lanes_logs_left_out__put_to_the_registry_and_read_elsewhere(
    chain: Chain, busy: Network, operator: bytes, cache: ChainCache
) -> None:
    second, topic = commit(busy, operator, 3), to_hex(topic_of(BatchCommitted))
    scope, left = Scope.lane(busy.id, operator), []

    def leave_out(exchange: Exchange) -> bool:
        first = [log for log in exchange.logs if log["topics"][0] == topic][:1]
        if not first or len(exchange.logs) < 2:
            return False
        left.append(first[0])
        exchange.answer["result"] = [log for log in exchange.logs if log is not first[0]]
        return True

    with watched(chain, leave_out) as (registry, _, _proxy):
        with pytest.raises(MissingLogsError, match="next index is 0"):
            follow(registry, scope, cache)
        follower = Follower(registry, scope=scope, cache=cache, others=[chain.registry])
        follower.advance()

    assert left and second.id in follower.ledger.batches
    assert vars(follower.ledger) == vars(follow(chain.registry, scope))


def test_advance__a_lanes_network_left_out__put_to_the_registry(
    chain: Chain, busy: Network, operator: bytes
) -> None:
    hidden = {to_hex(topic_of(ModelRegistered)), to_hex(topic_of(BatchCommitted))}

    def leave_out(exchange: Exchange) -> bool:
        kept = [log for log in exchange.logs if log["topics"][0] in hidden]
        exchange.answer["result"] = kept if exchange.method == "eth_getLogs" else None
        return True

    def fault(exchange: Exchange) -> bool:
        return leave_out(exchange) if exchange.method == "eth_getLogs" else False

    with (
        watched(chain, fault) as (registry, _, _proxy),
        pytest.raises(MissingLogsError, match="the registry knows the network"),
    ):
        follow(registry, Scope.lane(busy.id, operator))


def test_advance__events_of_a_network_that_is_not__passed_over_in_its_scope_alone(
    chain: Chain, busy: Network, operator: bytes
) -> None:
    loose, stray = LooseCore(chain), b"?" * 32
    loose.emit("Unstaked", stray, operator, 0)

    assert follow(chain.registry, Scope.network(stray, busy.id)).passed_over == 1
    assert follow(chain.registry, Scope.network(busy.id)).passed_over == 0


def test_find_lanes__by_id__asked_for_once(
    chain: Chain, busy: Network, operator: bytes, stranger: bytes, cache: ChainCache
) -> None:
    batches = {one.id: one for one in chain.ledger().batches.values()}
    lanes = {key: (one.batch.network_id, one.batch.operator) for key, one in batches.items()}
    with watched(chain) as (registry, asked, _):
        found = find_lanes(registry, [*batches, b"?" * 32], cache, 0)
        number = len(asked)
        again = find_lanes(registry, batches, ChainCache(cache.path), 0)

    assert found == again == lanes
    assert number == len(asked)
    assert scope_of(lanes.values()) == Scope(
        frozenset(network for network, _ in lanes.values()), frozenset({operator, stranger})
    )


def test_need_credit__ledger_of_a_lane__the_registry_is_asked(
    chain: Chain, busy: Network, operator: bytes
) -> None:
    ledger = follow(chain.registry, Scope.lane(busy.id, operator))
    (record,) = ledger.batches.values()
    assert record.state is State.OPEN
    view = ChainView(ledger, chain.now, operator, chain.registry)

    view.need_credit(record, busy.credit(operator), "the bond")
    with pytest.raises(RuntimeError, match=f"has credit {busy.credit(operator)}"):
        view.need_credit(record, busy.credit(operator) + 1, "the bond")
