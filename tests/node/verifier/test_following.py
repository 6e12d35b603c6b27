"""The ledger through the cache: read once, read on after a restart, taken back by a reorg."""

import pytest
from web3 import HTTPProvider, Web3

from tallystick.chain.cache import ChainCache
from tallystick.chain.follower import Follower
from tallystick.chain.logs import topic_of
from tallystick.chain.registry import Registry
from tallystick.errors import MissingLogsError
from tallystick.protocol.events import NetworkRegistered
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.ledger import Ledger
from tests.node.verifier.stage import Stage
from tests.support.faulty_rpc import Exchange, faulty_rpc, never
from tests.support.loose_core import LooseCore


class Reading:
    """A follower of all that a verifier's cache file keeps."""

    def __init__(
        self,
        staged: Stage,
        confirmations: int = 0,
        *others: Registry,
        registry: Registry | None = None,
    ) -> None:
        cache = ChainCache(staged.folder / "chain.sqlite3")
        registry = registry or staged.chain.registry
        self.follower = Follower(registry, 0, confirmations, others, cache=cache, cargo=True)

    def sync(self) -> Ledger:
        self.follower.advance()
        return self.follower.ledger


def reader(staged: Stage, confirmations: int = 0) -> Reading:
    return Reading(staged, confirmations)


def test_sync__anything__is_the_ledger_of_all_events(staged: Stage) -> None:
    read = reader(staged)
    for _ in range(3):
        staged.commit(5)
        ledger = read.sync()
        assert ledger.batches == staged.chain.ledger().batches
        assert ledger.credits == staged.chain.ledger().credits
    assert read.follower.lag == 0


def test_sync__restarted__asks_only_for_what_is_new(staged: Stage) -> None:
    staged.commit(5)
    reader(staged).sync()
    staged.commit(5)
    asked = []

    def note(exchange: Exchange) -> bool:
        if exchange.method == "eth_getLogs":
            asked.append(exchange.request["params"][0])
        return never(exchange)

    url = staged.chain.w3.provider.endpoint_uri  # type: ignore[attr-defined]
    with faulty_rpc(url, note) as proxy:
        registry = Registry(Web3(HTTPProvider(proxy.url)), staged.chain.registry.address)
        ledger = Reading(staged, registry=registry).sync()
    head = staged.chain.w3.eth.block_number
    assert [(int(one["fromBlock"], 16), int(one["toBlock"], 16)) for one in asked] == [(head, head)]
    assert len(ledger.batches) == 2


def test_sync__reorganised__the_other_fork_counts(staged: Stage) -> None:
    w3, read = staged.chain.w3, reader(staged)
    kept = staged.commit(5)
    snapshot = w3.provider.make_request("evm_snapshot", [])["result"]  # type: ignore[arg-type]
    gone = staged.commit(6)
    assert set(read.sync().batches) == {kept.id, gone.id}

    w3.provider.make_request("evm_revert", [snapshot])  # type: ignore[arg-type]
    new = staged.commit(7)
    staged.seeded()

    assert set(read.sync().batches) == {kept.id, new.id}
    assert set(reader(staged).sync().batches) == {kept.id, new.id}


def test_sync__shorter_chain__taken_back_once_it_shows_another_block(staged: Stage) -> None:
    w3, read = staged.chain.w3, reader(staged)
    kept = staged.commit(5)
    snapshot = w3.provider.make_request("evm_snapshot", [])["result"]  # type: ignore[arg-type]
    gone = staged.commit(6)
    staged.seeded()
    read.sync()
    w3.provider.make_request("evm_revert", [snapshot])  # type: ignore[arg-type]
    # So far it may be a node that is behind.
    assert set(read.sync().batches) == {kept.id, gone.id}
    new = staged.commit(7)
    staged.seeded()
    assert set(read.sync().batches) == {kept.id, new.id}


@pytest.mark.parametrize("confirmations", [1, 5])
def test_sync__confirmations__waited_for(staged: Stage, confirmations: int) -> None:
    from tallystick.chain.localnet import mine

    read = reader(staged, confirmations)
    batch = staged.commit(5)
    assert batch.id not in read.sync().batches
    mine(staged.chain.w3, confirmations)
    assert batch.id in read.sync().batches
    assert read.follower.lag == 0


def test_sync__two_processes__share_one_reading(staged: Stage) -> None:
    first, second = reader(staged), reader(staged)
    staged.commit(5)
    first.sync()
    staged.commit(5)
    second.sync()
    staged.commit(5)
    assert len(first.sync().batches) == len(second.sync().batches) == 3


def test_sync__events_of_an_unknown_network__passed_over_for_good(staged: Stage) -> None:
    read, loose = reader(staged), LooseCore(staged.chain)
    loose.emit("Unstaked", b"?" * 32, staged.chain.accounts[9], 0)
    first = staged.commit(5)
    assert first.id in read.sync().batches
    loose.emit("Unstaked", b"?" * 32, staged.chain.accounts[9], 0)
    second = staged.commit(5)

    for one in (read, reader(staged)):
        ledger = one.sync()
        assert (set(ledger.batches), ledger.passed_over) == ({first.id, second.id}, 2)


def test_sync__node_leaves_out_logs__read_again_from_the_other(staged: Stage) -> None:
    batch = staged.commit(5)
    topic = to_hex(topic_of(NetworkRegistered))

    def leave_out(exchange: Exchange) -> bool:
        kept = [log for log in exchange.logs if log["topics"][0] != topic]
        if len(kept) == len(exchange.logs):
            return False
        exchange.answer["result"] = kept
        return True

    url, address = staged.chain.w3.provider.endpoint_uri, staged.chain.registry.address  # type: ignore[attr-defined]
    with faulty_rpc(url, leave_out) as leaky:
        registry = Registry(Web3(HTTPProvider(leaky.url)), address)
        alone = Reading(staged, registry=registry)
        with pytest.raises(MissingLogsError, match="the registry knows the network"):
            alone.sync()
        # Nothing half known is left behind, and it fails alike again.
        with pytest.raises(MissingLogsError):
            alone.sync()

        read = Reading(staged, 0, staged.chain.registry, registry=registry)
        assert set(read.sync().batches) == {batch.id}
        later = staged.commit(5)
        assert set(read.sync().batches) == {batch.id, later.id}
    assert vars(read.sync()) == vars(staged.chain.ledger())
