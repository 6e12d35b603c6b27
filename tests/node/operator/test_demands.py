"""Many demands at once: answered in few transactions, without waiting for each other.

together  one transaction for many, by the registry's `each`; one that is refused leaves the others
order     the most urgent first; no more in one transaction than it holds
flight    several nonces at once; a fee that no block takes is raised by an eighth, up to a cap
nonce     taken by another transaction: the answer goes out again
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from web3 import Web3

from tallystick.chain.call import Call
from tallystick.chain.fees import MOST_GAS
from tallystick.chain.follower import Follower
from tallystick.chain.localnet import mine
from tallystick.chain.sender import Web3Sender
from tallystick.chain.signer import KeySigner
from tallystick.node.metrics import Metrics
from tallystick.node.operator.demand_responder import DemandResponder, _Reveal, parts
from tallystick.node.operator.journal import OperatorJournal
from tallystick.node.operator.lane import OperatorLane
from tallystick.node.operator.pipeline import Pipeline
from tallystick.node.settings import OperatorSettings
from tallystick.protocol.enums import State
from tallystick.storage.batch_store import BatchStore
from tests.node.operator.conftest import DEMANDER, OPERATOR, Scene
from tests.support.operator_process import dev_account
from tests.support.story import Committed, keep

GWEI = 10**9


class Respondent:
    """A lane with batches, and what answers the demands of them."""

    def __init__(self, scene: Scene, folder: Path, cap: int = 2000 * GWEI) -> None:
        self.scene = scene
        self.journal = OperatorJournal(
            folder / "journal.sqlite3", scene.network.id, scene.operator, b"here"
        )
        sender, self.metrics = Web3Sender(scene.w3, dev_account(OPERATOR)), Metrics()
        self.lane = OperatorLane(
            OperatorSettings(**scene.settings()["operator"]),
            scene.chain.registry,
            sender,
            Follower(scene.chain.registry),
            self.journal,
            BatchStore(str(folder / "batches")),
            self.metrics,
        )
        signer = KeySigner(dev_account(OPERATOR))
        self.pipeline = Pipeline(scene.w3, signer, folder / "sender.lock", self.metrics, cap)
        self.responder = DemandResponder(self.lane, self.pipeline)
        self.folder = folder

    def commit(self, count: int) -> list[Committed]:
        made = []
        for _ in range(count):
            slot = self.scene.network.lane(self.scene.operator).next_index
            made.append(self.scene.network.commit(self.scene.operator, 3, slot, solicited=True))
            keep(self.folder / "batches", made[-1])
        return made

    def demand(self, *batches: Committed) -> None:
        for one in batches:
            arguments = one.batch.abi(), one.stamp.pack(), 1, True
            self.scene.chain.send(self.scene.chain.accounts[DEMANDER], "demand", *arguments)

    def round(self) -> None:
        self.lane.follower.advance()
        self.responder.answer_demands()

    def states(self) -> list[State]:
        return [one.state for one in self.scene.chain.ledger().batches.values()]

    @property
    def nonce(self) -> int:
        return self.scene.w3.eth.get_transaction_count(dev_account(OPERATOR).address)

    def waiting(self) -> dict[int, Any]:
        """What the node's pool has of the operator, by nonce."""
        found = self.scene.w3.provider.make_request("txpool_content", [])["result"]  # type: ignore[arg-type]
        pool = {**found["pending"], **found["queued"]}
        own = dev_account(OPERATOR).address.lower()
        return {
            int(nonce): one
            for account, transactions in pool.items()
            if account.lower() == own
            for nonce, one in transactions.items()
        }


@pytest.fixture
def respondent(scene: Scene, tmp_path: Path) -> Iterator[Respondent]:
    respondent = Respondent(scene, tmp_path)
    yield respondent
    respondent.journal.close()


