"""What a command costs does not depend on what others do: requests and bytes, in this process.

`make bench-commands` has time and memory, and a million batches.
"""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import tallystick
from tallystick.chain.cache import ChainCache
from tallystick.chain.follower import Follower, read_ledger
from tallystick.chain.localnet import mine
from tallystick.chain.registry import Registry
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.scope import Scope
from tests.integration.conftest import Commands
from tests.support.chain import Chain
from tests.support.crowded_rpc import Crowd, CrowdedNode, crowded
from tests.support.story import Network

SIZES = tuple(map(int, os.environ.get("SIZES", "10 1000").split()))
A_LOG = 500
"""Bytes, less than those of any log; a signature or a number may be some digits shorter."""


@pytest.fixture
def node(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> Iterator[CrowdedNode]:
    """A node of a chain on which the blocks before the network's have others' batches."""
    first = chain.w3.eth.block_number + 1
    mine(chain.w3, 200)
    crowd = Crowd(SIZES[0], chain.registry.address, chain.w3, first, chain.w3.eth.block_number)
    with crowded(str(chain.w3.provider.endpoint_uri), crowd) as running:  # type: ignore[attr-defined]
        yield running


@pytest.fixture
def busy(node: CrowdedNode, network: Network) -> Network:
    return network


def test_crowd__read_whole__a_ledger_with_all_batches(
    chain: Chain, node: CrowdedNode, busy: Network, operator: bytes
) -> None:
    from web3 import HTTPProvider, Web3

    busy.commit(operator)
    registry = Registry(Web3(HTTPProvider(node.url)), chain.registry.address)
    for size in (10, 1000):
        node.crowd.batches = size
        ledger = read_ledger(registry)
        assert len(ledger.batches) == size + 1
        assert sum(totals.committed for totals in ledger.totals.values()) == 5 * (size + 1)


def test_commands__others_commit_a_hundred_times_as_much__same_requests_and_bytes(
    chain: Chain,
    node: CrowdedNode,
    busy: Network,
    operator: bytes,
    write_lines: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    over = busy.commit(operator)
    commands = Commands(chain)
    commands._network = f"ethereum:local:{node.url}"
    network_id, model_id = to_hex(busy.id), to_hex(busy.model_id)
    lines = write_lines(count=3)
    deadline = chain.now + 2000

    def submit(out: Path, *more: object) -> Any:
        return commands.json(
            *("submit", lines, "--network-id", network_id, "--model-id", model_id),
            *("--receipts", out, "--store", out, "--deadline", deadline, *more),
            account=2,
        )

    def run_all(size: int, run: int) -> dict[str, tuple[Counter[str], int]]:
        node.crowd.batches = size
        out, costs = tmp_path / f"{size}-{run}", {}
        monkeypatch.setenv("TALLYSTICK_CACHE", str(tmp_path / f"cache-{size}"))

        def cost(name: str, work: Callable[[], Any]) -> Any:
            node.take()
            done = work()
            spent = node.take()
            costs[name] = spent.requests, spent.sent + spent.received
            return done

        with chain.isolated():
            # Each run is another fork: none finds by chance the very blocks of the one before.
            chain.at(chain.now + 10 * run).mine()
            done = cost("submit", lambda: submit(out))
            cost("tally", lambda: commands.json("tally", network_id))
            cost("receipt", lambda: commands.json("receipt check", done["receipts"]))
            cost("network", lambda: commands.json("network show", network_id))
            chain.at(over.closes_at + 9000).mine()
            cost(
                "finalize",
                lambda: commands.json("finalize --all", "--network-id", network_id, account=2),
            )
        return costs

    few, many = ([run_all(size, run) for run in (1, 2)] for size in SIZES)

    for before, after in zip(few, many, strict=True):
        for name, (requests, size) in before.items():
            assert after[name][0] == requests, (name, after[name], before[name])
            assert abs(after[name][1] - size) < A_LOG, name
    rows = commands.json("tally", network_id)
    assert json.dumps(rows) and rows[0]["agrees"]


def test_api__others_commit_a_hundred_times_as_much__same_requests_and_bytes(
    chain: Chain,
    node: CrowdedNode,
    busy: Network,
    operator: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    batch = busy.commit(operator)
    costs: list[dict[str, tuple[Counter[str], int]]] = []
    for size in SIZES:
        node.crowd.batches = size
        monkeypatch.setenv("TALLYSTICK_CACHE", str(tmp_path / f"cache-{size}"))
        registry = tallystick.connect(node.url, registry=chain.registry.address)
        node.take()
        spent, network = {}, registry.network(busy.id)
        for name, work in {
            "name": lambda network=network: network.name,
            "models": network.models,
            "batches": network.batches,
            "batch": lambda registry=registry: registry.batch(batch.id),
            "status": lambda network=network: network.batches()[0].status(),
        }.items():
            assert work()
            taken = node.take()
            spent[name] = taken.requests, taken.received
        costs.append(spent)

    few, many = costs
    for name, (requests, size) in few.items():
        assert many[name][0] == requests, name
        assert abs(many[name][1] - size) < A_LOG, name


@pytest.mark.parametrize("part", ["lane", "network"])
def test_follower__of_a_part__same_bytes_however_many_others(
    chain: Chain, node: CrowdedNode, busy: Network, operator: bytes, part: str
) -> None:
    from web3 import HTTPProvider, Web3

    scope = Scope.network(busy.id) if part == "network" else Scope.lane(busy.id, operator)
    costs = []
    for size in SIZES:
        node.crowd.batches = size
        node.take()
        registry = Registry(Web3(HTTPProvider(node.url)), chain.registry.address)
        Follower(registry, scope=scope, cache=ChainCache()).advance()
        spent = node.take()
        costs.append((spent.requests, spent.received))
    assert costs[0] == costs[1]
