"""The ledger through the journal: read once, read on after a restart, taken back by a reorg."""

import pytest
from web3 import HTTPProvider, Web3

from tallystick.chain.logs import topic_of
from tallystick.chain.registry import Registry
from tallystick.errors import MissingLogsError
from tallystick.events import NetworkRegistered
from tallystick.hexes import to_hex
from tallystick.node.verifier.reader import Reader
from tests.node.verifier.stage import Stage
from tests.support.faulty_rpc import faulty_rpc, never
from tests.support.loose_core import LooseCore


def reader(staged: Stage, confirmations: int = 0) -> Reader:
    journal = staged.verifier().journal
    return Reader(staged.chain.registry, journal, 0, confirmations)


def test_sync__anything__is_the_ledger_of_all_events(staged: Stage):
    read = reader(staged)
    for _ in range(3):
        staged.commit(5)
        ledger = read.sync()
        assert ledger.batches == staged.chain.ledger().batches
        assert ledger.credits == staged.chain.ledger().credits
    assert read.lag == 0


def test_sync__restarted__asks_only_for_what_is_new(staged: Stage):
    staged.commit(5)
    reader(staged).sync()
    staged.commit(5)
    asked = []

    def note(exchange) -> bool:
        if exchange.method == "eth_getLogs":
            asked.append(exchange.request["params"][0])
        return never(exchange)

    url = staged.chain.w3.provider.endpoint_uri  # type: ignore[attr-defined]
    with faulty_rpc(url, note) as proxy:
        registry = Registry(Web3(HTTPProvider(proxy.url)), staged.chain.registry.address)
        ledger = Reader(registry, staged.verifier().journal, 0, 0).sync()
    head = staged.chain.w3.eth.block_number
    assert [(int(one["fromBlock"], 16), int(one["toBlock"], 16)) for one in asked] == [(head, head)]
    assert len(ledger.batches) == 2


def test_sync__reorganised__the_other_fork_counts(staged: Stage):
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


def test_sync__shorter_chain__taken_back(staged: Stage):
    w3, read = staged.chain.w3, reader(staged)
    kept = staged.commit(5)
    snapshot = w3.provider.make_request("evm_snapshot", [])["result"]  # type: ignore[arg-type]
    staged.commit(6)
    staged.seeded()
    read.sync()
    w3.provider.make_request("evm_revert", [snapshot])  # type: ignore[arg-type]
    assert set(read.sync().batches) == {kept.id}


@pytest.mark.parametrize("confirmations", [1, 5])
def test_sync__confirmations__waited_for(staged: Stage, confirmations: int):
    from tallystick.localnet import mine

    read = reader(staged, confirmations)
    batch = staged.commit(5)
    assert batch.id not in read.sync().batches
    mine(staged.chain.w3, confirmations)
    assert batch.id in read.sync().batches
    assert read.lag == 0


def test_sync__two_processes__share_one_reading(staged: Stage):
    first, second = reader(staged), reader(staged)
    staged.commit(5)
    first.sync()
    staged.commit(5)
    second.sync()
    staged.commit(5)
    assert len(first.sync().batches) == len(second.sync().batches) == 3


def test_sync__events_of_an_unknown_network__passed_over_for_good(staged: Stage):
    read, core = reader(staged), LooseCore(staged.chain)
    core.emit("Unstaked", b"?" * 32, staged.chain.accounts[9], 0)
    first = staged.commit(5)
    assert first.id in read.sync().batches
    core.emit("Unstaked", b"?" * 32, staged.chain.accounts[9], 0)
    second = staged.commit(5)

    for one in (read, reader(staged)):
        ledger = one.sync()
        assert (set(ledger.batches), ledger.passed_over) == ({first.id, second.id}, 2)


def test_sync__node_leaves_out_logs__read_again_from_the_other(staged: Stage):
    batch = staged.commit(5)
    topic = to_hex(topic_of(NetworkRegistered))

    def leave_out(exchange) -> bool:
        kept = [log for log in exchange.logs if log["topics"][0] != topic]
        if len(kept) == len(exchange.logs):
            return False
        exchange.answer["result"] = kept
        return True

    url, core = staged.chain.w3.provider.endpoint_uri, staged.chain.registry.address  # type: ignore[attr-defined]
    with faulty_rpc(url, leave_out) as leaky:
        registry = Registry(Web3(HTTPProvider(leaky.url)), core)
        journal = staged.verifier().journal
        alone = Reader(registry, journal, 0, 0)
        with pytest.raises(MissingLogsError, match="the core knows the network"):
            alone.sync()
        # Nothing half known is left behind, and it fails alike again.
        with pytest.raises(MissingLogsError):
            alone.sync()

        read = Reader(registry, journal, 0, 0, [staged.chain.registry])
        assert set(read.sync().batches) == {batch.id}
        later = staged.commit(5)
        assert set(read.sync().batches) == {batch.id, later.id}
    assert vars(read.sync()) == vars(staged.chain.ledger())
