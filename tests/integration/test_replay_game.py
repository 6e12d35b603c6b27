"""A network whose arbiter is a replay game: what is registered, run again, disproved, played by
commands on both sides."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tallystick.demo.digits import quantized
from tallystick.protocol.enums import Cause, State
from tallystick.protocol.hexes import from_hex, to_hex
from tallystick.protocol.rules import model_id
from tallystick.replay.game import GAME_SPEC_ID, GameTrace, game_content_hash
from tests.integration.conftest import Commands, Kill
from tests.support.chain import Chain
from tests.support.plain_qi8 import AVERAGE_POOL, CONVOLUTION, conv, windowed
from tests.support.replay import random_net
from tests.support.replay_game import model_of
from tests.support.replay_play import RULING, WINDOW, Match, Table
from tests.support.story import RULES, Committed, fund, kept, register

OPERATOR, PROVER, LIAR = 2, 4, 6
CREDIT = 1000
MODEL = quantized.load()
SAMPLES = quantized.load_samples(MODEL)[:4]


@pytest.fixture
def table(chain: Chain, operator: bytes, monkeypatch: pytest.MonkeyPatch) -> Table:
    monkeypatch.setenv("TALLYSTICK_REGISTRY", "0x" + chain.registry.address.hex())
    core = chain.w3.to_checksum_address(chain.registry.address)
    arbiter = bytes.fromhex(chain.deploy("ReplayGame", core).address[2:])
    windows = {"response_window": WINDOW, "ruling_window": RULING}
    network = register(chain, chain.accounts[1], arbiter=arbiter, **windows)
    network.join(operator)
    for account in (PROVER, LIAR):
        fund(chain, bytes(20), chain.accounts[account], CREDIT)
    return Table(chain, network, arbiter)


def wrong_step(trace: GameTrace, tensor: int) -> GameTrace:
    """A trace with a lie in one tensor, from which nothing follows."""
    tensors = [tree.data for tree in trace.trees]
    tensors[tensor] = bytes([tensors[tensor][0] ^ 1]) + tensors[tensor][1:]
    return GameTrace.of_tensors(trace.model, tensors)


class Played:
    """A batch that was submitted by the command, and who plays about it."""

    def __init__(
        self, commands: Commands, table: Table, folder: Path, answers: list[dict[str, str]]
    ) -> None:
        self.commands, self.table, self.folder = commands, table, folder
        network = to_hex(table.network.id)
        line = [network, "--name", "digits", "--file", quantized.FILE]
        self.model = commands.json("model register", *line, account=1)["model_id"]
        path = folder / "answers.jsonl"
        path.write_text("".join(json.dumps(answer) + "\n" for answer in answers))
        named = ["--network-id", network, "--model-id", self.model]
        folders = ["--receipts", folder / "receipts", "--store", folder / "batches"]
        done = commands.json("submit", path, *named, *folders, account=OPERATOR)
        self.batch = done["batch_id"]

    @property
    def named(self) -> list[object]:
        return [self.batch, "--model", quantized.FILE, "--store", self.folder / "batches"]

    def disprove(self, *options: object) -> Any:
        return self.commands.json("disprove", *self.named, *options, account=PROVER)

    def defend(self, *options: object, account: int = OPERATOR) -> Any:
        return self.commands.json("defend", *self.named, *options, account=account)

    @property
    def record(self) -> Any:
        return self.table.chain.ledger().batches[from_hex(self.batch)]

    @property
    def committed(self) -> Committed:
        return kept(self.table.chain, self.record, self.folder / "batches")

    @property
    def match(self) -> Match:
        """The game, as whoever is not honest plays it."""
        return self.table.standing(self.committed)

    def answer(self, theirs: GameTrace, ours: GameTrace) -> None:
        """Make the operator's move that is due with a trace of its making."""
        match = self.match
        state = match.state
        if state["phase"] == 1:
            match.answer(theirs, ours)
        else:
            match.show(theirs.show(state["tensor"], state["chunk"]))

    def rejected(self) -> bool:
        """Whether a game has convicted the operator, and the reward is the prover's."""
        record, chain = self.record, self.table.chain
        if record.state is not State.REJECTED:
            return False
        slash = len(SAMPLES) * RULES.stake_per_inference
        assert record.cause is Cause.RULING
        assert self.table.network.credit(chain.accounts[PROVER]) == CREDIT + slash // 2
        return True


Submit = Callable[..., Played]


