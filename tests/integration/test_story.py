"""The scripts as one story, from a registered network to its totals."""

from collections.abc import Callable
from pathlib import Path

import yaml

from tests.integration.conftest import Commands
from tests.support.chain import Chain
from tests.support.story import Network

OWNER, OPERATOR, CHALLENGER = 1, 2, 4


def evidence(word: int) -> str:
    return "0x" + word.to_bytes(32, "big").hex()


def test_scripts__whole_story__totals_agree(
    chain: Chain,
    commands: Commands,
    resolver: bytes,
    tmp_path: Path,
    write_lines: Callable[..., Path],
) -> None:
    arbiter = "0x" + resolver.hex()
    rules = {
        "attestors": [arbiter] * 3,
        "arbiter": arbiter,
        "stake_per_inference": 10,
        "challenge_bond": 20,
        "demand_bond": 6,
        "max_bytes": 64,
        "challenge_window": 3600,
        "response_window": 600,
        "ruling_window": 900,
    }
    file = tmp_path / "network.yaml"
    file.write_text(yaml.safe_dump({"name": "first", "rules": rules}))
    kept = ["--store", tmp_path / "batches"]

    # The registry is there already: recorded only.
    assert commands.json("deploy", account=0)["new"] is False
    network = commands.json("network create", file, "--yes", account=OWNER)["network_id"]
    assert commands.json("network create", file, account=OWNER)["move"].startswith("none")
    operator = chain.w3.eth.accounts[OPERATOR]
    commands.json("network admit", network, operator, account=OWNER)
    model = commands.json(
        "model register", network, "--name", "m", "--file", file, "--spec", file, account=OWNER
    )["model_id"]
    assert [one["model_id"] for one in commands.json("model list", network)] == [model]
    commands.json("stake deposit", network, 1000, account=OPERATOR)
    commands.json("stake deposit", network, 100, "--credit-only", account=CHALLENGER)

    def submit(name: str, count: int) -> tuple[str, str]:
        done = commands.json(
            "submit",
            write_lines(count=count, name=name),
            *["--network-id", network, "--model-id", model, "--receipts", tmp_path / "receipts"],
            *kept,
            account=OPERATOR,
        )
        return done["batch_id"], done["receipts"]

    good, good_receipts = submit("good.jsonl", 4)
    bad, bad_receipts = submit("bad.jsonl", 3)
    assert commands.json("stake show", network, operator)["locked"] == 70
    assert "free stake" in commands.error("stake withdraw", network, 950, account=OPERATOR)

    commands.json("attest", good, "--grade", "audited", "--evidence", evidence(1), account=3)
    commands.json("demand", good, "--leaf", 2, "--bytes", account=CHALLENGER)
    assert "too early" in commands.error("timeout", good, account=CHALLENGER)
    commands.json("reveal", good, *kept, account=OPERATOR)
    commands.json("challenge", bad_receipts, "--leaf", 1, account=CHALLENGER)
    assert "too early" in commands.error("lapse", bad, account=CHALLENGER)
    commands.json("resolve", bad, *kept, "--evidence", evidence(2), account=3)
    assert "too early" in commands.error("finalize", good, account=3)
    assert "is open; needed: final" in commands.error("archive", good, account=3)

    late = chain.now + 3601
    chain.at(late).mine()
    commands.json("finalize", good, account=3)
    commands.json("archive", good, account=3)

    (totals,) = commands.json("tally")
    assert totals["agrees"] is True
    counters = ("committed", "audited", "verified", "unchallenged", "rejected", "open", "burned")
    assert [totals[name] for name in counters] == [7, 4, 4, 0, 3, 0, 15]
    (status,) = commands.json("receipt check", good_receipts)
    assert (status["state"], status["grade"], status["receipts"]) == ("final", "audited", 4)
    (status,) = commands.json("receipt check", bad_receipts)
    assert (status["state"], status["on_chain"]) == ("rejected", "rejected")
    taken = commands.json("stake withdraw", network, 970, account=OPERATOR)
    assert taken["amount"] == 970


def test_lapse__no_ruling__counts_unresolved(
    chain: Chain,
    commands: Commands,
    network: Network,
    tmp_path: Path,
    write_lines: Callable[..., Path],
) -> None:
    ids = [
        *["--network-id", "0x" + network.id.hex(), "--model-id", "0x" + network.model_id.hex()],
        *["--store", tmp_path / "batches"],
    ]
    submitted = commands.json(
        "submit", write_lines(), *ids, "--receipts", tmp_path / "r", account=OPERATOR
    )
    commands.json(
        "stake deposit",
        "0x" + network.id.hex(),
        500,
        "--credit-only",
        account=CHALLENGER,
    )
    commands.json("challenge", submitted["receipts"], account=CHALLENGER)
    chain.at(chain.now + 7201).mine()

    commands.json("lapse", submitted["batch_id"], account=CHALLENGER)
    chain.at(chain.now + 4 * 3600).mine()
    commands.json("finalize", submitted["batch_id"], account=CHALLENGER)

    (totals,) = commands.json("tally")
    assert (totals["unresolved"], totals["verified"], totals["agrees"]) == (5, 0, True)
