"""submit of several files: one transaction, all or none; run again, nothing goes twice.

good | run again | crash after noting | short stake | wrong line | same file | nonce in two files |
by a key | slots that are over
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tallystick.protocol.hexes import checksummed, to_hex
from tallystick.protocol.inference import Request
from tallystick.protocol.keccak import keccak256
from tests.integration.conftest import Commands
from tests.support.chain import Chain
from tests.support.story import KEY_OF, REQUESTERS, RULES, STAKE, Network

WriteLines = Callable[..., Path]
OPERATOR, KEY = 2, 6


@pytest.fixture
def line(network: Network, tmp_path: Path) -> list[object]:
    return [
        *["--network-id", to_hex(network.id), "--model-id", to_hex(network.model_id)],
        *["--store", tmp_path / "batches", "--receipts", tmp_path / "receipts"],
    ]


@pytest.fixture
def files(write_lines: WriteLines) -> list[Path]:
    return [write_lines(name=f"{number}.jsonl", count=number + 2) for number in range(3)]


def test_submit__several_files__one_transaction_and_receipts_of_each(
    chain: Chain, commands: Commands, network: Network, files: list[Path], line: list[object]
) -> None:
    dry = commands.json("submit", *files, *line, "--dry-run", account=OPERATOR)
    rows = commands.json("submit", *files, *line, account=OPERATOR)

    assert [row["count"] for row in rows] == [2, 3, 4]
    assert [row["index"] for row in rows] == [0, 1, 2]
    assert len({row["transaction"] for row in rows}) == 1
    assert [row["slot"] for row in dry] == [0, 1, 2]
    assert dry[0]["stake_needed"] == 9 * RULES.stake_per_inference
    assert {row["gas_of_all"] for row in dry} != {None}
    assert network.totals().committed == 9
    for row in rows:
        (checked,) = commands.json("receipt check", row["receipts"])
        assert (checked["receipts"], checked["on_chain"]) == (row["count"], "open")


def test_submit__several_files_again__sends_nothing(
    chain: Chain, commands: Commands, network: Network, files: list[Path], line: list[object]
) -> None:
    first = commands.json("submit", *files, *line, account=OPERATOR)
    block = chain.w3.eth.block_number

    again = commands.json("submit", *files, *line, account=OPERATOR)

    assert [row["sent"] for row in again] == [False] * 3
    assert [row["batch_id"] for row in again] == [row["batch_id"] for row in first]
    assert chain.w3.eth.block_number == block


def test_submit__one_more_file__only_that_is_sent(
    commands: Commands,
    network: Network,
    files: list[Path],
    line: list[object],
    write_lines: WriteLines,
) -> None:
    commands.json("submit", *files, *line, account=OPERATOR)
    more = write_lines(name="more.jsonl", count=7)

    rows = commands.json("submit", *files, more, *line, account=OPERATOR)

    assert [row["sent"] for row in rows] == [False, False, False, True]
    assert rows[3]["index"] == 3


def test_submit__killed_before_the_transaction__same_batches_afterwards(
    chain: Chain,
    commands: Commands,
    network: Network,
    files: list[Path],
    line: list[object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Killed(BaseException):
        pass

    def killed(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("tallystick.chain.sender.SignerSender.send", killed)
        with pytest.raises(Killed):
            commands.run("submit", *files, *line, account=OPERATOR)
    noted = commands.json("submit", *files, *line, "--dry-run", account=OPERATOR)

    rows = commands.json("submit", *files, *line, account=OPERATOR)

    assert [row["batch_id"] for row in rows] == [row["batch_id"] for row in noted]
    assert network.totals().committed == 9


def test_submit__stake_for_two_of_three__sends_none(
    chain: Chain,
    commands: Commands,
    network: Network,
    operator: bytes,
    files: list[Path],
    line: list[object],
) -> None:
    chain.send(operator, "unstake", network.id, STAKE - 6 * RULES.stake_per_inference)

    text = commands.error("submit", *files, *line, account=OPERATOR)

    assert text == "error: the lane's stake is 66; needed with these batches: 99"
    assert network.totals().committed == 0


def test_submit__wrong_line_in_the_last__sends_none_and_notes_none(
    commands: Commands,
    network: Network,
    files: list[Path],
    line: list[object],
    write_lines: WriteLines,
    tmp_path: Path,
) -> None:
    wrong = write_lines({"input": "zz", "output": "0x01"}, name="wrong.jsonl")

    text = commands.error("submit", *files, wrong, *line, account=OPERATOR)

    assert "line 1: input" in text
    assert network.totals().committed == 0
    assert not (tmp_path / "receipts").exists()


def test_submit__equal_files__are_refused(
    commands: Commands, network: Network, line: list[object], write_lines: WriteLines
) -> None:
    same = [write_lines(name="a.jsonl"), write_lines(name="b.jsonl")]

    text = commands.error("submit", *same, *line, account=OPERATOR)

    assert "b.jsonl is the same as a file before it" in text


def test_submit__nonce_in_two_files__is_refused(
    chain: Chain,
    commands: Commands,
    network: Network,
    operator: bytes,
    line: list[object],
    write_lines: WriteLines,
) -> None:
    requester, deadline = REQUESTERS[0], chain.now + 900

    def signed(text: bytes) -> dict[str, object]:
        request = Request(network.model_id, operator, keccak256(text), requester, 7, deadline)
        return {
            "input": to_hex(text),
            "output": "0x01",
            "requester": to_hex(requester),
            "nonce": 7,
            "deadline": deadline,
            "signature": to_hex(request.sign(chain.registry.domain, KEY_OF[requester])),
        }

    first = write_lines(signed(b"a"), name="a.jsonl")
    second = write_lines(signed(b"b"), name="b.jsonl")

    text = commands.error("submit", first, second, *line, account=OPERATOR)

    assert "nonce 7" in text
    assert network.totals().committed == 0


def test_submit__several_by_the_operators_key__in_its_lane(
    chain: Chain,
    commands: Commands,
    network: Network,
    operator: bytes,
    files: list[Path],
    line: list[object],
) -> None:
    commands.json("key set", checksummed(chain.accounts[KEY]), account=OPERATOR)

    rows = commands.json("submit", *files, *line, "--operator", checksummed(operator), account=KEY)

    batches = chain.ledger().batches
    assert {batches[bytes.fromhex(row["batch_id"][2:])].batch.operator for row in rows} == {
        operator
    }


def test_submit__several_over_finalizable_batches__finalizes_them_along(
    chain: Chain, commands: Commands, network: Network, files: list[Path], line: list[object]
) -> None:
    commands.json("submit", *files, *line, account=OPERATOR)
    chain.at(chain.now + RULES.challenge_window + 3601).mine()

    rows = commands.json("submit", *files, *line, "--label", "next", account=OPERATOR)

    receipt = chain.w3.eth.get_transaction_receipt(rows[0]["transaction"])
    assert len(receipt["logs"]) == 3
    assert network.totals().unchallenged == 9


def test_submit__evidence_for_several__is_a_usage_error(
    commands: Commands, network: Network, files: list[Path], line: list[object]
) -> None:
    words = ["--grade", "audited", "--evidence", "0x01"]

    done = commands.run("submit", *files, *line, *words, account=OPERATOR)

    assert done.exit_code == 2 and "needed: one file" in done.stderr
    assert network.totals().committed == 0
