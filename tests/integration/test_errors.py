"""What a user sees when something is wrong: one line on stderr, and the exit code."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tallystick.chain.localnet import localnet
from tallystick.protocol.hexes import to_hex
from tests.integration.conftest import GENESIS, Commands
from tests.support.chain import Chain
from tests.support.storage import set_counter
from tests.support.story import RULES, Network, register

WriteLines = Callable[..., Path]


def submit_line(network: Network, tmp_path: Path) -> list[object]:
    return [
        *["--network-id", "0x" + network.id.hex(), "--model-id", "0x" + network.model_id.hex()],
        *["--store", tmp_path / "batches", "--receipts", tmp_path / "receipts"],
    ]


def test_tally__nothing_recorded__says_what_to_run(chain: Chain, commands: Commands) -> None:
    assert "run `ape tallystick deploy`" in commands.error("tally")


def test_tally__no_contract_there__says_so(chain: Chain, commands: Commands) -> None:
    assert "has no contract at" in commands.error("tally --registry", "0x" + "11" * 20)


def test_tally__block_by_name__is_its_number(
    chain: Chain, commands: Commands, network: Network, operator: bytes
) -> None:
    network.commit(operator, count=5)

    chain.mine(100)
    (latest,) = commands.json("tally", "0x" + network.id.hex())
    (finalized,) = commands.json("tally", "0x" + network.id.hex(), "--block", "finalized")

    assert (latest["committed"], latest["block"]) == (5, chain.w3.eth.block_number)
    assert finalized["block"] == chain.w3.eth.get_block("finalized")["number"]
    assert finalized["block"] < latest["block"]
    assert "is no block" in commands.run("tally", "--block", "first").stderr


@pytest.fixture
def unworn(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> Iterator[Chain]:
    """A chain of its own: anvil gives up its first block's state after many reverts."""
    with localnet(timestamp=GENESIS) as w3:
        found = Chain(w3)
        monkeypatch.setenv("TALLYSTICK_REGISTRY", to_hex(found.registry.address))
        yield found


def test_tally__block_before_the_network_or_the_registry__is_no_zero(unworn: Chain) -> None:
    network = register(unworn, unworn.accounts[1], RULES)
    commands = Commands(unworn)
    before_network = unworn.deployed["blockNumber"]

    text = commands.error("tally", "0x" + network.id.hex(), "--block", before_network)
    assert text.startswith("error: NetworkNotFound(")
    text = commands.error("tally", "0x" + network.id.hex(), "--block", 0)
    assert "no contract at" in text and "at block 0" in text


def test_tally__counter_differs__names_it_and_exits_1(
    chain: Chain, commands: Commands, network: Network, operator: bytes
) -> None:
    network.commit(operator, count=5)
    committed = network.totals().committed
    set_counter(chain, network, 0, committed + 1)
    assert network.totals().committed == committed + 1

    text = commands.error("tally")

    block = chain.w3.eth.block_number
    assert text == (
        f"error: chain 31337, registry 0x{chain.registry.address.hex()}, "
        f"network 0x{network.id.hex()}, counter committed, block {block}: "
        "events say 5, the contract says 6"
    )


def test_submit__wrong_line__names_it_and_sends_nothing(
    chain: Chain, commands: Commands, network: Network, tmp_path: Path, write_lines: WriteLines
) -> None:
    path = write_lines({"input": "0x01", "output": "0x02"}, {"input": "zz", "output": "0x02"})

    text = commands.error("submit", path, *submit_line(network, tmp_path), account=2)

    assert "line 2: input" in text
    assert network.totals().committed == 0


def test_submit__no_account__says_what_is_needed(
    chain: Chain, commands: Commands, network: Network, tmp_path: Path, write_lines: WriteLines
) -> None:
    text = commands.error("submit", write_lines(), *submit_line(network, tmp_path))

    assert "needed: --account" in text


def test_submit__dry_run__sends_nothing(
    chain: Chain, commands: Commands, network: Network, tmp_path: Path, write_lines: WriteLines
) -> None:
    before = chain.w3.eth.block_number

    told = commands.json(
        "submit", write_lines(), *submit_line(network, tmp_path), "--dry-run", account=2
    )

    assert (told["count"], told["stake_needed"], told["dry_run"]) == (5, 55, True)
    assert chain.w3.eth.block_number == before


def test_admit__not_the_owner__tells_the_contracts_error(
    chain: Chain, commands: Commands, network: Network
) -> None:
    text = commands.error("network admit", "0x" + network.id.hex(), "0x" + "11" * 20, account=5)

    assert text.startswith("error: NotNetworkOwner(networkId=0x")


def test_network_create__weak_rules__warns_and_goes_on(
    commands: Commands, network: Network, tmp_path: Path
) -> None:
    path = tmp_path / "network.yaml"
    path.write_text(
        "name: Weak\nrules: {challenge_window: 60, response_window: 30, ruling_window: 1}\n"
    )

    done = commands.run("network create", path, "--dry-run", account=1)

    assert done.exit_code == 0
    assert [line.split(":")[1].strip() for line in done.stderr.splitlines()] == [
        "attestors",
        "response_window is 30 s",
        "stake_per_inference is 0",
        "no arbiter",
    ]


def test_network_create__rules_refused__says_why(
    chain: Chain, commands: Commands, network: Network, tmp_path: Path
) -> None:
    path = tmp_path / "network.yaml"
    path.write_text("name: n\nrules: {challenge_window: 10, response_window: 9}\n")

    text = commands.error("network create", path, account=1)

    assert "ruling_window is 0 s" in text and "at most half of challenge_window" in text


def test_challenge__no_credit__says_how_much(
    chain: Chain, commands: Commands, network: Network, operator: bytes
) -> None:
    batch = network.commit(operator)

    text = commands.error("demand", "0x" + batch.id.hex(), "--leaf", 0, account=6)

    assert "has credit 0; the demand bond is 33" in text


def test_receipt_check__changed_output__names_the_part(
    chain: Chain, commands: Commands, network: Network, tmp_path: Path, write_lines: WriteLines
) -> None:
    done = commands.json("submit", write_lines(), *submit_line(network, tmp_path), account=2)
    path = Path(done["receipts"])
    found = path.read_text()
    start = found.index('"output_hash":"0x') + len('"output_hash":"0x')
    digit = "1" if found[start] == "0" else "0"
    path.write_text(found[:start] + digit + found[start + 1 :])

    text = commands.error("receipt check", path)

    assert "receipt 1: leaf: its fields hash to" in text
