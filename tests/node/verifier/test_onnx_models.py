"""ONNX models of every kind: honest batches are audited, one altered answer is found."""

from pathlib import Path

import pytest

from tallystick.protocol.enums import Cause, Grade, State
from tests.node.verifier.stage import VERIFIERS, Stage, rounds
from tests.support.onnx_kinds import KINDS


@pytest.mark.parametrize("kind", list(KINDS))
def test_tick__onnx_model__honest_is_audited_and_one_altered_answer_rejected(
    staged: Stage, tmp_path: Path, kind: str
) -> None:
    file = tmp_path / "model.onnx"
    staged.serve(file, KINDS[kind](file))
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
