"""A committee's nodes on batches of a zk model: run again by the circuit; a proven one stays.

tick: no grade, honest | no grade, one answer altered
proven, honest | proven, and wrong here: said, and not challenged
another circuit's folder: left alone, with the reason
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tallystick.node.runner import load
from tallystick.protocol.abi_words import ZERO32, uint
from tallystick.protocol.enums import Grade, State
from tallystick.protocol.events import ModelRegistered
from tallystick.protocol.proof import SPEC_ID
from tests.node.verifier.conftest import shared_chain
from tests.node.verifier.stage import VERIFIERS, LiveChain, Stage, rounds, stage
from tests.support.enclave import address_of
from tests.support.story import Committed
from tests.zk.conftest import Proven

__all__ = ["shared_chain"]


@pytest.fixture
def staged(shared_chain: LiveChain, proven: Proven, tmp_path: Path) -> Iterator[Stage]:
    """Whose attestor of Proven takes anything: what it grades need not be right."""
    with shared_chain.isolated():
        anything = address_of(shared_chain.deploy("MockResolver"))
        found = stage(shared_chain, tmp_path, prover=anything)
        hashes = proven.model.circuit.content_hash(), SPEC_ID, ZERO32
        owner = shared_chain.accounts[1]
        mined = shared_chain.send(owner, "registerModel", found.network.id, *hashes, "zk", "")
        found.network.model_id = mined.event(ModelRegistered).model_id
        found.model = load("zk", proven.model.folder)
        found.source = {"file": str(proven.model.folder), "runner": "zk"}
        yield found


def graded(staged: Stage, batch: Committed) -> Committed:
    arguments = batch.batch.abi(), batch.stamp.pack(), int(Grade.PROVEN), uint(1)
    staged.chain.send(batch.batch.operator, "attest", *arguments)
    return batch


def test_tick__batch_without_a_grade__is_run_again_by_the_circuit(staged: Stage) -> None:
    honest, altered = staged.commit(4), staged.commit(4, wrong=[2])
    staged.seeded()

    rounds(*(staged.verifier(number) for number in VERIFIERS))

    assert staged.record(honest).grade is Grade.AUDITED
    assert staged.record(altered).state is State.REJECTED


def test_tick__proven_batch__stays_whatever_is_found(
    staged: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    honest = graded(staged, staged.commit(4))
    wrong = graded(staged, staged.commit(4, wrong=[1]))
    staged.seeded()
    verifiers = [staged.verifier(number) for number in VERIFIERS]
    sent = [staged.sent(number) for number in VERIFIERS]

    rounds(*verifiers)

    for batch in (honest, wrong):
        record = staged.record(batch)
        assert (record.state, record.grade) == (State.OPEN, Grade.PROVEN)
    assert [staged.sent(number) for number in VERIFIERS] == sent
    found = [verifier.journal.finding(wrong.id) for verifier in verifiers]
    assert all(one is not None and one.kind == "wrong" for one in found)
    told = capsys.readouterr().out
    assert told.count("proven, but wrong here") == len(VERIFIERS)


def test_tick__no_folder_of_the_circuit__leaves_the_batch_with_the_reason(
    staged: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    batch = staged.commit(2)
    staged.seeded()
    staged.source["file"] = str(tmp_path / "none")

    rounds(staged.verifier())

    assert staged.record(batch).state is State.OPEN
    assert "its setup was not finished" in capsys.readouterr().out
