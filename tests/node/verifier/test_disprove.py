"""A QI8-1 model whose arbiter runs it: wrong leaves are disproved, others' challenges resolved."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tallystick.node.verifier.verifier import Verifier
from tallystick.protocol.abi_words import ZERO32
from tallystick.protocol.enums import Cause, State
from tallystick.protocol.events import ModelRegistered
from tallystick.protocol.hexes import checksummed
from tallystick.protocol.inference import Inference
from tallystick.protocol.keccak import keccak256
from tallystick.replay.client import encode
from tallystick.replay.engine import Engine
from tallystick.replay.evidence import check_model, evidence
from tallystick.replay.importer import import_onnx
from tallystick.replay.model import SPEC_ID, Model
from tallystick.replay.quantize import Types, quantize
from tests.contracts.committee.acts import time_out
from tests.node.verifier.stage import GRIEFER, OPERATOR, RULES, STAKE, Stage, rounds
from tests.support.chain import Chain
from tests.support.committee import Committee, found
from tests.support.nets import digits, mlp
from tests.support.story import Committed, Network, keep, register


@pytest.fixture(scope="module")
def model() -> Model:
    return import_onnx(quantize(mlp(), digits()[:100], list(Types)[0]), digits()[:50], count=8)


@pytest.fixture
def replayed(staged: Stage, model: Model) -> Network:
    """A network that a Replay judges, with the model."""
    chain = staged.chain
    replay = bytes.fromhex(chain.deploy("Replay").address[2:])
    return opened(chain, model, replay)


def opened(chain: Chain, model: Model, replay: bytes, auditors: bytes = bytes(20)) -> Network:
    places = (auditors, bytes(20), bytes(20))
    network = register(chain, chain.accounts[1], arbiter=replay, attestors=places, salt=1, **RULES)
    arguments = (network.id, model.content_hash(), SPEC_ID, ZERO32, "mlp", "mlp.qi8")
    mined = chain.send(chain.accounts[1], "registerModel", *arguments)
    network.model_id = mined.event(ModelRegistered).model_id
    network.join(chain.accounts[OPERATOR], STAKE)
    return network


def commit(staged: Stage, network: Network, model: Model, wrong: int | None) -> Committed:
    inputs = [row.tobytes() for row in encode(model, digits()[:6]).astype(np.uint8)]
    outputs = Engine(model).infer(inputs)
    if wrong is not None:
        outputs[wrong] = bytes([outputs[wrong][0] ^ 1]) + outputs[wrong][1:]

    def filled(leaves: list[Inference]) -> list[Inference]:
        return [
            replace(leaf, input_hash=keccak256(data), output_hash=keccak256(output))
            for leaf, data, output in zip(leaves, inputs, outputs, strict=True)
        ]

    done = network.commit(staged.chain.accounts[OPERATOR], 6, shape=filled)
    done.inputs, done.outputs = inputs, outputs
    keep(staged.store, done)
    return done


def verifier(
    staged: Stage, network: Network, model: Model, folder: Path, **changes: Any
) -> Verifier:
    file = folder / "mlp.qi8"
    file.write_bytes(model.to_bytes())
    source = {"id": "0x" + network.model_id.hex(), "file": str(file), "runner": "qi8"}
    return staged.verifier(models=[source], **changes)


def test_tick__wrong_leaf__disproved_without_a_bond(
    staged: Stage, replayed: Network, model: Model, tmp_path: Path
) -> None:
    batch = commit(staged, replayed, model, wrong=4)
    node = verifier(staged, replayed, model, tmp_path)

    rounds(node)

    record = staged.record(batch)
    assert (record.cause, record.leaf_index) == (Cause.DISPROOF, 4)
    assert node.journal.made() == [("disprove", "mined", 1)]


@pytest.mark.parametrize(("wrong", "state"), [(None, State.OPEN), (4, State.REJECTED)])
def test_tick__challenged__resolved_by_replay(
    staged: Stage, replayed: Network, model: Model, tmp_path: Path, wrong: int | None, state: State
) -> None:
    batch = commit(staged, replayed, model, wrong)
    arguments = batch.batch.abi(), batch.stamp.pack(), batch.opening(2)
    staged.chain.send(staged.chain.accounts[GRIEFER], "challenge", *arguments)
    node = verifier(staged, replayed, model, tmp_path)

    rounds(node)

    record = staged.record(batch)
    assert (record.state, record.dispute) == (state, None)


@pytest.fixture
def lied(staged: Stage, model: Model) -> tuple[Committee, Committed]:
    """A batch with a wrong leaf, and an auditor who signed that all is good."""
    chain = staged.chain
    replay = bytes.fromhex(chain.deploy("Replay").address[2:])
    committee = found(chain, 1, 1, min_drawn=24, arbiter=replay)
    batch = commit(staged, opened(chain, model, replay, committee.address), model, wrong=4)
    evidence = committee.evidence(committee.audit(batch), [0])
    # Through a contract, as a cheat would: the audit is in no transaction's calldata.
    through = chain.deploy("ContractOperator", checksummed(chain.registry.address))
    network_id, operator, *rest = batch.batch.abi()
    named = network_id, checksummed(operator), *rest
    attest = through.functions.attest(named, batch.stamp.pack(), 1, evidence)
    chain.transact(chain.accounts[GRIEFER], attest)
    return committee, batch


def test_tick__cheat_is_first_with_a_timeout__auditors_are_convicted_all_the_same(
    staged: Stage, model: Model, lied: tuple[Committee, Committed], tmp_path: Path
) -> None:
    committee, batch = lied
    network = replace(staged.network, id=batch.batch.network_id, model_id=batch.batch.model_id)
    committees = ["0x" + committee.address.hex()]
    options = {"name": "one", "committees": committees}
    looking = verifier(staged, network, model, tmp_path, dry_run=True, **options)
    rounds(looking)
    assert looking.journal.finding(batch.id).kind == "wrong"
    time_out(batch, staged.chain.accounts[GRIEFER])
    assert staged.record(batch).cause is Cause.TIMEOUT

    node = verifier(staged, network, model, tmp_path, **options)
    rounds(node)

    mined = [move for move in node.journal.made() if move[1] == "mined"]
    assert mined == [("convictOnEvidence", "mined", 1)]
    assert committee.stakes() == [0]


def test_tick__disproved__auditors_are_convicted_by_the_archive(
    staged: Stage, model: Model, lied: tuple[Committee, Committed], tmp_path: Path
) -> None:
    committee, batch = lied
    network = replace(staged.network, id=batch.batch.network_id, model_id=batch.batch.model_id)
    node = verifier(staged, network, model, tmp_path, committees=["0x" + committee.address.hex()])

    rounds(node)

    assert sorted(node.journal.made()) == [("convict", "mined", 1), ("disprove", "mined", 1)]
    assert committee.stakes() == [0]


def test_rerun__another_file__not_run(
    staged: Stage, replayed: Network, model: Model, tmp_path: Path
) -> None:
    batch = commit(staged, replayed, model, wrong=4)
    rows = bytearray(model.rows)
    rows[-1] ^= 1
    other = replace(model, rows=bytes(rows))
    node = verifier(staged, replayed, other, tmp_path)

    node.tick()

    assert node.failures == 1
    assert staged.record(batch).state is State.OPEN
    assert node.journal.finding(batch.id) is None


def test_check_model__another_registrant__refused(model: Model) -> None:
    from tallystick.protocol.rules import model_id
    from tallystick.replay.errors import ModelError

    needed = model_id(bytes(32), bytes(20), model.content_hash(), SPEC_ID, ZERO32)
    check_model(model, bytes(32), bytes(20), ZERO32, needed)
    with pytest.raises(ModelError, match="its id is"):
        check_model(model, bytes(32), b"r" * 20, ZERO32, needed)


def test_evidence__model_and_input__are_opened(model: Model) -> None:
    from eth_abi.abi import decode

    packed = evidence(model, b"n" * 32, b"r" * 20, ZERO32, b"in")
    ((network, registrant, parent, steps, rows, data),) = decode(
        ["(bytes32,address,bytes32,bytes,bytes,bytes)"], packed
    )
    assert (network, registrant, parent) == (b"n" * 32, "0x" + (b"r" * 20).hex(), ZERO32)
    assert (len(steps), rows, data) == (40 * len(model.steps), model.rows, b"in")
