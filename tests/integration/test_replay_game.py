"""A network whose arbiter is a replay game: what is registered, run again, disproved."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tallystick.demo.digits import quantized
from tallystick.protocol.enums import Cause
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.rules import model_id
from tallystick.replay.game import GAME_SPEC_ID, GameTrace, game_content_hash
from tests.integration.conftest import Commands
from tests.support.chain import Chain
from tests.support.plain_qi8 import AVERAGE_POOL, CONVOLUTION, conv, windowed
from tests.support.replay import random_net
from tests.support.replay_game import model_of
from tests.support.replay_play import RULING, WINDOW
from tests.support.story import Network, register

OPERATOR, PROVER = 2, 4


@pytest.fixture
def played(chain: Chain, operator: bytes, monkeypatch: pytest.MonkeyPatch) -> Network:
    monkeypatch.setenv("TALLYSTICK_REGISTRY", "0x" + chain.registry.address.hex())
    core = chain.w3.to_checksum_address(chain.registry.address)
    arbiter = bytes.fromhex(chain.deploy("ReplayGame", core).address[2:])
    windows = {"response_window": WINDOW, "ruling_window": RULING}
    network = register(chain, chain.accounts[1], arbiter=arbiter, **windows)
    network.join(operator)
    return network


def test_game_network__wrong_leaves__are_named_and_disproved_or_their_moves_told(
    chain: Chain, commands: Commands, played: Network, tmp_path: Path
) -> None:
    line = [to_hex(played.id), "--name", "digits", "--file", quantized.FILE]
    key = commands.json("model register", *line, account=1)["model_id"]
    model = quantized.load()
    content = game_content_hash(model)
    assert key == to_hex(model_id(played.id, chain.accounts[1], content, GAME_SPEC_ID, bytes(32)))

    samples = quantized.load_samples(model)[:4]
    answers = []
    for place, given in enumerate(samples):
        trace = GameTrace.of(model, given)
        root, output = trace.trace_root, trace.trees[-1].data
        if place == 1:
            output = output[::-1]
        if place > 1:
            root = bytes(32) if place == 3 else bytes([root[0] ^ 1]) + root[1:]
        hexes = {"input": given, "output": output, "trace_root": root}
        answers.append({name: to_hex(value) for name, value in hexes.items()})
    path = tmp_path / "answers.jsonl"
    path.write_text("".join(json.dumps(answer) + "\n" for answer in answers))
    options = ["--network-id", to_hex(played.id), "--model-id", key]
    folders = ["--receipts", tmp_path / "receipts", "--store", tmp_path / "batches"]
    batch = commands.json("submit", path, *options, *folders, account=OPERATOR)["batch_id"]

    named = ["--model", quantized.FILE, "--store", tmp_path / "batches"]
    result = commands.run("replay", batch, *named, "--json")
    wrong = [one["leaf"] for one in json.loads(result.stdout)["mismatches"]]
    assert wrong == [1, 2, 3]

    before = chain.w3.eth.block_number
    for leaf in (1, 2):
        text = commands.error("disprove", batch, *named, "--leaf", leaf, account=PROVER)
        assert f"leaf {leaf} is wrong, and no transaction alone proves it" in text
        for move in ("open (challenger", "answer (operator", "choose", "show", "prove"):
            assert move in text
    text = commands.error("disprove", batch, *named, "--leaf", 0, account=PROVER)
    assert "the answer at leaf 0 is the model's" in text
    assert chain.w3.eth.block_number == before

    commands.json("disprove", batch, *named, "--leaf", 3, account=PROVER)
    found = chain.registry.archived(bytes.fromhex(batch[2:]))
    assert (found.cause, found.leaf_index) == (Cause.DISPROOF, 3)


def test_model_register__step_whose_element_has_no_room_in_a_transaction__is_named(
    chain: Chain, commands: Commands, played: Network, tmp_path: Path
) -> None:
    image = (12, 10, 1024)
    records = [
        replace(conv((12, 10, 1), 1024, 1), zw=128),
        windowed(AVERAGE_POOL, image, 1024, image[:2]),
    ]
    in_two = windowed(CONVOLUTION, image, 1024, (4, 5), (4, 5), groups=1024)
    path = tmp_path / "net.qi8"
    line = [to_hex(played.id), "--name", "net", "--file", path]

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
