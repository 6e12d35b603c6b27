"""A command that was killed after a block took its transaction succeeds when it is run again, once.

refused by now: what is done to a batch | several transactions: none goes twice | a deployment
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
from web3 import Web3

from tallystick.ape.errands import errand_key
from tallystick.cli.session import Session
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.inference import Inference
from tests.integration.conftest import Commands, Kill, Killed
from tests.support.chain import Chain
from tests.support.pool import CREDIT, deploy
from tests.support.story import Committed, Network, keep

OWNER, OPERATOR, CHALLENGER, STRANGER = 1, 2, 5, 6


class Scene(NamedTuple):
    """Where a command is run."""

    chain: Chain
    network: Network
    operator: bytes
    folder: Path
    commands: Commands

    def committed(self) -> Committed:
        batch = self.network.commit(self.operator)
        keep(self.folder, batch)
        self.network.fund(self.chain.accounts[CHALLENGER])
        return batch

    def disputed(self, name: str, *more: object) -> Committed:
        batch = self.committed()
        leaf = batch.opening(1) if name == "challenge" else 1
        challenger = self.chain.accounts[CHALLENGER]
        self.chain.send(challenger, name, batch.batch.abi(), batch.stamp.pack(), leaf, *more)
        return batch

    def later(self, seconds: int) -> None:
        self.chain.at(self.chain.now + seconds + 1).mine()


@pytest.fixture
def scene(
    chain: Chain, network: Network, operator: bytes, commands: Commands, tmp_path: Path
) -> Scene:
    return Scene(chain, network, operator, tmp_path / "batches", commands)


Words = tuple[str, list[object], int]
ACCEPT, REJECT = ("0x" + value.to_bytes(32, "big").hex() for value in (1, 2))


def finalize(scene: Scene) -> Words:
    batch = scene.committed()
    scene.later(scene.network.rules.challenge_window)
    return "finalize", [to_hex(batch.id)], STRANGER


def archive(scene: Scene) -> Words:
    batch = scene.network.final(scene.operator)
    return "archive", [to_hex(batch.id)], STRANGER


def attest(scene: Scene) -> Words:
    batch = to_hex(scene.committed().id)
    return "attest", [batch, "--grade", "audited", "--evidence", ACCEPT], STRANGER


def demand(scene: Scene) -> Words:
    return "demand", [to_hex(scene.committed().id), "--leaf", 2], CHALLENGER


def challenge(scene: Scene) -> Words:
    batch = to_hex(scene.committed().id)
    return "challenge", [batch, "--leaf", 2, "--store", scene.folder], CHALLENGER


def reveal(scene: Scene) -> Words:
    batch = scene.disputed("demand", False)
    return "reveal", [to_hex(batch.id), "--store", scene.folder], OPERATOR


def resolve(scene: Scene) -> Words:
    batch = to_hex(scene.disputed("challenge").id)
    return "resolve", [batch, "--store", scene.folder, "--evidence", ACCEPT], STRANGER


def timeout(scene: Scene) -> Words:
    batch = scene.disputed("demand", False)
    scene.later(scene.network.rules.response_window)
    return "timeout", [to_hex(batch.id)], STRANGER


def lapse(scene: Scene) -> Words:
    batch = scene.disputed("challenge")
    scene.later(scene.network.rules.ruling_window)
    return "lapse", [to_hex(batch.id)], STRANGER


def disprove(scene: Scene) -> Words:
    batch = [to_hex(scene.committed().id), "--leaf", 2, "--store", scene.folder]
    return "disprove", [*batch, "--evidence", REJECT], STRANGER


def fault(scene: Scene) -> Words:
    def swapped(leaves: list[Inference]) -> list[Inference]:
        first, second, *rest = leaves
        return [replace(first, nonce=second.nonce), replace(second, nonce=first.nonce), *rest]

    batch = scene.network.commit(scene.operator, shape=swapped)
    keep(scene.folder, batch)
    return "fault", [to_hex(batch.id), "--store", scene.folder], STRANGER


def withdraw(scene: Scene) -> Words:
    free = scene.network.lane(scene.operator).stake
    return "stake withdraw", [to_hex(scene.network.id), free], OPERATOR


def enroll(scene: Scene) -> Words:
    pool = deploy(scene.chain)
    pool.fund(scene.chain.accounts[STRANGER])
    return "pool enroll", [to_hex(pool.address), 3], STRANGER


def fund(scene: Scene) -> Words:
    pool = deploy(scene.chain)
    pool.fund(scene.chain.accounts[STRANGER])
    return "pool fund", [to_hex(pool.address), CREDIT], STRANGER


def notice(scene: Scene) -> Words:
    line, (address, amount), account = fund(scene)
    scene.commands.json(line, address, amount, account=account)
    return "pool notice", [address], account


@pytest.mark.parametrize(
    "prepare",
    [
        *(finalize, archive, attest, demand, challenge, reveal, resolve, timeout, lapse),
        *(disprove, fault, withdraw, enroll, fund, notice),
    ],
)
def test_command__killed_once_its_transaction_was_mined__succeeds_once(
    scene: Scene, commands: Commands, kill: Kill, prepare: Callable[[Scene], Words]
) -> None:
    line, words, account = prepare(scene)
    kill(line, *words, account=account)
    before = sent_by(scene.chain, account)

    again = commands.run(line, *words, "--json", account=account)
    after = sent_by(scene.chain, account)
    third = commands.run(line, *words, "--json", account=account)

    assert again.exit_code == 0, again.stderr
    told, _ = json.JSONDecoder().raw_decode(again.stdout)
    assert told["sent_by_an_earlier_run"] is True
    receipt = scene.chain.w3.eth.get_transaction_receipt(told["transaction"])
    assert (receipt["status"], receipt["blockNumber"]) == (1, told["block"])
    # A withdrawal goes on with its second transaction.
    assert after - before == (1 if prepare is withdraw else 0)
    assert third.exit_code == 1 and third.stderr.startswith("error: "), third.stdout
    assert sent_by(scene.chain, account) == after


def test_finalize__killed_and_refused__tells_what_it_was_about(
    scene: Scene, commands: Commands, kill: Kill
) -> None:
    line, words, account = finalize(scene)
    kill(line, *words, account=account)

    told = commands.json(line, *words, account=account)

    assert told["move"] == "finalize" and told["batch_ids"] == words


def test_demand__refused_for_another_leaf__is_not_taken_for_the_earlier_one(
    scene: Scene, commands: Commands, kill: Kill
) -> None:
    line, words, account = demand(scene)
    kill(line, *words, account=account)

    text = commands.error(line, words[0], "--leaf", 3, account=account)

    assert "is disputed" in text


@pytest.mark.parametrize("after", [1, 2])
def test_deposit__killed_at_either_transaction__is_paid_once(
    scene: Scene, commands: Commands, kill: Kill, after: int
) -> None:
    before = scene.network.lane(scene.operator).stake
    credit = scene.network.credit(scene.operator)
    words = to_hex(scene.network.id), 1000
    kill("stake deposit", *words, account=OPERATOR, after=after)

    commands.json("stake deposit", *words, account=OPERATOR)

    assert scene.network.lane(scene.operator).stake == before + 1000
    assert scene.network.credit(scene.operator) == credit
    commands.json("stake deposit", *words, account=OPERATOR)
    assert scene.network.lane(scene.operator).stake == before + 2000


def test_deposit__killed_between_its_transactions__is_paid_once(
    scene: Scene, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = scene.network.lane(scene.operator).stake
    credit = scene.network.credit(scene.operator)
    words = to_hex(scene.network.id), 1000

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Session, "_tell", killed)
        with pytest.raises(Killed):
            commands.run("stake deposit", *words, account=OPERATOR)
    commands.json("stake deposit", *words, account=OPERATOR)

    assert scene.network.lane(scene.operator).stake == before + 1000
    assert scene.network.credit(scene.operator) == credit


def test_deploy__killed_once_it_was_mined__records_its_block(
    chain: Chain, commands: Commands, kill: Kill
) -> None:
    kill("deploy --replay", account=OWNER)
    mined = chain.w3.eth.block_number
    chain.mine()

    told = commands.json("deploy --replay", account=OWNER)

    assert told["block"] == mined


def test_errand_key__file_was_changed__is_another(tmp_path: Path) -> None:
    file = tmp_path / "receipts.jsonl"
    file.write_text("one")
    before = errand_key("demand", None, {"batch": str(file)})
    assert errand_key("demand", None, {"batch": str(file)}) == before

    file.write_text("another")

    assert errand_key("demand", None, {"batch": str(file)}) != before
    assert errand_key("demand", b"r" * 20, {"batch": "b"}) != errand_key(
        "demand", None, {"batch": "b"}
    )


def sent_by(chain: Chain, account: int) -> int:
    address = Web3.to_checksum_address(chain.accounts[account])
    return chain.w3.eth.get_transaction_count(address)