@pytest.fixture
def submit(commands: Commands, table: Table, tmp_path: Path) -> Submit:
    """Submits the samples' answers; changes of fields by place."""

    def run(changes: dict[int, dict[str, bytes]]) -> Played:
        answers = []
        for place, given in enumerate(SAMPLES):
            trace = GameTrace.of(MODEL, given)
            right = {"input": given, "output": trace.trees[-1].data, "trace_root": trace.trace_root}
            values = right | changes.get(place, {})
            answers.append({name: to_hex(value) for name, value in values.items()})
        return Played(commands, table, tmp_path, answers)

    return run


def test_register__file__is_under_the_games_spec(table: Table, submit: Submit) -> None:
    key = submit({}).model

    content = game_content_hash(MODEL)
    owner = table.chain.accounts[1]
    assert key == to_hex(model_id(table.network.id, owner, content, GAME_SPEC_ID, bytes(32)))


def test_disprove__one_leaf_takes_no_game__that_one_is_disproved(
    commands: Commands, table: Table, submit: Submit
) -> None:
    played = submit({1: {"output": bytes(10)}, 3: {"trace_root": bytes(32)}})
    result = commands.run("replay", *played.named, "--json")
    assert [one["leaf"] for one in json.loads(result.stdout)["mismatches"]] == [1, 3]
    text = commands.error("disprove", *played.named, "--leaf", 0, account=PROVER)
    assert "the answer at leaf 0 is the model's" in text

    played.disprove()

    found = table.chain.registry.archived(from_hex(played.batch))
    assert (found.cause, found.leaf_index) == (Cause.DISPROOF, 3)


def test_disprove__dry_run__tells_moves_and_cost_and_sends_nothing(
    commands: Commands, table: Table, submit: Submit
) -> None:
    played = submit({1: {"output": bytes(10)}})
    before = table.chain.w3.eth.block_number

    text = commands.run("disprove", *played.named, "--dry-run", account=PROVER).stdout

    for word in (
        "open",
        "answer",
        "choose",
        "show",
        "prove",
        "challenger",
        "operator",
        "challenge",
    ):
        assert word in text
    assert table.chain.w3.eth.block_number == before


def lying(tensor: int) -> tuple[GameTrace, GameTrace, dict[int, dict[str, bytes]]]:
    """The true trace of the second sample, one with a lie, and the change of its leaf."""
    true = GameTrace.of(MODEL, SAMPLES[1])
    theirs = wrong_step(true, tensor)
    changes = {"trace_root": theirs.trace_root, "output": theirs.trees[-1].data}
    return true, theirs, {1: changes}


@pytest.mark.parametrize("tensor", [1, -1])
def test_disprove__wrong_tensor__each_run_goes_on_until_it_is_convicted(
    submit: Submit, tensor: int
) -> None:
    true, theirs, changes = lying(tensor)
    played = submit(changes)

    waits = [played.disprove()["waits_for"]]
    played.answer(theirs, true)
    waits.append(played.disprove("--leaf", 1)["waits_for"])
    assert played.disprove()["waits_for"] == "show"
    played.answer(theirs, true)
    done = played.disprove()

    assert (waits, done["state"]) == (["answer", "show"], "rejected")
    assert played.rejected()


def test_disprove__output_of_no_trace__convicted_after_the_operators_own_answer(
    submit: Submit,
) -> None:
    played = submit({1: {"output": bytes(10)}})

    played.disprove()
    assert played.defend()["waits_for"] == "proveOutput"
    played.disprove()

    assert played.rejected()


def test_disprove__operator_is_silent__claimed(table: Table, submit: Submit) -> None:
    played = submit(lying(1)[2])
    until = played.disprove()["until"]
    text = played.commands.error("defend", *played.named, account=OPERATOR)
    assert "leaf 1 has another traceRoot than the model's inference" in text
    table.chain.at(until + 1).mine()

    assert played.disprove()["state"] == "rejected"
    assert played.rejected()


def test_disprove__killed_after_each_transaction__nothing_is_sent_twice(
    table: Table, submit: Submit, kill: Kill
) -> None:
    true, theirs, changes = lying(1)
    played = submit(changes)
    count = table.chain.w3.eth.get_transaction_count
    prover = table.chain.w3.eth.accounts[PROVER]
    before = count(prover)

    kill("disprove", *played.named, account=PROVER)
    kill("disprove", *played.named, account=PROVER)
    assert played.disprove()["waits_for"] == "answer"
    played.answer(theirs, true)
    kill("disprove", *played.named, account=PROVER)
    assert played.disprove()["waits_for"] == "show"
    played.answer(theirs, true)
    kill("disprove", *played.named, account=PROVER)
    assert played.disprove()["sent_by_an_earlier_run"]

    assert count(prover) - before == 4
    assert played.rejected()


