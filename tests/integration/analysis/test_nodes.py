"""Numbers from nodes that leave out logs, lack calls by hash, or have dropped the state."""

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from web3 import Web3

from tallystick.chain.logs import decode_log
from tallystick.data import completeness
from tallystick.data.extract.dataset import Dataset
from tallystick.data.extract.extractor import ExtractPlan
from tallystick.data.pipeline import follow
from tallystick.data.totals.coverage import CoverageError, coverage
from tallystick.errors import MissingLogsError
from tallystick.protocol.hexes import to_hex
from tests.integration.analysis.conftest import Console, Story
from tests.support.faulty_rpc import Exchange, Fault, FaultyRpc, faulty_rpc

HIDDEN = "0x" + "77" * 32


@pytest.fixture
def proxy(story: Story) -> Iterator[Callable[[Fault], FaultyRpc]]:
    """Puts a proxy in front of the story's chain, for the time of the test."""
    with contextlib.ExitStack() as stack:
        yield lambda fault: stack.enter_context(faulty_rpc(story.url, fault))


Proxy = Callable[[Fault], FaultyRpc]


@pytest.fixture
def other(tmp_path: Path) -> Console:
    """A console with an empty folder."""
    return Console(tmp_path / "data")


def extract(console: Console, story: Story, url: str, *more: object) -> Any:
    place = ["--rpc", url, "--data", console.folder, "--depth", 0, "--json"]
    return console.run("extract", story.registry, *place, *more)


def event_blocks(story: Story, name: str) -> list[int]:
    """The blocks of an event, ascending."""
    address = Web3.to_checksum_address(story.chain.registry.address)
    logs = story.chain.w3.eth.get_logs({"address": address, "fromBlock": 0})
    return [int(log["blockNumber"]) for log in logs if type(decode_log(log)).__name__ == name]


def hole(first: int, last: int) -> Fault:
    def fault(exchange: Exchange) -> bool:
        logs = exchange.logs
        kept = [log for log in logs if not first <= int(log["blockNumber"], 16) <= last]
        if exchange.span:
            exchange.answer["result"] = kept
        return len(kept) < len(logs)

    return fault


@pytest.mark.parametrize(
    ("name", "which", "proof"),
    [
        ("NetworkRegistered", 0, "the registration of network"),
        ("NetworkRegistered", 1, "the registration of network"),
        ("BatchCommitted", 0, "the commit of batch 0 of operator"),
        ("BatchCommitted", 1, "the commit of batch 1 of operator"),
        ("BatchCommitted", 3, "the commit of batch 0x"),
        ("ModelRegistered", 0, "the registration of model"),
    ],
)
def test_extract__events_prove_that_others_are_missing__says_where_and_repair_mends_it(
    console: Console, other: Console, story: Story, proxy: Proxy, name: str, which: int, proof: str
) -> None:
    block = event_blocks(story, name)[which]
    lame = proxy(hole(block, block))

    first = extract(other, story, lame.url)
    again = extract(other, story, story.url)
    counted = other.run("totals", "--data", other.folder)

    assert lame.faulted.total() == 1
    for done in (first, again, counted):
        assert done.exit_code == 1
        assert "logs are missing in blocks" in done.stderr and proof in done.stderr
    said = first.stderr.split("--repair ")[1].split("`")[0]
    low, high = map(int, said.split(":"))
    assert low <= block <= high

    mended = extract(other, story, story.url, "--repair", said)

    assert mended.exit_code == 0, mended.stderr
    assert json.loads(mended.stdout)["logs_repaired"] >= 1
    assert other.json("totals") == console.json("totals")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("BatchCommitted", "counter committed of network"),
        ("BatchFinalized", "counter unchallenged of network"),
        ("BatchRejected", "counter rejected of network"),
        ("Staked", "credit of 0x"),
        ("Deposited", "credit of 0x"),
    ],
)
def test_extract__hole_that_no_event_proves__the_contract_does_and_repair_mends_it(
    console: Console, other: Console, story: Story, proxy: Proxy, name: str, reason: str
) -> None:
    block = event_blocks(story, name)[-1]
    lame = proxy(hole(block, block))

    first = extract(other, story, lame.url, "--range", 10)
    counted = other.run("totals", "--data", other.folder)

    for done in (first, counted):
        assert done.exit_code == 1 and reason in done.stderr, done.stderr
    said = first.stderr.split("--repair ")[1].split("`")[0]
    low, high = map(int, said.split(":"))
    assert low <= block <= high and high - low < 10

    mended = extract(other, story, story.url, "--range", 10, "--repair", said)

    assert mended.exit_code == 0, mended.stderr
    assert other.json("totals") == console.json("totals")


