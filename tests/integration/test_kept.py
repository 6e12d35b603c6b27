"""Events of all networks by columns, kept between commands: what a second look costs and mends.

again     reads the blocks since | nothing new: no logs are asked for
reorg     the new fork's events count, the old one's do not
killed    the next run goes on, with the same numbers
together  a second process waits for the first
lies      left out: read again from the next node | kept from before: mended | every node: named
folder    another layout: read anew | one that cannot be written: nothing is kept
extra     missing: one line; what concerns one network needs none
"""

import json
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

from tallystick.chain.localnet import mine
from tallystick.chain.logs import topic_of
from tallystick.data.extract.dataset import ContractKey
from tallystick.data.kept import kept_columns
from tallystick.data.standing import standing
from tallystick.protocol.events import BatchCommitted
from tallystick.protocol.hexes import to_hex
from tests.integration.conftest import Commands
from tests.integration.extract.interrupted import Death
from tests.integration.test_strangers import url
from tests.support.chain import Chain
from tests.support.faulty_rpc import Exchange, FaultyRpc, faulty_rpc
from tests.support.story import Network
from tests.unit.test_extras import run as without_extra


def at(proxy: FaultyRpc, chain: Chain) -> Commands:
    """Commands that read through a proxy."""
    commands = Commands(chain)
    commands._network = f"ethereum:local:{proxy.url}"
    return commands


def committed(commands: Commands, *words: object) -> int:
    (row,) = commands.json("tally", *words)
    assert row["agrees"]
    return int(row["committed"])


def commit_left_out(place: int) -> Callable[[Exchange], bool]:
    """A fault that leaves out one commit of each answer: the first, or -1: the last."""
    topic = to_hex(topic_of(BatchCommitted))

    def fault(exchange: Exchange) -> bool:
        commits = [log for log in exchange.logs if log["topics"][0] == topic]
        if commits:
            exchange.logs.remove(commits[place])
        return bool(commits)

    return fault


def test_tally__again__reads_the_blocks_since_alone(
    chain: Chain, network: Network, operator: bytes
) -> None:
    network.commit(operator, count=3)
    asked: list[tuple[int, int]] = []

    def note(exchange: Exchange) -> bool:
        if exchange.method == "eth_getLogs":
            (query,) = exchange.request["params"]
            asked.append((int(query["fromBlock"], 16), int(query["toBlock"], 16)))
        return False

    with faulty_rpc(url(chain), note) as proxy:
        commands = at(proxy, chain)
        assert committed(commands) == 3
        asked.clear()
        assert committed(commands) == 3
        assert asked == []
        before = chain.w3.eth.block_number
        network.commit(operator, count=4, slot=1)
        assert committed(commands) == 7
        assert asked == [(before + 1, chain.w3.eth.block_number)]


def test_tally__reorganised__counts_the_new_fork(
    chain: Chain, commands: Commands, network: Network, operator: bytes
) -> None:
    network.commit(operator, count=3)
    with chain.isolated():
        network.commit(operator, count=4, slot=1)
        assert committed(commands) == 7
    chain.at(chain.now + 5).mine()
    network.commit(operator, count=1, slot=1)
    mine(chain.w3, 1)

    assert committed(commands) == 4


def test_tally__block_before_the_last__as_it_was_then(
    chain: Chain, commands: Commands, network: Network, operator: bytes
) -> None:
    network.commit(operator, count=3)
    block = chain.w3.eth.block_number
    network.commit(operator, count=4, slot=1)

    assert committed(commands) == 7
    assert committed(commands, "--block", block) == 3


def test_tally__a_node_leaves_out_what_no_event_proves__the_next_one_is_read(
    chain: Chain, network: Network, operator: bytes
) -> None:
    network.commit(operator, count=3)
    network.commit(operator, count=4, slot=1)
    # No later event of the lane proves it.
    with faulty_rpc(url(chain), commit_left_out(-1)) as proxy:
        leaky = at(proxy, chain)

        text = leaky.error("tally")
        assert "events say 3, the contract says 7" in text
        # What is kept lacks it now, and is mended.
        assert committed(leaky, "--more-rpc", url(chain)) == 7
        assert committed(leaky) == 7


