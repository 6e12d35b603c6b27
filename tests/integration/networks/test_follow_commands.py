"""tallystick follow and networks, as users run them."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from coincurve import PrivateKey

from tallystick.cli.main import main
from tests.integration.networks.conftest import CHAIN_ID, url_of
from tests.integration.networks.test_zero_g import ZeroG
from tests.support.chain import Chain
from tests.support.faulty_rpc import Exchange, faulty_rpc
from tests.support.standins import Standin


class Console:
    """The commands on one folder and one file."""

    def __init__(self, folder: Path) -> None:
        self.data, self.file = folder / "data", folder / "networks.yaml"

    def write(self, chains: dict[int, Any], networks: dict[str, Any]) -> None:
        self.file.write_text(yaml.safe_dump({"chains": chains, "networks": networks}))

    def run(self, *args: str) -> Result:
        words = [*args, "--data", str(self.data)]
        return CliRunner(mix_stderr=False).invoke(main, words)

    def follow(self, *args: str) -> Result:
        return self.run("follow", str(self.file), "--json", *args)


@pytest.fixture
def console(tmp_path: Path) -> Console:
    return Console(tmp_path)


@pytest.fixture
def zero_g(chain: Chain) -> ZeroG:
    found = ZeroG(Standin(chain, "ZeroG"))
    found.acknowledge()
    found.settle(found.entry(), found.entry(PrivateKey(b"\x33" * 32)))
    return found


def at(contract: Standin, chain_id: int = CHAIN_ID, **values: Any) -> dict[str, Any]:
    """A network of the file, at a stand-in."""
    place = {"chain": chain_id, "address": "0x" + contract.address.hex(), **values}
    return {"adapter": "0g", "places": [place]}


def test_follow__one_chain_fails__the_other_is_followed(
    chain: Chain, zero_g: ZeroG, console: Console
) -> None:
    nodes = {"rpc": [url_of(chain)], "depth": 0}
    dead = {"rpc": ["http://127.0.0.1:1"], "depth": 0}
    here, there = at(zero_g.contract), at(zero_g.contract, 999)
    console.write({CHAIN_ID: nodes, 999: dead}, {"there": there, "here": here})

    done = console.follow()

    assert done.exit_code == 1
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("error: there: chain 999: 127.0.0.1:1 does not answer")
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert (rows["here"]["claimed"], rows["here"]["verified"], rows["here"]["rejected"]) == (
        2,
        1,
        1,
    )
    assert rows["there"]["claimed"] == 0


def test_follow__node_of_another_chain__is_told_and_counts_nothing(
    chain: Chain, zero_g: ZeroG, console: Console
) -> None:
    nodes = {"rpc": url_of(chain), "depth": 0}
    console.write({5: nodes}, {"here": at(zero_g.contract, 5)})

    done = console.follow()

    assert done.exit_code == 1
    assert "the nodes are of chain 31337; needed: 5" in done.stderr
    assert json.loads(done.stdout)[0]["claimed"] == 0


def test_networks__followed_and_not__unit_and_verdicts_side_by_side(
    chain: Chain, zero_g: ZeroG, console: Console
) -> None:
    console.write({CHAIN_ID: {"rpc": url_of(chain), "depth": 0}}, {"mine": at(zero_g.contract)})
    assert console.follow().exit_code == 0

    rows = {row["name"]: row for row in json.loads(console.run("networks", "--json").stdout)}
    reasons = json.loads(console.run("networks", "mine", "--json").stdout)

    assert rows["mine"]["unit"] == "settlement"
    assert (rows["mine"]["claimed"], rows["mine"]["enclave"], rows["mine"]["rejected"]) == (2, 1, 1)
    assert (rows["0g"]["state"], rows["0g"]["claimed"]) == ("not followed", None)
    assert [(row["verdict"], row["count"]) for row in reasons] == [("enclave", 1), ("rejected", 1)]


@pytest.mark.parametrize(
    ("networks", "reason"),
    [
        ({"0g": None}, "no place of 0g is on the chains named; needed: chains 16661"),
        ({"og": None}, "no adapter 'og'; known: "),
        ({"0g": {"place": []}}, "unknown key place; did you mean places?"),
        ({"0g": {"places": [{"chain": 31337, "address": "0x12"}]}}, "20 bytes in hex"),
        ({"0g": {"places": [{"chain": 7, "address": "any"}]}}, "chain 7 is not among chains"),
        ({"0g": {"options": {"a": 1}}}, "0g takes no option a"),
        ({"a/b": {"adapter": "0g"}}, "a/b is no name for a folder"),
        ({}, "no network is named"),
    ],
)
def test_follow__file_is_wrong__is_one_line_with_file_and_reason(
    console: Console, networks: dict[str, Any], reason: str
) -> None:
    console.write({CHAIN_ID: {"rpc": "http://127.0.0.1:1"}}, networks)

    done = console.follow()

    assert done.exit_code == 1
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith(f"error: {console.file}, line ")
    assert reason in line


def test_networks__unknown_name__is_one_line(console: Console) -> None:
    done = console.run("networks", "nobody")

    assert done.exit_code == 1
    assert done.stderr.startswith("error: no network nobody is followed into")
    assert done.stderr.count("\n") == 1


def test_follow__repair__logs_that_a_node_left_out_are_counted(
    chain: Chain, zero_g: ZeroG, console: Console
) -> None:
    first, last = zero_g.contract.first_block, chain.w3.eth.block_number
    hiding = True

    def bend(exchange: Exchange) -> bool:
        if hiding and exchange.logs:
            exchange.answer["result"].pop()
        return True

    with faulty_rpc(url_of(chain), bend) as proxy:
        console.write({CHAIN_ID: {"rpc": proxy.url, "depth": 0}}, {"mine": at(zero_g.contract)})
        before = json.loads(console.follow().stdout)[0]
        hiding = False
        unaware = json.loads(console.follow().stdout)[0]
        repaired = json.loads(console.follow("--repair", str(CHAIN_ID), f"{first}:{last}").stdout)[
            0
        ]
    unknown = console.follow("--repair", "5", "0:1")

    assert (before["claimed"], unaware["claimed"], repaired["claimed"]) == (1, 1, 2)
    assert (repaired["verified"], repaired["rejected"]) == (1, 1)
    assert unknown.exit_code == 1 and "has no chain 5" in unknown.stderr
