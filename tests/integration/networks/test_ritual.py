"""Ritual: a settled call counts by what its output says; the chain's own fields break nothing."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode

from tallystick.networks.adapters.ritual import ENVELOPE, LLM, OUTPUT
from tallystick.networks.state import findings
from tests.integration.networks.conftest import Follower, url_of
from tests.support.chain import Chain
from tests.support.faulty_rpc import Exchange, faulty_rpc
from tests.support.standins import Standin

ONNX = "0x" + "00" * 18 + "0800"


def output(error: bool, wrapped: bool = True) -> str:
    """An executor's answer."""
    said = "out of memory" if error else ""
    inner = encode(OUTPUT, [error, b"completion", b"", said, ("", "", "")])
    return "0x" + (encode(ENVELOPE, [b"input", inner]) if wrapped else inner).hex()


@dataclass
class Ritual:
    """The stand-in, and the fields that its node adds to transactions."""

    chain: Chain
    contract: Standin
    extra: dict[str, dict[str, Any]] = field(default_factory=dict)
    jobs: int = 0

    def add(self, precompile: str = LLM, how: str = "add") -> bytes:
        self.jobs += 1
        job = self.jobs.to_bytes(32, "big")
        self.contract.send(how, job, self.chain.w3.to_checksum_address(precompile))
        return job

    def settle(self, job: bytes, *calls: dict[str, Any], completed: bool = True) -> None:
        """Settle a job: the settlement names the user's transaction, which has the records."""
        self.contract.send("add", b"\xff" * 32, self.chain.w3.to_checksum_address(ONNX))
        user = self._latest()
        self.contract.send("remove", job, completed)
        settlement = self._latest()
        self.extra[user] = {"type": "0x2", "spcCalls": list(calls), "settlementTx": settlement}
        self.extra[settlement] = {"type": "0x12", "originTx": user}

    def answer(self, text: str) -> None:
        """Settle an LLM job with an output."""
        self.settle(self.add(), {"address": LLM, "output": text, "proof": "0x01"})

    def _latest(self) -> str:
        (transaction,) = self.chain.w3.eth.get_block("latest")["transactions"]
        return "0x" + bytes(transaction).hex()

    def bend(self, exchange: Exchange) -> bool:
        """Write the chain's own fields into transactions."""
        for _, answer in exchange.calls:
            found = answer.get("result")
            listed = found.get("transactions", [found]) if isinstance(found, dict) else []
            for one in listed:
                if isinstance(one, dict) and one.get("hash") in self.extra:
                    one |= self.extra[one["hash"]]
        return True


@pytest.fixture
def ritual(chain: Chain) -> Ritual:
    return Ritual(chain, Standin(chain, "Ritual"))


@pytest.fixture
def follower(chain: Chain, ritual: Ritual, tmp_path: Path) -> Iterator[Follower]:
    with faulty_rpc(url_of(chain), ritual.bend) as proxy:
        yield Follower(chain, tmp_path / "data", proxy.url)


def test_follow__answered__is_chain_checked_and_the_proof_is_told_as_unchecked(
    ritual: Ritual, follower: Follower
) -> None:
    ritual.answer(output(False))
    ritual.answer(output(False, wrapped=False))

    state = follower.run("ritual", ritual.contract)

    assert follower.verdicts("ritual") == {("chain-checked", "settled by the validators"): 2}
    assert state.measures == {"executors": 1, "senders": 1, "proofs_not_checked": 2}


def test_follow__settled_though_the_executor_failed__is_rejected(
    ritual: Ritual, follower: Follower
) -> None:
    ritual.answer(output(True))
    ritual.answer(output(True, wrapped=False))

    follower.run("ritual", ritual.contract)

    assert follower.verdicts("ritual") == {("rejected", "settled with an executor's error"): 2}


def test_follow__several_calls_of_one_transaction__each_job_by_the_record_of_its_input(
    ritual: Ritual, follower: Follower
) -> None:
    good, failed = ritual.add(), ritual.add()
    records = [
        {"address": LLM, "input": "0x" + job.hex(), "output": output(job == failed)}
        for job in (good, failed)
    ]
    ritual.settle(good, *records)
    ritual.settle(failed, *records)

    follower.run("ritual", ritual.contract)

    assert follower.verdicts("ritual") == {
        ("chain-checked", "settled by the validators"): 1,
        ("rejected", "settled with an executor's error"): 1,
    }


def test_follow__open_and_dropped__are_told_apart(ritual: Ritual, follower: Follower) -> None:
    ritual.add()
    ritual.settle(ritual.add(), completed=False)

    follower.run("ritual", ritual.contract)

    assert follower.verdicts("ritual") == {
        ("unchecked", "not settled yet"): 1,
        ("rejected", "not completed"): 1,
    }


@pytest.mark.parametrize(
    ("calls", "reason"),
    [
        ([], "settled, but the record of the call was not to be had"),
        (
            [{"address": ONNX, "output": output(False)}],
            "settled, but the record of the call was not to be had",
        ),
        (
            [{"address": LLM, "output": "0x1234"}],
            "settled, but its output is of an unknown form",
        ),
        ([{"address": LLM}], "settled, but its output is of an unknown form"),
    ],
)
def test_follow__record_missing_or_unreadable__is_unseen(
    ritual: Ritual, follower: Follower, calls: list[dict[str, Any]], reason: str
) -> None:
    ritual.settle(ritual.add(), *calls)

    follower.run("ritual", ritual.contract)

    assert follower.verdicts("ritual") == {("unseen", reason): 1}


def test_follow__other_precompiles__are_not_counted(ritual: Ritual, follower: Follower) -> None:
    ritual.settle(ritual.add(ONNX), {"address": ONNX, "output": output(False)})

    follower.run("ritual", ritual.contract)

    assert follower.verdicts("ritual") == {}


def test_follow__form_of_october_2025__counts_beside_todays(
    ritual: Ritual, follower: Follower
) -> None:
    record = {"address": LLM, "output": output(False)}
    ritual.settle(ritual.add(how="addBefore"), record)
    ritual.add(ONNX, how="addBefore")
    ritual.add(how="addBefore")
    ritual.settle(ritual.add(), record)

    state = follower.run("ritual", ritual.contract)

    assert follower.verdicts("ritual") == {
        ("chain-checked", "settled by the validators"): 2,
        ("unchecked", "not settled yet"): 1,
    }
    assert (state.measures["executors"], state.measures["senders"]) == (1, 1)


def test_follow__times_in_milliseconds__days_are_days(
    chain: Chain, ritual: Ritual, tmp_path: Path
) -> None:
    ritual.answer(output(False))

    def bend(exchange: Exchange) -> bool:
        """Count milliseconds, as Ritual's blocks and logs do."""
        ritual.bend(exchange)
        for _, answer in exchange.calls:
            found = answer.get("result")
            for one in found if isinstance(found, list) else [found]:
                for name in ("timestamp", "blockTimestamp"):
                    if isinstance(one, dict) and name in one:
                        one[name] = hex(int(one[name], 16) * 1000 + 7)
        return True

    day = datetime.fromtimestamp(chain.now, UTC).date()
    with faulty_rpc(url_of(chain), bend) as proxy:
        follower = Follower(chain, tmp_path / "ms", proxy.url)
        state = follower.run("ritual", ritual.contract)

    assert not state.failures
    assert findings(follower.root, "ritual")["day"].to_pylist() == [day]
