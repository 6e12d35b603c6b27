"""batches, batch, disputes, receipt get, finalize --all: where things stand, what comes next."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tallystick.protocol.hexes import checksummed, to_hex
from tests.integration.conftest import Commands
from tests.support.chain import Chain
from tests.support.story import RULES, Network

OPERATOR, CHALLENGER = 2, 4


@pytest.fixture
def submit(
    commands: Commands, network: Network, tmp_path: Path, write_lines: Callable[..., Path]
) -> Callable[[str], dict[str, Any]]:
    """Submits a file of five inferences under a name."""

    def run(name: str) -> dict[str, Any]:
        found: dict[str, Any] = commands.json(
            "submit",
            write_lines(name=f"{name}.jsonl"),
            *["--network-id", to_hex(network.id), "--model-id", to_hex(network.model_id)],
            *["--store", tmp_path / "batches", "--receipts", tmp_path / "receipts"],
            *["--label", name],
            account=OPERATOR,
        )
        return found

    return run


def states(commands: Commands, *words: object) -> dict[str, str]:
    return {row["batch_id"]: row["state"] for row in commands.json("batches", *words)}


def test_batches__each_state__as_time_goes_by(
    chain: Chain, commands: Commands, network: Network, submit: Callable[[str], dict[str, Any]]
) -> None:
    first, second, third = (submit(name)["batch_id"] for name in ("a", "b", "c"))
    network.fund(chain.accounts[CHALLENGER])
    commands.json("demand", second, "--leaf", 1, account=CHALLENGER)
    assert states(commands) == {first: "open", second: "disputed", third: "open"}
    assert commands.json("batch", second)["next"] == ["reveal", "disprove", "fault"]

    chain.at(chain.now + RULES.response_window + 1).mine()
    assert states(commands, "--state", "due") == {second: "due"}
    commands.json("timeout", second, account=CHALLENGER)
    chain.at(chain.now + RULES.challenge_window).mine()
    assert states(commands, "--state", "finalizable", "--state", "rejected") == {
        first: "finalizable",
        second: "rejected",
        third: "finalizable",
    }

    done = commands.json("finalize", "--all", account=CHALLENGER)
    assert sorted(done["batch_ids"]) == sorted([first, third])
    assert states(commands, "--state", "final") == {first: "final", third: "final"}
    nothing = commands.json("finalize", "--all", account=CHALLENGER)
    assert nothing["move"].startswith("none")
    found = commands.json("batch", second)
    assert (found["cause"], found["leaf"], found["next"]) == ("timeout", 1, [])
    assert commands.json("batch", first)["next"] == ["archive"]


def test_batches__mine_and_of_others__are_told_apart(
    chain: Chain, commands: Commands, network: Network, submit: Callable[[str], dict[str, Any]]
) -> None:
    mine = submit("mine")["batch_id"]
    stranger = chain.accounts[7]
    network.join(stranger)
    other = to_hex(network.commit(stranger).id)

    assert set(states(commands)) == {mine, other}
    assert set(states(commands, "--mine", "--account", f"TEST::{OPERATOR}")) == {mine}
    assert set(states(commands, "--mine", "--account", checksummed(stranger))) == {other}
    assert set(states(commands, "--operator", checksummed(stranger))) == {other}
    unknown = commands.error("batches", "--network-id", "0x" + "11" * 32)
    assert "is registered in this registry" in unknown
    assert "no account is named" in commands.error("batches", "--mine")


def test_disputes__challenge_and_demand__with_what_they_wait_for(
    chain: Chain, commands: Commands, network: Network, submit: Callable[[str], dict[str, Any]]
) -> None:
    first, second = submit("a"), submit("b")
    network.fund(chain.accounts[CHALLENGER])
    commands.json("challenge", first["receipts"], "--leaf", 0, account=CHALLENGER)
    commands.json("demand", second["batch_id"], "--leaf", 3, account=CHALLENGER)

    challenge, demand = commands.json("disputes")

    assert (challenge["kind"], challenge["leaf"], challenge["next"]) == ("challenge", 0, "resolve")
    assert (demand["kind"], demand["leaf"], demand["next"]) == ("demand", 3, "reveal")
    assert (challenge["bond"], demand["bond"]) == (RULES.challenge_bond, RULES.demand_bond)
    assert 0 < demand["left"] <= RULES.response_window


def test_receipt_get__leaf_and_all__same_as_at_the_commit(
    commands: Commands, submit: Callable[[str], dict[str, Any]], tmp_path: Path
) -> None:
    done = submit("a")
    kept = Path(done["receipts"]).read_text().splitlines()
    store = ["--store", tmp_path / "batches"]

    printed = commands.run("receipt get", done["batch_id"], "--leaf", 2, *store)
    out = tmp_path / "all.jsonl"
    commands.json("receipt get", done["batch_id"], *store, "--out", out)

    assert printed.stdout.splitlines() == [kept[2]]
    assert out.read_text().splitlines() == kept
    (checked,) = commands.json("receipt check", out)
    assert (checked["receipts"], checked["on_chain"]) == (5, "open")
    text = commands.error("receipt get", done["batch_id"], "--leaf", 5, *store)
    assert "leaf index is 5; needed: 0 to 4" in text


def test_challenge__receipts_without_leaf_0__names_the_leaf(
    commands: Commands, submit: Callable[[str], dict[str, Any]], tmp_path: Path
) -> None:
    done = submit("a")
    other = tmp_path / "leaf1.jsonl"
    other.write_text(Path(done["receipts"]).read_text().splitlines()[1] + "\n")
    empty = tmp_path / "empty.jsonl"
    empty.write_text("")

    text = commands.error("challenge", other, "--leaf", 0, account=CHALLENGER)
    assert text == f"error: {other} has no receipt of leaf 0"
    text = commands.error("challenge", empty, account=CHALLENGER)
    assert text == f"error: {empty} holds no receipt"


def test_challenge__file_whose_leaf_is_0__is_challenged(
    chain: Chain,
    commands: Commands,
    network: Network,
    submit: Callable[[str], dict[str, Any]],
    tmp_path: Path,
) -> None:
    done = submit("a")
    only = tmp_path / "leaf0.jsonl"
    only.write_text(Path(done["receipts"]).read_text().splitlines()[0] + "\n")
    network.fund(chain.accounts[CHALLENGER])

    challenged = commands.json("challenge", only, "--leaf", 0, account=CHALLENGER)

    assert challenged["leaf_index"] == 0


def test_stake__amount_with_a_unit__is_wei(
    commands: Commands, network: Network, operator: bytes
) -> None:
    before = commands.json("stake show", to_hex(network.id), checksummed(operator))["stake"]

    commands.json("stake deposit", to_hex(network.id), "0.5 gwei", account=OPERATOR)

    after = commands.json("stake show", to_hex(network.id), checksummed(operator))["stake"]
    assert after - before == 5 * 10**8
    text = commands.run("stake deposit", to_hex(network.id), "0.5 wei", account=OPERATOR).stderr
    assert "no part smaller than 1 wei" in text


def test_network_create__wrong_key__names_file_line_and_nearest(
    commands: Commands, network: Network, tmp_path: Path
) -> None:
    path = tmp_path / "network.yaml"
    path.write_text("name: n\nrules:\n  challenge_windw: 1h\n")
    text = commands.error("network create", path, account=1)
    assert text == (
        f"error: {path}, line 3: unknown key challenge_windw; did you mean challenge_window?"
    )

    path.write_text("name: n\nrules:\n  challenge_window: an hour\n")
    text = commands.error("network create", path, account=1)
    assert text.startswith(f"error: {path}, line 3: challenge_window is 'an hour'; needed: sec")


def test_json__receipt_check__offline_is_one_object(
    commands: Commands, submit: Callable[[str], dict[str, Any]]
) -> None:
    done = submit("a")

    assert commands.plain("receipt check", done["receipts"], "--json") == {
        "receipts": 5,
        "batches": 1,
        "good": True,
    }
    assert json.loads(Path(done["receipts"]).read_text().splitlines()[0])["leaf_index"] == 0