def test_extract__all_logs_of_a_network_are_left_out__credits_tell(
    console: Console, other: Console, story: Story, proxy: Proxy
) -> None:
    """From its registration on; a deposit is of no network, and its account's credit is less."""
    network = to_hex(story.first.id)

    def fault(exchange: Exchange) -> bool:
        kept = [log for log in exchange.logs if (log["topics"] + [""])[1] != network]
        if exchange.span:
            exchange.answer["result"] = kept
        return bool(exchange.span)

    first = extract(other, story, proxy(fault).url)

    assert first.exit_code == 1 and "the contract's credit of 0x" in first.stderr
    said = first.stderr.split("--repair ")[1].split("`")[0]
    assert extract(other, story, story.url, "--repair", said).exit_code == 0
    assert other.json("totals") == console.json("totals")


def test_extract__holes_have_all_logs_of_an_account__coins_tell(
    other: Console, story: Story, proxy: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    """That is no proof, as coins can be forced upon a contract; so it is told, once."""
    head = story.chain.w3.eth.block_number

    def fault(exchange: Exchange) -> bool:
        if exchange.span:
            exchange.answer["result"] = []
        return bool(exchange.span)

    lame = proxy(fault).url
    done, again = extract(other, story, lame), extract(other, story, lame)

    assert (done.exit_code, again.exit_code) == (0, 0)
    (said,) = (record.getMessage() for record in caplog.records)
    assert "of which no event tells" in said and f"`tallystick extract --repair 0:{head}`" in said


def test_extract__no_node_has_the_state__says_so_and_reconcile_finds_the_hole(
    other: Console, story: Story, proxy: Proxy
) -> None:
    block = event_blocks(story, "BatchCommitted")[-1]
    lost = hole(block, block)

    def fault(exchange: Exchange) -> bool:
        for call, answer in exchange.calls:
            if call["method"] == "eth_call":
                refuse(answer, -32000, "state at block #71 is pruned")
        return lost(exchange)

    first = extract(other, story, proxy(fault).url)
    text = other.error("reconcile", "--rpc", f"31337={story.url}")
    said = text.split("--repair ")[1].split("`")[0]
    mended = extract(other, story, story.url, "--repair", said)

    assert first.exit_code == 0
    assert "counter committed" in text and story.registry in text
    assert json.loads(mended.stdout)["logs_repaired"] >= 1
    assert other.json("reconcile", "--rpc", f"31337={story.url}")


def test_extract__from_block_after_the_first_events__is_noticed_and_mended(
    console: Console, other: Console, story: Story
) -> None:
    late = event_blocks(story, "NetworkRegistered")[-1] + 1

    first = extract(other, story, story.url, "--from-block", late)
    repair = ["--from-block", late, "--repair", f"0:{late}"]
    mended = extract(other, story, story.url, *repair)

    assert first.exit_code == 1 and "--from-block began" in first.stderr
    assert mended.exit_code == 0, mended.stderr
    assert other.json("totals") == console.json("totals")


def test_repair__node_that_leaves_out_logs__takes_nothing_away(
    console: Console, other: Console, story: Story, proxy: Proxy
) -> None:
    block = event_blocks(story, "BatchCommitted")[1]
    extract(other, story, story.url)

    done = extract(other, story, proxy(hole(block, block)).url, "--repair", "0:1000")

    assert json.loads(done.stdout)["logs_repaired"] == 0
    assert other.json("totals") == console.json("totals")


def test_coverage__gaps_were_noted__raises(other: Console, story: Story, proxy: Proxy) -> None:
    block = event_blocks(story, "NetworkRegistered")[0]
    plan = ExtractPlan((proxy(hole(0, block)).url,), story.chain.registry.address, depth=0)

    with pytest.raises(MissingLogsError, match=f"--repair 0:{block + 1}"):
        follow(Dataset(other.folder), plan)
    with pytest.raises(CoverageError, match="logs are missing"):
        coverage(Dataset(other.folder))


def test_follow__no_logs_are_new__events_are_not_looked_at_again(
    other: Console, story: Story, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The contract is asked when it is told to be: what a node left out is never new."""
    looked: list[object] = []
    look = completeness._look
    monkeypatch.setattr(completeness, "_look", lambda *args: looked.append(args) or look(*args))
    node = proxy(lambda exchange: False)
    data = Dataset(other.folder)
    plan = ExtractPlan((node.url,), story.chain.registry.address, depth=0)

    def asked(ask: bool) -> int:
        before = node.calls["eth_call"]
        follow(data, plan, ask=ask)
        return node.calls["eth_call"] - before

    with story.chain.isolated():
        first = asked(False)
        story.chain.mine()
        idle = asked(False)
        story.chain.mine()
        told = asked(True)

    assert first > 0 and told > 0 and idle == 0
    assert len(looked) == 1


def calls_by_hash(exchange: Exchange) -> list[Any]:
    return [
        answer
        for call, answer in exchange.calls
        if call["method"] == "eth_call" and isinstance(call["params"][1], dict)
    ]


def refuse(answer: Any, code: int, message: str) -> None:
    answer.pop("result", None)
    answer["error"] = {"code": code, "message": message}


@pytest.mark.parametrize(
    "how",
    [
        lambda answer: answer.update(result="0x"),
        lambda answer: refuse(answer, -32602, "invalid argument 1: cannot unmarshal object"),
        lambda answer: refuse(answer, -32000, "header for hash not found"),
        lambda answer: refuse(answer, -32603, "internal error"),
        lambda answer: answer.update(result=None),
    ],
    ids=["0x", "-32602", "not found", "internal", "null"],
)
def test_reconcile__calls_by_hash_fail__number_is_asked_with_the_hash_looked_at(
    console: Console, story: Story, proxy: Proxy, how: Callable[[Any], None]
) -> None:
    def fault(exchange: Exchange) -> bool:
        found = calls_by_hash(exchange)
        for answer in found:
            how(answer)
        return bool(found)

    node = proxy(fault)

    rows = console.json("reconcile", "--rpc", f"31337={node.url}")

    assert rows and all(row["agrees"] for row in rows)
    assert node.faulted["eth_call"] >= 1 and node.calls["eth_getBlockByNumber"] >= 2


def test_reconcile__another_block_of_that_number__says_so(
    console: Console, story: Story, proxy: Proxy
) -> None:
    def fault(exchange: Exchange) -> bool:
        for answer in calls_by_hash(exchange):
            refuse(answer, -32602, "invalid argument 1")
        if exchange.method == "eth_getBlockByNumber":
            exchange.answer["result"]["hash"] = HIDDEN
        return True

    text = console.error("reconcile", "--rpc", f"31337={proxy(fault).url}")

    assert "has another block" in text


@pytest.mark.parametrize(
    "words",
    [
        "missing trie node 3f2b (path ) state is not available",
        "required historical state unavailable (reexec=128)",
        "state at block #71 is pruned",
    ],
)
def test_reconcile__state_is_dropped__says_what_is_needed(
    console: Console, story: Story, proxy: Proxy, words: str
) -> None:
    def fault(exchange: Exchange) -> bool:
        for call, answer in exchange.calls:
            if call["method"] == "eth_call":
                refuse(answer, -32000, words)
        return exchange.method == "eth_call"

    text = console.error("reconcile", "--rpc", f"31337={proxy(fault).url}")

    assert "needed: an archive node, or `tallystick extract` again" in text
    assert words in text


def test_reconcile__0x_both_ways__says_so(console: Console, story: Story, proxy: Proxy) -> None:
    def fault(exchange: Exchange) -> bool:
        for call, answer in exchange.calls:
            if call["method"] == "eth_call":
                answer["result"] = "0x"
        return exchange.method == "eth_call"

    text = console.error("reconcile", "--rpc", f"31337={proxy(fault).url}")

    assert "with nothing (0x)" in text


def test_extract__another_contract__is_no_registry(
    other: Console, story: Story, tmp_path: Path
) -> None:
    """It has code, and no event of a registry's."""
    with story.chain.isolated():
        mock = story.chain.deploy("MockResolver").address

        text = other.error("extract", mock, "--rpc", story.url, "--depth", 0)

    assert "is no registry" in text


def test_extract__not_yet_final__says_what_is_and_the_flag(other: Console, story: Story) -> None:
    """Fewer than 64 blocks: anvil's finalized block is the genesis."""
    head = story.chain.w3.eth.block_number
    assert head < 64

    text = other.error("extract", story.registry, "--rpc", story.url)

    assert f"the finalized block is 0, the latest {head}; --depth BLOCKS" in text


def test_extract__some_depth__says_on_stderr_how_far(other: Console, story: Story) -> None:
    place = ["--rpc", story.url, "--data", other.folder, "--depth", 1]
    done = other.run("extract", story.registry, *place)

    assert done.exit_code == 0
    assert f"the latest is {story.chain.w3.eth.block_number}" in done.stderr


@pytest.mark.parametrize("command", ["totals", "utility"])
@pytest.mark.parametrize("until", ["2027-01-15", "2027-01-01"])
def test_period__until_is_not_after_since__is_an_error(
    console: Console, command: str, until: str
) -> None:
    text = console.error(command, "--since", "2027-01-15", "--until", until)

    assert text == f"the period is from 2027-01-15 to before {until}; needed: at least one day"


def test_totals__period_after_all_events__is_told(console: Console) -> None:
    done = console.run("totals", "--data", console.folder, "--since", "2035-01-01")

    assert "no event is of these days; the events are of 2027-01-15" in done.stderr


@pytest.mark.parametrize(
    "line",
    [
        "batches --network-id NETWORK",
        "disputes --network-id NETWORK",
        "model list NETWORK",
        "network show NETWORK",
        "tally NETWORK",
        "stake show NETWORK 0x1111111111111111111111111111111111111111",
    ],
)
def test_commands__network_that_is_not_registered__is_an_error(
    console: Console, story: Story, line: str
) -> None:
    words = line.replace("NETWORK", HIDDEN).split()
    done = console.run(*words, "--rpc", story.url, "--registry", story.registry)

    assert done.exit_code == 1, done.stdout
    assert HIDDEN in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize("line", ["batches", "tally", "network show", "model list", "disputes"])
def test_commands__address_without_a_registry__is_an_error(
    console: Console, story: Story, line: str
) -> None:
    done = console.run(*line.split(), "--rpc", story.url, "--registry", "0x" + "12" * 20)

    assert done.exit_code == 1
    assert "has no contract at 0x1212" in done.stderr


@pytest.mark.parametrize("line", ["batches", "extract", "tally"])
def test_commands__mistyped_address__is_refused(console: Console, story: Story, line: str) -> None:
    right = "0xDc22041405d6AcB4940E290F9946D8611c33c718"
    for wrong in (right.replace("Dc", "dc"), right.replace("d6Ac", "d7Ac")):
        place = [wrong] if line == "extract" else ["--registry", wrong]
        done = console.run(line, *place, "--rpc", story.url)

        assert done.exit_code != 0
        assert "checksum" in done.stderr and right not in done.stderr


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:99x/a-key", "http://[::1/a-key", "127.0.0.1:8545/a-key", "ftp://x/"]
)
@pytest.mark.parametrize("command", ["extract", "tally", "reconcile", "serve", "batches"])
def test_commands__url_of_no_node__one_line_without_the_key(
    console: Console, story: Story, command: str, url: str
) -> None:
    place = {
        "extract": [story.registry, "--rpc", url],
        "reconcile": ["--rpc", f"31337={url}", "--data", console.folder],
        "serve": ["--rpc", f"31337={url}", "--data", console.folder, "--port", 0],
    }.get(command, ["--rpc", url, "--registry", story.registry])
    done = console.run(command, *place)

    assert done.exit_code == 1, (done.stdout, done.stderr)
    assert "RPC URL is" in done.stderr and "a-key" not in done.stderr
    assert to_hex(b"") not in done.stdout
