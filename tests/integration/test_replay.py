"""A wrong answer found by running the batch again, and proved wrong in one transaction."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from tallystick.demo.digits import model as floating
from tallystick.demo.digits import quantized
from tallystick.protocol.enums import Cause, State
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.rules import model_id
from tallystick.replay.engine import Engine
from tallystick.replay.model import SPEC_ID, Model
from tallystick.replay.step import Step, StepKind
from tests.integration.conftest import Commands
from tests.node.verifier.bad_store import bad_store
from tests.support.chain import Chain
from tests.support.story import RULES, Network, register

OPERATOR, PROVER = 2, 4


@pytest.fixture
def replayed(chain: Chain, operator: bytes, monkeypatch: pytest.MonkeyPatch) -> Network:
    """A network whose arbiter is a Replay."""
    monkeypatch.setenv("TALLYSTICK_REGISTRY", "0x" + chain.registry.address.hex())
    arbiter = bytes.fromhex(chain.deploy("Replay").address[2:])
    network = register(chain, chain.accounts[1], RULES, arbiter=arbiter)
    network.join(operator)
    return network


@pytest.fixture
def submit(
    chain: Chain, commands: Commands, replayed: Network, tmp_path: Path
) -> Callable[..., str]:
    """Registers the digits model, submits answers, and returns the batch's id."""
    line = ["--name", "digits", "--file", quantized.FILE]
    owner = {"account": 1}
    key = commands.json("model register", to_hex(replayed.id), *line, **owner)["model_id"]
    model = quantized.load()
    content = model.content_hash()
    assert key == to_hex(model_id(replayed.id, chain.accounts[1], content, SPEC_ID, bytes(32)))
    samples = quantized.load_samples(model)[:6]
    outputs = Engine(model).infer(samples)

    def run(wrong: int | None = None) -> str:
        answers = [
            {"input": to_hex(given), "output": to_hex(out[::-1] if place == wrong else out)}
            for place, (given, out) in enumerate(zip(samples, outputs, strict=True))
        ]
        path = tmp_path / f"{wrong}.jsonl"
        path.write_text("".join(json.dumps(answer) + "\n" for answer in answers))
        options = ["--network-id", to_hex(replayed.id), "--model-id", key]
        folders = ["--receipts", tmp_path / "receipts", "--store", tmp_path / "batches"]
        done = commands.json("submit", path, *options, *folders, account=OPERATOR)
        return str(done["batch_id"])

    return run


def named(tmp_path: Path) -> list[object]:
    return ["--model", quantized.FILE, "--store", tmp_path / "batches"]


def test_replay__wrong_answer__is_named_and_disproved(
    chain: Chain, commands: Commands, submit: Callable[..., str], tmp_path: Path
) -> None:
    batch = submit(wrong=4)

    result = commands.run("replay", batch, *named(tmp_path), "--json")
    assert result.exit_code == 1 and "1 of 6 answers are not the model's" in result.stderr
    (mismatch,) = json.loads(result.stdout)["mismatches"]
    assert mismatch["leaf"] == 4

    dry = commands.json("disprove", batch, *named(tmp_path), "--dry-run", account=PROVER)
    assert dry["leaf_index"] == 4 and dry["gas"] < 1_100_000
    commands.json("disprove", batch, *named(tmp_path), account=PROVER)

    found = chain.registry.archived(bytes.fromhex(batch[2:]))
    assert (found.state, found.cause, found.leaf_index) == (State.REJECTED, Cause.DISPROOF, 4)


def test_replay__right_answers__cannot_be_disproved(
    commands: Commands, submit: Callable[..., str], tmp_path: Path
) -> None:
    batch = submit()

    assert commands.json("replay", batch, *named(tmp_path))["wrong"] == 0
    text = commands.error("disprove", batch, *named(tmp_path), account=PROVER)
    assert "every answer is the model's" in text
    text = commands.error("disprove", batch, *named(tmp_path), "--leaf", 2, account=PROVER)
    assert "the answer at leaf 2 is the model's" in text


def test_replay__another_model__is_refused(
    commands: Commands, submit: Callable[..., str], tmp_path: Path
) -> None:
    model = quantized.load()
    rows = bytearray(model.rows)
    rows[-1] ^= 1
    other = tmp_path / "other.qi8"
    other.write_bytes(type(model)(**{**_fields(model), "rows": bytes(rows)}).to_bytes())
    batch = submit()

    line = ["--model", other, "--store", tmp_path / "batches"]
    assert "its id is" in commands.error("replay", batch, *line)
    assert "needed: either --model" in commands.error("disprove", batch, account=PROVER)