@contextmanager
def unmined(scene: Scene) -> Iterator[None]:
    """Have no block come by itself."""
    scene.w3.provider.make_request("evm_setAutomine", [False])  # type: ignore[arg-type]
    try:
        yield
    finally:
        scene.w3.provider.make_request("evm_setAutomine", [True])  # type: ignore[arg-type]
        mine(scene.w3, 1)


def test_answer_demands__many_at_once__one_transaction_answers_all(respondent: Respondent) -> None:
    batches = respondent.commit(12)
    respondent.demand(*batches)
    before = respondent.nonce

    respondent.round()

    assert respondent.states() == [State.OPEN] * 12
    assert respondent.nonce == before + 1
    assert respondent.metrics.answered_demands._value.get() == 12


def test_answer_demands__one_of_many_answered_by_another__the_others_stand(
    respondent: Respondent,
) -> None:
    scene, batches = respondent.scene, respondent.commit(4)
    respondent.demand(*batches)
    respondent.lane.follower.advance()
    calls = {one.record.id: one.call for one in respondent.responder._reveals([])}
    stranger = scene.w3.eth.accounts[8]
    with unmined(scene):
        respondent.round()
        first = calls[batches[1].id]
        tx = {"from": stranger, "to": Web3.to_checksum_address(first.to), "gas": 1_000_000}
        tx |= {"data": "0x" + first.data.hex(), "gasPrice": 900 * GWEI}
        scene.w3.eth.send_transaction(tx)  # type: ignore[arg-type]
        mine(scene.w3, 1)
        respondent.round()

    assert respondent.states() == [State.OPEN] * 4
    assert respondent.metrics.answered_demands._value.get() == 3
    assert respondent.pipeline.flights == ()


def test_answer_demands__no_block_comes__sent_once_until_its_time_is_over(
    respondent: Respondent,
) -> None:
    respondent.demand(*respondent.commit(2))
    with unmined(respondent.scene):
        for _ in range(4):
            respondent.round()
        waiting = respondent.waiting()
        assert len(waiting) == 1 and len(respondent.pipeline.flights) == 1

    respondent.round()
    assert respondent.states() == [State.OPEN] * 2


def test_send__several__consecutive_nonces_in_one_block(respondent: Respondent) -> None:
    respondent.demand(*respondent.commit(5))
    respondent.lane.follower.advance()
    with unmined(respondent.scene):
        for one in respondent.responder._reveals([]):
            respondent.responder._send([one])
        first = respondent.pipeline.flights[0].nonce
        assert [one.nonce for one in respondent.pipeline.flights] == list(range(first, first + 5))
        assert sorted(respondent.waiting()) == list(range(first, first + 5))

    respondent.round()
    assert respondent.states() == [State.OPEN] * 5