def test_finalize_all__a_node_leaves_out_a_commit__the_next_one_is_read(
    chain: Chain, network: Network, operator: bytes
) -> None:
    first, second = (network.commit(operator, slot=slot) for slot in range(2))
    chain.at(first.closes_at + 9000).mine()
    with faulty_rpc(url(chain), commit_left_out(0)) as proxy:
        leaky = at(proxy, chain)

        text = leaky.error("finalize --all", account=3)
        assert f"(the commit of batch 0 of operator {to_hex(operator)}" in text
        done = leaky.json("finalize --all", "--more-rpc", url(chain), account=3)

    assert sorted(done["batch_ids"]) == sorted([to_hex(first.id), to_hex(second.id)])


@pytest.mark.parametrize("line", ["tally", "batches", "disputes"])
def test_commands__without_the_extra__one_line_and_what_is_named_is_read(
    chain: Chain, network: Network, operator: bytes, tmp_path: Path, line: str
) -> None:
    batch = network.commit(operator)
    place = ["--rpc", url(chain), "--registry", to_hex(chain.registry.address)]
    part = [to_hex(network.id)] if line == "tally" else ["--network-id", to_hex(network.id)]

    whole = without_extra({"ibis"}, line, *place, cwd=tmp_path)
    named = without_extra({"ibis"}, line, *part, *place, cwd=tmp_path)

    said = "ibis is not installed; needed: pip install 'tallystick[totals]'"
    assert (whole.returncode, whole.stderr) == (1, f"error: {said}\n")
    assert named.returncode == 0, named.stderr
    shown = {"tally": "name", "batches": to_hex(batch.id)}.get(line, "")
    assert shown in named.stdout


def live(folder: Path, contract: ContractKey, node: str, die_at: int | None = None) -> int:
    """Return how many batches are live, and die before that at a step on the folder's files."""
    if die_at is not None:
        sys.addaudithook(Death(folder, die_at))
    with kept_columns(contract, [node], 0, folder=folder) as columns:
        return len(standing(columns.analysis().tables, live=True).batches)


def processes() -> ForkServerContext:
    """What starts processes that have imported this already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def test_kept_columns__killed_at_each_step__the_next_run_ends_with_the_same(
    chain: Chain, network: Network, operator: bytes, tmp_path: Path
) -> None:
    for slot in range(3):
        network.commit(operator, slot=slot)
    contract, folder = ContractKey(31337, chain.registry.address), tmp_path / "killed"
    context, killed = processes(), 0
    # Later each time, so that an end is sure.
    while True:
        process = context.Process(target=live, args=(folder, contract, url(chain), 4 + 60 * killed))
        process.start()
        process.join()
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL
        killed += 1

    assert killed >= 2
    assert live(folder, contract, url(chain)) == 3


def test_kept_columns__held_by_another__waits_and_reads(
    chain: Chain, network: Network, operator: bytes, tmp_path: Path
) -> None:
    network.commit(operator)
    contract = ContractKey(31337, chain.registry.address)
    context = processes()
    with kept_columns(contract, [url(chain)], 0, folder=tmp_path) as held:
        other = context.Process(target=live, args=(tmp_path, contract, url(chain)))
        other.start()
        other.join(3)
        assert other.is_alive()
        assert len(standing(held.analysis().tables).batches) == 1
    other.join()
    assert other.exitcode == 0


def test_kept_columns__folder_of_another_layout__read_anew(
    chain: Chain, network: Network, operator: bytes, tmp_path: Path
) -> None:
    network.commit(operator)
    contract = ContractKey(31337, chain.registry.address)
    assert live(tmp_path, contract, url(chain)) == 1
    (manifest,) = tmp_path.glob("*/manifest/*.json")
    body = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(body | {"block_range": 7}))

    assert live(tmp_path, contract, url(chain)) == 1
    assert json.loads(manifest.read_text())["block_range"] == body["block_range"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_kept_columns__folder_that_cannot_be_written__nothing_is_kept(
    chain: Chain, network: Network, operator: bytes, tmp_path: Path
) -> None:
    network.commit(operator)
    tmp_path.chmod(0o500)
    assert live(tmp_path, ContractKey(31337, chain.registry.address), url(chain)) == 1
    assert list(tmp_path.iterdir()) == []
