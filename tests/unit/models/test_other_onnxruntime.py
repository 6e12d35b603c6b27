"""A second opinion by a real other version of onnxruntime."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from tallystick.demo.digits.model import FILE, load_samples
from tallystick.models.apart import PLAIN, Kernel, run_apart
from tallystick.models.calibration import Calibration, usual_rules
from tallystick.models.runner import OnnxModel
from tallystick.models.spec import OnnxSpec
from tallystick.node.runner import Judge, Runner, load_onnx
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.verdicts import Verdict
from tests.support.other_onnxruntime import VERSION, other_onnxruntime

INPUTS = [
    (np.frombuffer(one, np.uint8) / 16).astype("<f4").tobytes() for one in load_samples()[:32]
]


@pytest.fixture(scope="module")
def other() -> Kernel:
    return Kernel(python=str(other_onnxruntime()))


@pytest.fixture
def verifier(tmp_path: Path, other: Kernel) -> tuple[Runner, Judge]:
    """The digits under thresholds that were measured with both versions."""
    model = OnnxModel(FILE)
    own = model.infer(INPUTS)
    rules = usual_rules(model.graph, own, {})
    calibration = Calibration(FILE, model.graph, INPUTS, own, rules)
    measured = [calibration.measure(kernel) for kernel in (other, PLAIN)]
    assert [one.version for one in measured] == [VERSION, onnxruntime.__version__]
    text = OnnxSpec(calibration.thresholds(measured)).text.encode()
    spec = tmp_path / "spec.txt"
    spec.write_bytes(text)
    return load_onnx(FILE, spec, keccak256(text), second=other.python)


def test_judge__operator_with_the_other_version__is_good(
    verifier: tuple[Runner, Judge], other: Kernel
) -> None:
    runner, judging = verifier
    claimed = run_apart(FILE, OnnxModel(FILE).graph, INPUTS, other)
    assert claimed.version == VERSION != onnxruntime.__version__

    found = judging.judge(INPUTS, claimed.outputs, runner.infer(INPUTS))

    assert {one.verdict for one in found} == {Verdict.GOOD}


def test_judge__one_answer_altered__the_other_version_finds_it_wrong_too(
    verifier: tuple[Runner, Judge],
) -> None:
    runner, judging = verifier
    own = runner.infer(INPUTS)
    altered = np.frombuffer(own[5], "<f4").copy()
    altered[3] += 1
    claimed = [*own[:5], altered.tobytes(), *own[6:]]

    found = judging.judge(INPUTS, claimed, own)

    assert [place for place, one in enumerate(found) if one.verdict is not Verdict.GOOD] == [5]
    assert found[5].verdict is Verdict.WRONG