def test_settle__fee_too_low_for_long__raised_by_an_eighth_until_a_block_takes_it(
    respondent: Respondent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tallystick.node.operator.pipeline.patience", lambda left, seconds: 0.0)
    respondent.demand(*respondent.commit(2))
    with unmined(respondent.scene):
        respondent.round()
        (before,) = respondent.waiting().values()
        respondent.round()
        (after,) = respondent.waiting().values()
        assert respondent.pipeline.is_stuck
        for name in ("maxFeePerGas", "maxPriorityFeePerGas"):
            assert int(after[name], 16) * 8 >= int(before[name], 16) * 9
        assert after["nonce"] == before["nonce"]

    respondent.round()
    assert respondent.states() == [State.OPEN] * 2
    assert not respondent.pipeline.is_stuck


def test_settle__gas_became_dearer__paid_at_once(respondent: Respondent) -> None:
    w3 = respondent.scene.w3
    respondent.demand(*respondent.commit(2))
    with unmined(respondent.scene):
        respondent.round()
        (flight,) = respondent.pipeline.flights
        dear = hex(3 * flight.fees.most)
        w3.provider.make_request("anvil_setNextBlockBaseFeePerGas", [dear])  # type: ignore[arg-type]
        mine(w3, 1)
        # A node that calls it too cheap is not waited for.
        for _ in range(2):
            respondent.round()
        assert [one.raised for one in respondent.pipeline.flights] == [1]
        mine(w3, 1)
        respondent.round()

    assert respondent.states() == [State.OPEN] * 2


def test_settle__fee_at_its_cap__not_raised_and_said(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tallystick.node.operator.pipeline.patience", lambda left, seconds: 0.0)
    respondent = Respondent(scene, tmp_path, cap=5 * GWEI)
    respondent.demand(*respondent.commit(1))
    with unmined(scene):
        for _ in range(12):
            respondent.round()
        (waiting,) = respondent.waiting().values()
        assert int(waiting["maxFeePerGas"], 16) <= 5 * GWEI
    respondent.round()
    assert respondent.states() == [State.OPEN]
    assert respondent.metrics.failures.labels("fee")._value.get() > 0
    respondent.journal.close()


def test_settle__nonce_taken_by_another_transaction__answered_with_the_next(
    respondent: Respondent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tallystick.node.operator.pipeline._LOST_AFTER", 0.0)
    scene, account = respondent.scene, dev_account(OPERATOR)
    respondent.demand(*respondent.commit(1))
    with unmined(scene):
        respondent.round()
        (flight,) = respondent.pipeline.flights
        fields = {"nonce": flight.nonce, "to": account.address, "value": 0, "gas": 21_000}
        fields |= {"maxFeePerGas": 900 * GWEI, "maxPriorityFeePerGas": 900 * GWEI, "type": 2}
        signed = account.sign_transaction({**fields, "chainId": scene.w3.eth.chain_id})
        scene.w3.eth.send_raw_transaction(signed.raw_transaction)
        mine(scene.w3, 1)
    for _ in range(4):
        respondent.round()

    assert respondent.states() == [State.OPEN]


def test_answer_demands__confirmations_not_there_yet__not_answered_twice(
    scene: Scene, tmp_path: Path
) -> None:
    respondent = Respondent(scene, tmp_path)
    follower = Follower(scene.chain.registry, confirmations=3)
    respondent.lane = replace(respondent.lane, follower=follower)
    respondent.responder = DemandResponder(respondent.lane, respondent.pipeline)
    respondent.demand(*respondent.commit(2))
    mine(scene.w3, 3)
    before = respondent.nonce
    for _ in range(3):
        respondent.round()
    assert respondent.nonce == before + 1
    mine(scene.w3, 3)
    respondent.round()

    assert respondent.nonce == before + 1 and respondent.states() == [State.OPEN] * 2
    respondent.journal.close()


def test_demanded__different_times__the_most_urgent_first(respondent: Respondent) -> None:
    batches = respondent.commit(3)
    for one in (batches[2], batches[0], batches[1]):
        respondent.demand(one)
    respondent.lane.follower.advance()

    found = [one.record.id for one in respondent.responder._reveals([])]

    assert found == [batches[2].id, batches[0].id, batches[1].id]


def reveals(*sizes: tuple[int, int]) -> Iterator[_Reveal]:
    for due, (gas, data) in enumerate(sizes):
        yield _Reveal(None, Call(b"", bytes(data)), gas, due)  # type: ignore[arg-type]


def test_parts__more_than_a_transaction_holds__in_several_and_in_order() -> None:
    by_gas = list(parts(reveals(*[(3_000_000, 100)] * 12), MOST_GAS * 5 // 6))
    by_data = list(parts(reveals(*[(100_000, 40_000)] * 5), MOST_GAS))
    alone = list(parts(reveals((9_000_000, 93_950), (100_000, 100)), MOST_GAS))

    assert [len(part) for part in by_gas] == [4, 4, 4]
    assert [one.due for part in by_gas for one in part] == list(range(12))
    assert [len(part) for part in by_data] == [2, 2, 1]
    assert [len(part) for part in alone] == [1, 1]
