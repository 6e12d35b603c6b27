"""ONNX models of every kind: honest batches are audited, one altered answer is found."""

from pathlib import Path

import numpy as np
import pytest

from tallystick.models.tensors import decode, encode
from tallystick.node.verifier.journal import StoredFinding
from tallystick.node.verifier.verifier import Verifier
from tallystick.protocol.enums import Cause, Grade, State
from tests.node.verifier.stage import GRIEFER, VERIFIERS, Stage, rounds
from tests.support.onnx_kinds import KINDS
from tests.support.story import Committed

CLOSE = "allclose 0.0001 0.00001 1 8"
SPECS = {
    "float classifier": ("output 0 argmax 0.00001 0.0001\n", f"output 0 {CLOSE}\n"),
    "several outputs": (f"output 0 label 1 0.00001 0.0001\noutput 1 {CLOSE}\n",),
    "text classifier": (f"output 0 label 1 0.00001 0.0001\noutput 1 {CLOSE}\n",),
}
SERVED = [(kind, spec) for kind in KINDS for spec in SPECS.get(kind, (f"output 0 {CLOSE}\n",))]


@pytest.mark.parametrize(("kind", "spec"), SERVED)
def test_tick__onnx_model__honest_is_audited_and_one_altered_answer_rejected(
    staged: Stage, tmp_path: Path, kind: str, spec: str
) -> None:
    file = tmp_path / "model.onnx"
    staged.serve(file, KINDS[kind](file), spec)
    if "argmax" in spec:
        staged.alter = reversed_rows(staged)
    # Together or one by one, in whatever order: an answer is the same.
    some = staged.samples[:7]
    assert staged.model.infer(some) == [staged.model.infer([one])[0] for one in some]
    honest, altered = staged.commit(20), staged.commit(20, wrong=[13])
    staged.seeded()

    rounds(*(staged.verifier(number) for number in VERIFIERS))

    assert staged.record(honest).grade is Grade.AUDITED
    record = staged.record(altered)
    assert record.state is State.REJECTED
    archived = staged.chain.registry.archived(altered.id)
    assert (archived.cause, archived.leaf_index) == (Cause.RULING, 13)


@pytest.mark.parametrize(
    ("doubts", "times", "grade"),
    [
        # One leaf may be a little off.
        ([4], 3, Grade.AUDITED),
        # Two may not, of twenty.
        ([4, 11], 3, Grade.UNCHALLENGED),
        # Nor one that is more than half way to wrong.
        ([4], 6, Grade.UNCHALLENGED),
    ],
)
def test_tick__doubtful_answers__are_neither_signed_nor_challenged(
    staged: Stage, tmp_path: Path, doubts: list[int], times: float, grade: Grade
) -> None:
    file = tmp_path / "model.onnx"
    staged.serve(file, KINDS["float classifier"](file), f"output 0 {CLOSE}\n")
    staged.alter = lambda output: moved(staged, output, times)
    batch = staged.commit(20, wrong=doubts)
    staged.seeded()
    verifiers = [staged.verifier(number) for number in VERIFIERS]

    rounds(*verifiers)

    assert (staged.record(batch).state, staged.record(batch).grade) == (State.OPEN, grade)
    for verifier in verifiers:
        found = finding(verifier, batch)
        assert found.kind == ("good" if grade is Grade.AUDITED else "doubtful")
        assert found.doubtful == len(doubts) == verifier.journal.doubtful()
        assert found.note.startswith(f"{len(doubts)} of ")
        assert "output 0, y: allclose" in found.note


def test_tick__doubtful_leaf_is_challenged__nobody_rules(staged: Stage, tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    staged.serve(file, KINDS["float classifier"](file), f"output 0 {CLOSE}\n")
    staged.alter = lambda output: moved(staged, output, 6)
    batch = staged.commit(20, wrong=[4])
    staged.seeded()
    batch.challenge(staged.chain.accounts[GRIEFER], 4)
    verifiers = [staged.verifier(number) for number in VERIFIERS]

    rounds(*verifiers)

    assert staged.record(batch).state is State.DISPUTED
    assert not any(verifier.journal.audits() for verifier in verifiers)
    staged.later(staged.network.rules.ruling_window + 1)
    rounds(*verifiers)
    # Both have their money; the batch is as it was.
    assert staged.record(batch).state is State.OPEN
    assert staged.record(batch).grade is Grade.UNCHALLENGED


def moved(staged: Stage, output: bytes, times: float) -> bytes:
    """An answer moved by so many times what is good."""
    (values,) = decode(staged.model.graph.outputs, output)
    step = 0.00001 + 0.0001 * abs(values.astype(np.float64))
    return encode(staged.model.graph.outputs, [(values + times * step).astype(np.float32)])


def reversed_rows(staged: Stage) -> object:
    def alter(output: bytes) -> bytes:
        (values,) = decode(staged.model.graph.outputs, output)
        return encode(staged.model.graph.outputs, [-values])

    return alter


def finding(verifier: Verifier, batch: Committed) -> StoredFinding:
    found = verifier.journal.finding(batch.id)
    assert found is not None
    return found