def test_disprove__wait__plays_until_the_end(
    submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    true, theirs, changes = lying(1)
    played = submit(changes)
    # Both sides send at once here: time goes as it goes.
    monkeypatch.setattr(Chain, "_tick", lambda self: None)
    answered = []

    def sleep(seconds: float) -> None:
        played.answer(theirs, true)
        answered.append(seconds)

    monkeypatch.setattr("tallystick.ape.games.sleep", sleep)

    assert played.disprove("--wait")["state"] == "rejected"
    assert len(answered) == 2 and played.rejected()


def test_defend__challenger_lies__stake_kept_and_half_the_bond_taken(
    commands: Commands, table: Table, submit: Submit
) -> None:
    played = submit({})
    text = commands.error("defend", *played.named, account=OPERATOR)
    assert "no challenge pending" in text
    true = GameTrace.of(MODEL, SAMPLES[2])
    theirs = wrong_step(true, 1)
    credit = table.network.credit(table.chain.accounts[OPERATOR])
    match = table.challenge(played.committed, table.chain.accounts[LIAR], 2)
    assert played.defend()["waits_for"] == "open"
    told = commands.json("batch", played.batch)
    assert (told["game"]["side"], told["next"][:2]) == ("challenger", ["disprove", "defend"])

    match.open(theirs)
    # Anybody may bring them.
    assert played.defend(account=PROVER)["waits_for"] == "choose"
    match.choose(*theirs.choose(1, true.trees[1].levels[0]))
    until = played.defend()["until"]
    assert played.defend()["waits_for"] == "proveElement"
    table.chain.at(until + 1).mine()

    assert played.defend()["state"] == "open"
    gained = table.network.credit(table.chain.accounts[OPERATOR]) - credit
    assert gained == RULES.challenge_bond // 2
    assert table.network.totals().rejected == 0


def test_disprove__own_challenge_of_a_leaf_that_takes_no_game__disproved(
    table: Table, submit: Submit
) -> None:
    played = submit({1: {"trace_root": bytes(32)}})
    table.challenge(played.committed, table.chain.accounts[PROVER], 1)

    played.disprove()

    assert (played.record.state, played.record.cause) == (State.REJECTED, Cause.DISPROOF)


def test_disprove__others_game_stands__refused_in_a_line(
    commands: Commands, table: Table, submit: Submit
) -> None:
    played = submit({1: {"output": bytes(10)}})
    table.challenge(played.committed, table.chain.accounts[LIAR], 0)

    text = commands.error("disprove", *played.named, account=PROVER)

    assert "leaf 1 takes a game, and a challenge of" in text and "stands" in text


def test_disprove__challenger_was_silent__says_that_it_is_too_late(
    commands: Commands, table: Table, submit: Submit
) -> None:
    true, theirs, changes = lying(1)
    played = submit(changes)
    played.disprove()
    played.answer(theirs, true)
    table.chain.at(played.match.state["due"] + 1).mine()

    text = commands.error("disprove", *played.named, account=PROVER)

    assert "too late: choose was due until" in text


def test_model_register__step_whose_element_has_no_room_in_a_transaction__is_named(
    chain: Chain, commands: Commands, table: Table, tmp_path: Path
) -> None:
    image = (12, 10, 1024)
    records = [
        replace(conv((12, 10, 1), 1024, 1), zw=128),
        windowed(AVERAGE_POOL, image, 1024, image[:2]),
    ]
    in_two = windowed(CONVOLUTION, image, 1024, (4, 5), (4, 5), groups=1024)
    path = tmp_path / "net.qi8"
    line = [to_hex(table.network.id), "--name", "net", "--file", path]

    path.write_bytes(model_of(random_net(records, 1)).to_bytes())
    before = chain.w3.eth.block_number
    text = commands.error("model register", *line, account=1)
    assert (
        f"{path} cannot be played for: step 1 (average pool of 12 x 10 x 1024): the proof" in text
    )
    assert chain.w3.eth.block_number == before

    records[1:] = [replace(in_two, zw=128), windowed(AVERAGE_POOL, (3, 2, 1024), 1024, (3, 2))]
    path.write_bytes(model_of(random_net(records, 1)).to_bytes())
    assert commands.json("model register", *line, account=1)["model_id"]
