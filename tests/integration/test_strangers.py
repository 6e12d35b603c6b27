"""Events that mean nothing, and logs that a node leaves out: what commands make of either.

stranger: passed over, counted | registered later, or later in its block | registry's state pruned
missing: read again from the same node, from another one | fails by name
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from web3 import HTTPProvider, Web3

from tallystick.chain.follower import read_ledger
from tallystick.chain.localnet import mine
from tallystick.chain.logs import topic_of
from tallystick.chain.registry import Registry
from tallystick.cli.main import main
from tallystick.data.extract.dataset import Dataset
from tallystick.errors import MissingLogsError
from tallystick.protocol.events import NetworkRegistered, Staked
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.rules import network_id
from tests.integration.conftest import Commands
from tests.support.chain import Chain
from tests.support.faulty_rpc import Exchange, FaultyRpc, faulty_rpc, never
from tests.support.loose_core import LooseCore
from tests.support.story import RULES, Network, register

STRAY = b"no such network".ljust(32, b"\0")


def url(chain: Chain) -> str:
    return str(chain.w3.provider.endpoint_uri)  # type: ignore[attr-defined]


def without(kind: type, times: int = 10**9) -> Callable[[Exchange], bool]:
    """A fault that leaves out the logs of an event."""
    topic, left = to_hex(topic_of(kind)), [times]

    def fault(exchange: Exchange) -> bool:
        logs = exchange.logs
        kept = [log for log in logs if log["topics"][0] != topic]
        if len(kept) == len(logs) or not left[0]:
            return False
        left[0] -= 1
        exchange.answer["result"] = kept
        return True

    return fault


@contextmanager
def source(chain: Chain, fault: Callable[[Exchange], bool]) -> Iterator[tuple[Registry, FaultyRpc]]:
    with faulty_rpc(url(chain), fault) as proxy:
        w3 = Web3(HTTPProvider(proxy.url))
        yield Registry(w3, chain.registry.address), proxy


def head(chain: Chain) -> int:
    return int(chain.w3.eth.block_number)


def test_commands__events_of_unknown_networks__go_on_and_tally_counts_them(
    chain: Chain, commands: Commands, network: Network, operator: bytes
) -> None:
    loose, before = LooseCore(chain), chain.ledger()
    loose.emit("Unstaked", STRAY, operator, 0)
    loose.emit("OperatorClosed", STRAY, operator)
    loose.emit("BatchArchived", STRAY, operator, b"b" * 32)
    loose.emit("Swept", STRAY, bytes(20), 5)
    batch = network.commit(operator, count=5)

    tally = commands.run("tally", "--json")

    assert tally.exit_code == 0
    (row,) = json.loads(tally.stdout)
    assert (row["committed"], row["agrees"]) == (5, True)
    assert "passed over: 4 events of networks that the registry does not know" in tally.stderr
    ledger = chain.ledger()
    assert set(ledger.batches) == {*before.batches, batch.id}
    assert (ledger.lanes.keys(), ledger.passed_over) == (before.lanes.keys(), 4)
    commands.json("stake deposit", to_hex(network.id), 1000, account=2)
    commands.json("network show", to_hex(network.id))


def test_read_ledger__many_strangers_of_one_network__logged_once(
    chain: Chain, network: Network, operator: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    loose = LooseCore(chain)
    for _ in range(3):
        loose.emit("Unstaked", STRAY, operator, 0)
    loose.emit("Unstaked", bytes(32), operator, 0)

    assert chain.ledger().passed_over == 4

    (told,) = [record for record in caplog.records if record.name == "tallystick.chain.fold"]
    assert to_hex(STRAY) in told.getMessage()


def test_read_ledger__network_registered_behind_the_stranger__counts_from_then_on(
    chain: Chain, network: Network, operator: bytes
) -> None:
    loose, owner = LooseCore(chain), chain.accounts[1]
    salt = (77).to_bytes(32, "big")
    coming = network_id(chain.w3.eth.chain_id, chain.registry.address, owner, salt, RULES)
    loose.emit("Unstaked", coming, operator, 0)

    found = register(chain, owner, RULES, salt=77)

    assert found.id == coming
    found.join(operator, 9)
    ledger = chain.ledger()
    assert (ledger.passed_over, ledger.lanes[coming, operator].stake) == (1, 9)


def test_read_ledger__registered_later_in_the_strangers_block__passed_over(
    chain: Chain, network: Network, operator: bytes
) -> None:
    loose, owner = LooseCore(chain), chain.accounts[1]
    salt = (78).to_bytes(32, "big")
    coming = network_id(chain.w3.eth.chain_id, chain.registry.address, owner, salt, RULES)
    call = chain.registry.call("registerNetwork", salt, RULES.abi(), bytes(32), "late", "")
    chain.w3.provider.make_request("evm_setAutomine", [False])  # type: ignore[arg-type]
    try:
        stray = loose.call("Unstaked", coming, operator, 0)
        hashes = [
            chain.w3.eth.send_transaction(
                {
                    "from": Web3.to_checksum_address(sender),
                    "to": Web3.to_checksum_address(one.to),
                    "data": "0x" + one.data.hex(),  # type: ignore[typeddict-item]
                    "gas": 5_000_000,
                    "maxFeePerGas": fee,  # type: ignore[typeddict-item]
                    "maxPriorityFeePerGas": fee,  # type: ignore[typeddict-item]
                }
            )
            for sender, one, fee in (
                (chain.accounts[9], stray, 5 * 10**9),
                (owner, call, 3 * 10**9),
            )
        ]
        mine(chain.w3, 1)
    finally:
        chain.w3.provider.make_request("evm_setAutomine", [True])  # type: ignore[arg-type]
    receipts = [chain.w3.eth.get_transaction_receipt(one) for one in hashes]
    assert [(one["status"], one["transactionIndex"]) for one in receipts] == [(1, 0), (1, 1)]
    assert receipts[0]["blockNumber"] == receipts[1]["blockNumber"]

    ledger = chain.ledger()

    assert ledger.passed_over == 1
    assert coming in ledger.networks


def test_read_ledger__state_of_the_strangers_block_gone__asked_at_the_head(
    chain: Chain, network: Network, operator: bytes
) -> None:
    loose = LooseCore(chain)
    for number in range(4):
        loose.emit("Unstaked", STRAY[:-1] + bytes([number]), operator, 0)
    mine(chain.w3, 3)
    last = hex(head(chain))

    def pruned(exchange: Exchange) -> bool:
        if exchange.method != "eth_call" or exchange.request["params"][1] == last:
            return False
        exchange.refuse(-32000, "missing trie node d0be57 (path )")
        return True

    with source(chain, pruned) as (node, proxy):
        ledger = read_ledger(node, first_block=0)

    assert ledger.passed_over == 4
    # Once found to be gone, older state is not asked for again and again.
    assert proxy.calls["eth_call"] <= 4 + 4


def test_read_ledger__a_nodes_answer_lacks_logs_once__read_again(
    chain: Chain, network: Network, operator: bytes
) -> None:
    with source(chain, without(NetworkRegistered, times=1)) as (node, proxy):
        ledger = read_ledger(node, first_block=0)

    assert proxy.faulted["eth_getLogs"] == 1
    assert network.id in ledger.networks and ledger.passed_over == 0


@pytest.mark.parametrize("kind", [NetworkRegistered, Staked])
def test_read_ledger__a_node_lacks_logs__the_next_one_is_read(
    chain: Chain, network: Network, operator: bytes, kind: type
) -> None:
    network.commit(operator)
    chain.send(operator, "unstake", network.id, 1)
    with source(chain, without(kind)) as (leaky, _), source(chain, never) as (whole, proxy):
        ledger = read_ledger(leaky, others=[whole], first_block=0)

    assert proxy.calls["eth_getLogs"]
    assert vars(ledger) == vars(chain.ledger())


def test_read_ledger__every_node_lacks_logs__names_the_event_and_what_it_lacks(
    chain: Chain, network: Network, operator: bytes
) -> None:
    fault = without(NetworkRegistered)
    with (
        source(chain, fault) as (one, proxy),
        source(chain, fault) as (other, _),
        pytest.raises(MissingLogsError) as raised,
    ):
        read_ledger(one, others=[other], first_block=0)

    said = str(raised.value)
    assert to_hex(network.id) in said and "the registry knows the network" in said
    assert said.endswith(f"logs before it are missing at {proxy.url.removeprefix('http://')}")
    assert said.startswith("ModelRegistered at (")


def test_tally__node_lacks_logs__one_line_and_exit_code_1(
    chain: Chain, network: Network, operator: bytes
) -> None:
    network.commit(operator)
    with faulty_rpc(url(chain), without(NetworkRegistered)) as proxy:
        leaky = Commands(chain)
        leaky._network = f"ethereum:local:{proxy.url}"

        text = leaky.error("tally")
        (row,) = leaky.json("tally", "--more-rpc", url(chain))

    assert text.startswith("error: logs are missing in blocks ")
    assert f"(the registration of network {to_hex(network.id)}) at 127.0.0.1:" in text
    assert text.endswith("; needed: another node, as by --more-rpc URL")
    assert row["agrees"] is True


def test_tally__named_network_unknown_to_the_registry__says_so(
    chain: Chain, commands: Commands, network: Network
) -> None:
    text = commands.error("tally", to_hex(STRAY))

    assert text == f"error: NetworkNotFound(networkId={to_hex(STRAY)})"
    assert "NetworkNotFound" in commands.error("stake show", to_hex(STRAY), "0x" + "11" * 20)
    assert "NetworkNotFound" in commands.error("sweep", to_hex(STRAY), account=2)


def test_console__events_of_unknown_networks__neither_crash_nor_count(
    chain: Chain, network: Network, operator: bytes, tmp_path: Path
) -> None:
    loose = LooseCore(chain)
    loose.emit("Unstaked", STRAY, operator, 0)
    stamp = bytes(14) + (5).to_bytes(3, "big") + bytes(15)
    values = (STRAY, operator, b"b" * 32, bytes(32), bytes(32), 0, 2**64 - 1, stamp)
    loose.emit("BatchCommitted", *values, bytes(32), 0, 0)
    loose.emit("BatchFinalized", STRAY, operator, b"b" * 32, 1, 5)
    network.commit(operator, count=7)
    mine(chain.w3, 3)
    data = ["--data", str(tmp_path / "data")]

    def run(*words: str) -> tuple[object, str]:
        result = CliRunner(mix_stderr=False).invoke(main, [*words, *data])
        assert result.exit_code == 0, (words, result.stderr, result.exception)
        return (json.loads(result.stdout) if "--json" in words else None), result.stderr

    place = to_hex(chain.registry.address)
    run("extract", place, "--rpc", url(chain), "--from-block", "0", "--depth", "0")
    rows, said = run("totals", "--json")
    run("measures", "--json")
    compared, _ = run("reconcile", "--rpc", f"{chain.w3.eth.chain_id}={url(chain)}", "--json")

    assert [(row["network_id"], row["committed"]) for row in rows] == [(to_hex(network.id), 7)]  # type: ignore[attr-defined]
    assert "left out: 3 events of 1 networks that no event registers" in said
    assert {one["network_id"] for one in compared} == {to_hex(network.id)}  # type: ignore[attr-defined]


def test_reconcile__registration_missing_from_the_folder__fails_by_name(
    chain: Chain, network: Network, operator: bytes, tmp_path: Path
) -> None:
    network.commit(operator, count=7)
    mine(chain.w3, 3)
    data = ["--data", str(tmp_path / "data")]
    with faulty_rpc(url(chain), without(NetworkRegistered)) as proxy:
        words = ["extract", to_hex(chain.registry.address), "--rpc", proxy.url, "--from-block", "0"]
        result = CliRunner(mix_stderr=False).invoke(main, [*words, "--depth", "0", *data])
    assert result.exit_code == 1
    assert f"the registration of network {to_hex(network.id)}" in result.stderr
    # As a version left it that did not look for gaps.
    folder = Dataset(tmp_path / "data")
    folder.gaps(folder.registries()[0]).unlink()

    rpc = ["--rpc", f"{chain.w3.eth.chain_id}={url(chain)}"]
    result = CliRunner(mix_stderr=False).invoke(main, ["reconcile", *rpc, *data])

    assert result.exit_code == 1
    (line,) = result.stderr.strip().splitlines()
    assert to_hex(network.id) in line and "which the registry knows at block" in line


@pytest.mark.parametrize(
    "name", [b"\xff\xfe\x80", b"\0" * 40, b"x" * 50_000, b"\x1b[31m[/red]", "💥".encode()]
)
def test_commands__network_named_with_any_bytes__go_on(
    chain: Chain, commands: Commands, network: Network, operator: bytes, name: bytes
) -> None:
    loose = LooseCore(chain)
    key = network_id(1, bytes(20), operator, bytes(32), RULES)
    loose.emit("NetworkRegistered", key, operator, bytes(32), bytes(32), RULES.abi(), name, name)
    network.commit(operator, count=5)

    ledger = chain.ledger()

    assert ledger.networks[key].name == name.decode("utf-8", "replace")
    assert (ledger.totals[network.id].committed, ledger.passed_over) == (5, 0)
    assert commands.run("network show").exit_code == 0
    assert len(commands.json("network show")) == 2
