"""submit: once, whatever crashes; nothing when a line is wrong."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from tallystick.actions.submission import lane as lane_module
from tallystick.actions.submission.journal import SubmissionJournal
from tallystick.actions.submission.plan import Submission
from tallystick.actions.submission.submitter import Submitted, Submitter
from tallystick.chain.call import Call
from tallystick.chain.sender import Sent
from tallystick.errors import RecordError, SubmitError
from tallystick.protocol.enums import Grade, State
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.inference import Request
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.receipt import Receipt
from tallystick.storage.batch_store import BatchStore
from tests.integration.conftest import Commands
from tests.support.chain import Chain, ChainSender
from tests.support.story import KEY_OF, REQUESTERS, Network

WriteLines = Callable[..., Path]


class Crash(BaseException):
    """The process is gone: nothing catches it."""


class CrashingSender(ChainSender):
    """Crashes once, before or after the transaction."""

    crash = ""

    def send(self, call: Call) -> Sent:
        crash, self.crash = self.crash, ""
        if crash == "before":
            raise Crash
        sent = super().send(call)
        if crash == "after":
            raise Crash
        return sent


@pytest.fixture
def sender(chain: Chain, operator: bytes) -> CrashingSender:
    return CrashingSender(chain, operator)


@pytest.fixture
def submitter(chain: Chain, sender: CrashingSender, tmp_path: Path) -> Submitter:
    return Submitter(
        chain.registry,
        sender,
        chain.ledger,
        lambda: chain.w3.eth.get_block("pending")["timestamp"],
        BatchStore(str(tmp_path / "batches")),
        SubmissionJournal.beside(tmp_path / "receipts"),
        tmp_path / "receipts",
    )


def order(network: Network, path: Path, **changes: Any) -> Submission:
    return Submission(path, network.id, network.model_id, **changes)


def solicited(chain: Chain, network: Network, operator: bytes, nonce: int) -> dict[str, Any]:
    """A line that the first requester has signed for."""
    deadline = chain.now + 600
    request = Request(network.model_id, operator, keccak256(b"in"), REQUESTERS[0], nonce, deadline)
    signature = request.sign(chain.registry.domain, KEY_OF[REQUESTERS[0]])
    return {
        "input": to_hex(b"in"),
        "output": to_hex(b"out"),
        "requester": to_hex(REQUESTERS[0]),
        "nonce": nonce,
        "deadline": deadline,
        "signature": to_hex(signature),
    }


def assert_once(chain: Chain, done: Submitted, count: int) -> None:
    """One commit, and a good receipt for each inference of it."""
    assert list(chain.ledger().batches) == [done.plan.batch.id()]
    receipts = [Receipt.from_json(json.loads(line)) for line in done.receipts.open()]
    assert [receipt.opening.leaf_index for receipt in receipts] == list(range(count))
    for receipt in receipts:
        receipt.check()
        found = chain.registry.status(
            receipt.batch.network_id, receipt.batch.operator, receipt.batch_id, receipt.stamp
        )
        assert found.state is State.OPEN


@pytest.mark.parametrize("crash", ["before", "after"])
def test_submit__crash_at_the_transaction__second_run_commits_once(
    chain: Chain,
    network: Network,
    submitter: Submitter,
    sender: CrashingSender,
    write_lines: WriteLines,
    crash: str,
) -> None:
    wanted = order(network, write_lines())
    sender.crash = crash
    with pytest.raises(Crash):
        submitter.submit(wanted)
    chain.mine(3)

    done = submitter.submit(wanted)

    assert done.sent is (crash == "before")
    assert_once(chain, done, 5)


@pytest.mark.parametrize("place", ["put", "note", "receipts"])
def test_submit__crash_at_the_disk__second_run_commits_once(
    chain: Chain,
    network: Network,
    submitter: Submitter,
    write_lines: WriteLines,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
) -> None:
    def crash(*args: object, **values: object) -> None:
        raise Crash

    wanted = order(network, write_lines())
    with monkeypatch.context() as patch:
        if place == "receipts":
            patch.setattr(lane_module, "write_receipts", crash)
        else:
            patch.setattr(BatchStore if place == "put" else SubmissionJournal, place, crash)
        with pytest.raises(Crash):
            submitter.submit(wanted)
    assert len(chain.ledger().batches) == (place == "receipts")

    assert_once(chain, submitter.submit(wanted), 5)


def test_submit__same_file_again__sends_nothing(
    chain: Chain, network: Network, submitter: Submitter, write_lines: WriteLines
) -> None:
    wanted = order(network, write_lines())
    submitter.submit(wanted)

    done = submitter.submit(wanted)

    assert not done.sent
    assert_once(chain, done, 5)


def test_submit__label__commits_the_file_again(
    chain: Chain, network: Network, submitter: Submitter, write_lines: WriteLines
) -> None:
    path = write_lines()
    first = submitter.submit(order(network, path))

    second = submitter.submit(order(network, path, label="again"))

    assert second.sent
    assert list(chain.ledger().batches) == [first.plan.batch.id(), second.plan.batch.id()]


def test_submit__noted_batch_too_late__commits_a_new_one(
    chain: Chain,
    network: Network,
    submitter: Submitter,
    sender: CrashingSender,
    write_lines: WriteLines,
) -> None:
    wanted = order(network, write_lines())
    sender.crash = "before"
    with pytest.raises(Crash):
        submitter.submit(wanted)
    chain.at(chain.now + network.rules.challenge_window).mine()

    assert_once(chain, submitter.submit(wanted), 5)


def test_submit__index_gone_to_another_batch__commits_under_the_next(
    chain: Chain,
    network: Network,
    operator: bytes,
    submitter: Submitter,
    sender: CrashingSender,
    write_lines: WriteLines,
) -> None:
    wanted = order(network, write_lines())
    sender.crash = "before"
    with pytest.raises(Crash):
        submitter.submit(wanted)
    network.commit(operator)

    done = submitter.submit(wanted)

    assert done.plan.batch.index == 1
    assert network.totals().committed == 10


def test_submit__batch_over_for_an_hour__takes_its_slot(
    chain: Chain,
    network: Network,
    operator: bytes,
    submitter: Submitter,
    write_lines: WriteLines,
) -> None:
    first = network.commit(operator, count=3)
    chain.at(first.closes_at + 3600).mine()

    done = submitter.submit(order(network, write_lines()))

    ledger = chain.ledger()
    assert ledger.batches[first.id].state is State.FINAL
    assert ledger.batches[done.plan.batch.id()].stamp.slot == first.stamp.slot


def test_submit__taken_nonce__names_the_line_and_sends_nothing(
    chain: Chain,
    network: Network,
    operator: bytes,
    submitter: Submitter,
    write_lines: WriteLines,
) -> None:
    submitter.submit(order(network, write_lines(solicited(chain, network, operator, 7))))
    lines = [solicited(chain, network, operator, nonce) for nonce in (6, 7)]

    with pytest.raises(RecordError, match="line 2: .* taken in this lane already"):
        submitter.submit(order(network, write_lines(*lines, name="second.jsonl")))

    assert network.totals().committed == 1


def test_submit__data_of_earlier_batch_missing__warns(
    chain: Chain,
    network: Network,
    operator: bytes,
    submitter: Submitter,
    write_lines: WriteLines,
) -> None:
    network.commit(operator)

    done = submitter.submit(order(network, write_lines(solicited(chain, network, operator, 1))))

    (warning,) = done.plan.warnings
    assert "are not checked" in warning


def test_submit__stake_too_small__sends_nothing(
    chain: Chain,
    network: Network,
    operator: bytes,
    submitter: Submitter,
    write_lines: WriteLines,
) -> None:
    chain.send(operator, "unstake", network.id, network.lane(operator).stake - 54)

    with pytest.raises(SubmitError, match="stake is 54; needed with this batch: 55"):
        submitter.submit(order(network, write_lines()))

    assert network.totals().committed == 0


def test_simulate__good_file__tells_and_sends_nothing(
    chain: Chain, network: Network, submitter: Submitter, write_lines: WriteLines, tmp_path: Path
) -> None:
    prepared = submitter.prepare(order(network, write_lines()))
    gas = submitter.simulate(prepared)

    assert (prepared.plan.batch.count, prepared.stake_needed) == (5, 55)
    assert gas is not None and gas > 21_000
    assert network.totals().committed == 0
    assert not (tmp_path / "batches").exists()
    assert not (tmp_path / "receipts").exists()


def test_submit__parquet__commits_the_rows(
    chain: Chain, network: Network, submitter: Submitter, tmp_path: Path
) -> None:
    path = tmp_path / "inferences.parquet"
    rows = pa.table({"input": [b"a", b"b", b"c"], "output": [b"x", b"y", b"z"]})
    parquet.write_table(rows, path)

    assert_once(chain, submitter.submit(order(network, path)), 3)


def test_submit__two_runs_at_once__one_commit(
    chain: Chain,
    network: Network,
    submitter: Submitter,
    sender: CrashingSender,
    write_lines: WriteLines,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wanted = order(network, write_lines())
    plain = sender.send
    runs: list[Submitted] = []

    def send_after_the_other(call: Call) -> Sent:
        monkeypatch.setattr(sender, "send", plain)
        runs.append(submitter.submit(wanted))
        return plain(call)

    monkeypatch.setattr(sender, "send", send_after_the_other)
    runs.append(submitter.submit(wanted))

    assert {run.plan.batch.id() for run in runs} == set(chain.ledger().batches)
    assert_once(chain, runs[-1], 5)


def test_submit_command__with_evidence__is_graded_in_the_same_transaction(
    chain: Chain, commands: Commands, network: Network, write_lines: WriteLines, tmp_path: Path
) -> None:
    line = [
        *[
            write_lines(),
            "--network-id",
            to_hex(network.id),
            "--model-id",
            to_hex(network.model_id),
        ],
        *["--receipts", tmp_path / "receipts", "--store", tmp_path / "batches"],
    ]
    assert (
        "need each other" in commands.run("submit", *line, "--grade", "enclave", account=2).stderr
    )

    evidence = ["--grade", "enclave", "--evidence", to_hex((1).to_bytes(32, "big"))]
    done = commands.json("submit", *line, *evidence, account=2)

    (record,) = chain.ledger().batches.values()
    assert to_hex(record.id) == done["batch_id"]
    assert record.grade is Grade.ENCLAVE
    assert record.committed.block_number == chain.w3.eth.block_number