def _fields(model: object) -> dict[str, object]:
    from dataclasses import fields

    return {field.name: getattr(model, field.name) for field in fields(model)}  # type: ignore[arg-type]


def test_model_import__float_digits__is_the_committed_model(
    commands: Commands, tmp_path: Path
) -> None:
    from tallystick.demo.digits.train import split

    samples, target = tmp_path / "samples.npy", tmp_path / "digits.qi8"
    np.save(samples, quantized.images()[split()[0][: quantized.CALIBRATION]])

    result = commands.plain(
        "model import", floating.FILE, target, "--samples", samples, "--quantize", "--json"
    )

    assert result["replayable_in_one_transaction"] is True
    assert target.read_bytes() == quantized.FILE.read_bytes()


def test_model_import__float_operators__are_refused_by_node(
    commands: Commands, tmp_path: Path
) -> None:
    samples, target = tmp_path / "samples.npy", tmp_path / "digits.qi8"
    np.save(samples, quantized.images()[:4])

    text = commands.refused("model import", floating.FILE, target, "--samples", samples)

    assert text.startswith("error: Conv c1: a float operator") and "instead: " in text
    assert not target.exists()


def test_model_register__too_large_to_replay__says_why(
    chain: Chain, commands: Commands, replayed: Network, tmp_path: Path
) -> None:
    from tallystick.replay.importer import import_onnx
    from tallystick.replay.quantize import quantize

    weights = np.random.default_rng(1).normal(size=(2000, 70)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "large",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["n", 2000])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["n", 70])],
        [onnx.numpy_helper.from_array(weights, "w")],
    )
    source = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    inputs = np.random.default_rng(2).random((8, 2000), np.float32)
    path = tmp_path / "large.qi8"
    path.write_bytes(import_onnx(quantize(source, inputs), inputs, count=4).to_bytes())

    line = [to_hex(replayed.id), "--name", "large", "--file", path]
    text = commands.error("model register", *line, account=1)

    assert "cannot be replayed: its proof is about" in text


@pytest.mark.parametrize("side", [24, 60])
def test_model_register__many_small_sums__the_arbiter_says_whether_they_fit(
    commands: Commands, replayed: Network, tmp_path: Path, side: int
) -> None:
    """Its proof is short, and its sums cost far more than their products."""
    channels = 8
    depthwise = Step(
        StepKind.CONV, side, side, channels, side - 2, side - 2, channels, 3, 3, 1, 1,
        groups=channels, k=9, hi=255,
    )  # fmt: skip
    half = np.float32(0.5).view(np.uint32)
    row = (0).to_bytes(8, "big") + int(half).to_bytes(4, "big") + bytes(9)
    path = tmp_path / "depthwise.qi8"
    path.write_bytes(Model((depthwise,), row * channels).to_bytes())

    line = [to_hex(replayed.id), "--name", "depthwise", "--file", path]
    if side == 24:
        assert commands.json("model register", *line, account=1)["model_id"]
    else:
        text = commands.error("model register", *line, account=1)
        assert "cannot be replayed: its arbiter does not run it with 16,627,216 gas" in text


def test_model_register__larger_than_a_demand_may_ask_for__says_both_sizes(
    chain: Chain, commands: Commands, replayed: Network
) -> None:
    arbiter = replayed.rules.arbiter
    for number, (most, size) in enumerate(((73, 74), (74, 74), (0, 74))):
        network = register(
            chain, chain.accounts[1], RULES, arbiter=arbiter, max_bytes=most, salt=number + 7
        )
        line = [to_hex(network.id), "--name", "digits", "--file", quantized.FILE]
        if 0 < most < size:
            text = commands.error("model register", *line, account=1)
            assert "has 74 bytes of input and output; the network lets at most 73" in text
        else:
            assert commands.json("model register", *line, account=1)["model_id"]


def test_replay__batch_that_its_operator_pruned__one_line(
    commands: Commands, submit: Callable[..., str]
) -> None:
    batch = submit()

    with bad_store("pruned") as url:
        line = commands.error("replay", batch, "--model", quantized.FILE, "--store", url)

    assert line.startswith(f"error: {url} has pruned batch ")
