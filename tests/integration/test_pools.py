"""Commands at pools of nodes of which one is a block behind, and at nodes that limit or fail."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tallystick.ape.main import cli
from tallystick.chain.logs import read_events
from tallystick.chain.rpc import persistent
from tallystick.chain.rpc.persistent import NodeFailedError, connect
from tallystick.protocol.enums import State
from tests.integration.conftest import Commands
from tests.support.chain import Chain
from tests.support.faulty_rpc import Exchange, Fault, faulty_rpc
from tests.support.story import Network, keep

WriteLines = Callable[..., Path]


def url(chain: Chain) -> str:
    return str(chain.w3.provider.endpoint_uri)  # type: ignore[attr-defined]


def run(at: str, line: str, *args: object) -> Result:
    words = [*line.split(), *map(str, args), "--network", f"ethereum:local:{at}"]
    return CliRunner(mix_stderr=False).invoke(cli, [*words, "--account", "TEST::2", "--json"])


class Behind:
    """After a receipt was told, some answers are those of a node that is a block behind.

    Args:
        methods: whose answers.
        times: how many.
    """

    def __init__(self, methods: set[str], times: int = 3) -> None:
        self.methods, self.left, self.block = methods, times, 0

    def __call__(self, exchange: Exchange) -> bool:
        result = exchange.answer.get("result")
        if exchange.method == "eth_getTransactionReceipt" and result:
            self.block = int(result["blockNumber"], 16)
        if not self.block or not self.left or exchange.method not in self.methods:
            return False
        if exchange.method == "eth_blockNumber":
            exchange.answer["result"] = hex(self.block - 1)
        elif exchange.method == "eth_getLogs":
            exchange.answer["result"] = [
                log for log in result if int(log["blockNumber"], 16) < self.block
            ]
        elif exchange.request["params"][0] == hex(self.block):
            exchange.answer["result"] = None
        else:
            return False
        self.left -= 1
        return True


LAGS = [
    {"eth_blockNumber"},
    {"eth_getLogs"},
    {"eth_getBlockByNumber"},
    {"eth_blockNumber", "eth_getLogs", "eth_getBlockByNumber"},
]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tallystick.chain.rpc.own_writes._PAUSE", 0.01)
    monkeypatch.setattr(persistent, "FIRST_PAUSE", 0.001)


@pytest.mark.parametrize("methods", LAGS, ids=["head", "logs", "block", "all"])
@pytest.mark.parametrize("files", [1, 2])
def test_submit__node_is_behind_the_receipt__receipts_are_written(
    chain: Chain,
    network: Network,
    write_lines: WriteLines,
    tmp_path: Path,
    methods: set[str],
    files: int,
) -> None:
    paths = [write_lines(count=n + 1, name=f"{n}.jsonl") for n in range(files)]
    behind = Behind(methods)
    of = ["--network-id", "0x" + network.id.hex(), "--model-id", "0x" + network.model_id.hex()]
    kept = ["--store", tmp_path / "batches", "--receipts", tmp_path / "receipts"]

    with faulty_rpc(url(chain), behind) as proxy:
        done = run(proxy.url, "submit", *paths, *of, *kept)

    assert done.exit_code == 0, (done.stderr, done.exception)
    assert behind.left == 0
    assert len(list((tmp_path / "receipts").glob("*.jsonl"))) == files
    assert len(chain.ledger().batches) == files


def test_challenge__node_is_behind_what_was_sent_before__is_made(
    chain: Chain, network: Network, operator: bytes, tmp_path: Path
) -> None:
    batch = network.commit(operator, count=3)
    keep(tmp_path / "batches", batch)
    kept = ["--store", tmp_path / "batches"]

    with faulty_rpc(url(chain), Behind({"eth_blockNumber", "eth_getLogs"})) as proxy:
        done = run(proxy.url, "stake deposit --credit-only", "0x" + network.id.hex(), 100)
        assert done.exit_code == 0, done.stderr
        done = run(proxy.url, "challenge", "0x" + batch.id.hex(), "--leaf", 1, *kept)
        assert done.exit_code == 0, done.stderr

    assert chain.ledger().batches[batch.id].state is State.DISPUTED


def refused(words: str, at_most: int, code: int = -32000) -> Fault:
    """A node that gives the logs of so many blocks at once, and refuses others in odd words."""

    def fault(exchange: Exchange) -> bool:
        if exchange.method != "eth_getLogs":
            return False
        query = exchange.request["params"][0]
        if int(query["toBlock"], 16) - int(query["fromBlock"], 16) < at_most:
            return False
        exchange.refuse(code, words)
        return True

    return fault


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("query returned more than 10000 results", -32005),
        ("internal error", -32603),
        ("unfathomable", -32000),
        ("unfathomable", 7),
        ("request timed out", -32002),
        ("block range not allowed in this plan", -32600),
    ],
)
@pytest.mark.parametrize("at_most", [7, 1])
def test_read_events__range_fails_again_and_again__halved_down_to_one_block(
    chain: Chain, network: Network, operator: bytes, words: str, code: int, at_most: int
) -> None:
    network.commit(operator)
    chain.mine(20)
    address, last = chain.registry.address, chain.w3.eth.block_number
    right = list(read_events(chain.w3, address, 0, last))

    with faulty_rpc(url(chain), refused(words, at_most, code)) as proxy:
        found = list(read_events(connect(proxy.url, 10.0), address, 0, last))

    assert found == right


def limited(exchange: Exchange) -> bool:
    if exchange.method != "eth_getLogs":
        return False
    exchange.refuse(-32005, "rate limit exceeded")
    return True


def test_read_events__rate_limit__pauses_and_asks_for_the_same_range(
    chain: Chain, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    ranges: list[Any] = []
    monkeypatch.setattr(persistent.time, "sleep", pauses.append)

    def thrice(exchange: Exchange) -> bool:
        if exchange.method == "eth_getLogs":
            ranges.append(json.dumps(exchange.request["params"]))
        return len(ranges) <= 3 and limited(exchange)

    last = chain.w3.eth.block_number
    with faulty_rpc(url(chain), thrice) as proxy:
        assert list(read_events(connect(proxy.url, 10.0), chain.registry.address, 0, last))
    assert pauses == [0.5, 1.0, 2.0] and len(set(ranges)) == 1


def test_read_events__rate_limit_for_ever__ends_without_halving(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(persistent.Persistent, "patience", 0.0)
    last = chain.w3.eth.block_number
    with faulty_rpc(url(chain), limited) as proxy:
        with pytest.raises(NodeFailedError, match="rate limit exceeded"):
            list(read_events(connect(proxy.url, 10.0), chain.registry.address, 0, last))
        assert proxy.calls["eth_getLogs"] == 1


def test_finalize__time_has_come_on_an_idle_chain__is_sent(
    chain: Chain, commands: Commands, network: Network, operator: bytes
) -> None:
    batch = network.commit(operator)
    window = network.rules.challenge_window
    latest = chain.w3.eth.block_number

    # Time passes, and nobody mines: the latest block is as old as the commit.
    chain.w3.provider.make_request("evm_increaseTime", [window + 10])  # type: ignore[arg-type]
    done = commands.json("finalize", "0x" + batch.id.hex(), account=5)

    assert done["block"] == latest + 1
