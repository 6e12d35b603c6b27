"""A validator's responses: right to the unit, once each, and read back as opinions.

batch    verified: 100 | rejected: 0 | nobody looked, or not final: none yet
lane     the verified share of all its batches up to one, in percent, rounded down
again    nothing is sent twice, killed in between or not; a dry run sends nothing
others   strangers' hashes and other validators' requests are passed by
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tallystick.protocol.enums import Grade, Ruling
from tallystick.protocol.hexes import checksummed, to_hex
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.validation_opinion import lane_request
from tests.integration.conftest import Commands, Kill
from tests.integration.networks.conftest import Follower
from tests.support.chain import Chain
from tests.support.standins import Standin
from tests.support.story import CREDIT, Committed, Network

AGENT, VALIDATOR, CHALLENGER = 7, 6, 5
YES = int(Ruling.UPHELD).to_bytes(32, "big")
WRONG = int(Ruling.REJECTED).to_bytes(32, "big")


@dataclass
class Scene:
    chain: Chain
    commands: Commands
    network: Network
    operator: bytes
    registry: Standin

    @property
    def validator(self) -> str:
        return checksummed(self.chain.accounts[VALIDATOR])

    def committed(self, count: int, slot: int, grade: Grade | None = None) -> Committed:
        batch = self.network.commit(self.operator, count=count, slot=slot)
        if grade is not None:
            reference = batch.batch.abi(), batch.stamp.pack()
            self.chain.send(self.operator, "attest", *reference, int(grade), YES)
        return batch

    def reject(self, batch: Committed) -> None:
        challenger = self.chain.accounts[CHALLENGER]
        self.network.fund(challenger, CREDIT)
        dispute, _ = batch.challenge(challenger, 1)
        pre_image = batch.pre_image(dispute)
        self.chain.send(challenger, "resolve", pre_image, batch.opening(1)[0], WRONG)

    def finalize(self, *batches: Committed) -> None:
        self.chain.at(max(self.chain.now + 1, *(one.closes_at for one in batches)))
        references = [one.ref for one in batches]
        self.chain.send(self.operator, "finalize", references, self.network.id, self.operator)

    def ask(self, request_hash: bytes, validator: str | None = None) -> None:
        self.registry.send(
            "validationRequest", validator or self.validator, AGENT, "", request_hash
        )

    def words(self, *more: object) -> list[object]:
        at = checksummed(self.registry.address)
        return ["--at", at, "--network-id", to_hex(self.network.id), *more]

    def respond(self, *more: object) -> str:
        line = "validation respond"
        done = self.commands.run(line, *self.words("--json", *more), account=VALIDATOR)
        assert done.exit_code == 0, (done.stderr, done.exception)
        return done.stdout

    def status(self, request_hash: bytes) -> Any:
        return self.registry.contract.functions.getValidationStatus(request_hash).call()

    def responses(self) -> list[tuple[bytes, int]]:
        logs = self.registry.contract.events.ValidationResponse().get_logs(from_block=0)
        return [(bytes(log["args"]["requestHash"]), log["args"]["response"]) for log in logs]


@pytest.fixture
def scene(chain: Chain, commands: Commands, network: Network, operator: bytes) -> Scene:
    return Scene(chain, commands, network, operator, Standin(chain, "ValidationRegistry"))


def test_respond__verified_rejected_and_not_looked_at__by_the_rule_to_the_unit(
    scene: Scene, follower: Follower
) -> None:
    verified = scene.committed(5, 0, Grade.ENCLAVE)
    unseen = scene.committed(3, 1)
    wrong = scene.committed(4, 2)
    scene.reject(wrong)
    scene.finalize(verified, unseen)
    still_open = scene.committed(2, 0)
    for one in (verified, unseen, wrong, still_open):
        scene.ask(one.id)
    asked = {one.id: lane_request(one.id) for one in (verified, unseen, wrong, still_open)}
    for request_hash in asked.values():
        scene.ask(request_hash)

    told = scene.respond()

    assert dict(scene.responses()) == {
        verified.id: 100,
        wrong.id: 0,
        asked[verified.id]: 100,
        asked[unseen.id]: 100 * 5 // 8,
        asked[wrong.id]: 100 * 5 // 12,
    }
    assert told.count("nobody has looked") == 1
    assert told.count("1 of 1 batches are neither final nor rejected") == 1
    assert told.count("1 of 4 batches are neither final nor rejected") == 1
    assert scene.status(verified.id)[4] == "tallystick/batch"
    assert scene.status(asked[wrong.id])[4] == "tallystick/lane"
    summary = scene.registry.contract.functions.getSummary(AGENT, [], "tallystick/lane").call()
    assert summary == [3, (100 + 62 + 41) // 3]
    follower.run("erc8004", scene.registry)
    assert follower.verdicts("erc8004") == {
        ("opinion", "response 100"): 2,
        ("opinion", "response 0"): 1,
        ("opinion", "response 1 to 99"): 2,
        ("unchecked", "no response"): 3,
    }


def test_respond__again_and_later__each_request_is_answered_once(scene: Scene) -> None:
    first, second = scene.committed(5, 0, Grade.AUDITED), scene.committed(5, 1, Grade.AUDITED)
    for one in (first, second):
        scene.ask(one.id)
    scene.finalize(first)

    scene.respond()
    assert "neither final nor rejected" in scene.respond()
    assert scene.responses() == [(first.id, 100)]
    scene.finalize(second)
    scene.respond()

    assert scene.responses() == [(first.id, 100), (second.id, 100)]
    assert "nothing waits" in scene.respond()


def test_respond__killed_behind_the_first__the_second_run_sends_the_rest(
    scene: Scene, kill: Kill
) -> None:
    batches = [scene.committed(5, slot, Grade.PROVEN) for slot in range(3)]
    for one in batches:
        scene.ask(one.id)
    scene.finalize(*batches)

    kill("validation respond", *scene.words(), account=VALIDATOR)
    scene.respond()

    assert scene.responses() == [(one.id, 100) for one in batches]


def test_respond__dry_run_or_limit__sends_nothing_or_so_many(scene: Scene) -> None:
    batches = [scene.committed(5, slot, Grade.PROVEN) for slot in range(3)]
    for one in batches:
        scene.ask(one.id)
    scene.finalize(*batches)

    assert scene.respond("--dry-run").count("dry_run") == 3
    assert scene.responses() == []
    scene.respond("--limit", 2)

    assert len(scene.responses()) == 2


def test_respond__reports__are_what_their_hashes_say(scene: Scene, tmp_path: Path) -> None:
    batch = scene.committed(5, 0, Grade.ENCLAVE)
    scene.ask(batch.id)
    scene.finalize(batch)

    scene.respond("--reports", tmp_path / "reports", "--uri", "https://here.example/reports/")

    name = f"{to_hex(batch.id)}.json"
    report = (tmp_path / "reports" / name).read_bytes()
    assert scene.status(batch.id)[3] == keccak256(report)
    (log,) = scene.registry.contract.events.ValidationResponse().get_logs(from_block=0)
    assert log["args"]["responseURI"] == f"https://here.example/reports/{name}"


def test_respond__strangers_and_others__are_passed_by(scene: Scene) -> None:
    batch = scene.committed(5, 0, Grade.ENCLAVE)
    scene.ask(b"s" * 32)
    scene.ask(batch.id, checksummed(scene.chain.accounts[4]))
    scene.finalize(batch)

    assert "nothing waits" in scene.respond()
    assert scene.responses() == []


def test_request__by_the_command__is_what_the_validator_finds(scene: Scene) -> None:
    batch = scene.committed(5, 0, Grade.ENCLAVE)
    scene.finalize(batch)
    words = ["--at", checksummed(scene.registry.address), "--agent-id", AGENT]
    words += ["--validator", scene.validator]
    scene.commands.json("validation request", to_hex(batch.id), *words, account=2)
    scene.commands.json("validation request", to_hex(batch.id), *words, "--lane", account=2)

    scene.respond()

    assert scene.responses() == [(batch.id, 100), (lane_request(batch.id), 100)]


def test_respond__wrong_words__are_one_line(scene: Scene, chain: Chain) -> None:
    line, network = "validation respond", to_hex(scene.network.id)
    here = checksummed(scene.registry.address)

    def error(*words: object) -> str:
        return scene.commands.error(line, *words, account=VALIDATOR)

    nowhere = checksummed(chain.accounts[9])
    assert "no ERC-8004 validation registry" in error("--at", nowhere, "--network-id", network)
    assert "no network" in error("--at", here, "--network-id", "0x" + "11" * 32)
    assert "needed: --reports" in error("--at", here, "--network-id", network, "--uri", "https://x")
