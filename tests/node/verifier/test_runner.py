"""Runners by name, and comparing with them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from tallystick.demo.digits.model import FILE, RUNNER, Digits, load_samples
from tallystick.errors import InputRefusedError, RunnerError
from tallystick.node.runner import load, load_judge
from tallystick.node.settings import ModelSource
from tallystick.node.verifier.models import (
    BytesMissingError,
    Models,
    ModelSourceError,
    OutputRerun,
)
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.ledger import Model as RegisteredModel
from tallystick.protocol.record import InferenceRecord
from tallystick.protocol.verdicts import Judged, Verdict
from tests.support.patience import PATIENCE

HERE = "tests.node.verifier.test_runner"


def double(inputs: list[bytes]) -> list[bytes]:
    return [data * 2 for data in inputs]


def short(inputs: list[bytes]) -> list[bytes]:
    return []


def broken(inputs: list[bytes]) -> list[bytes]:
    raise ZeroDivisionError


def near(claimed: bytes, own: bytes) -> bool:
    return abs(claimed[0] - own[0]) <= 1


def undecided(claimed: bytes, own: bytes) -> Verdict:
    return Verdict.DOUBTFUL


def measured(claimed: bytes, own: bytes) -> Judged:
    return Judged.of(abs(claimed[0] - own[0]), 0, 2, "steps")


def unfinished(claimed: bytes, own: bytes) -> bool:
    return claimed[9] == own[9]


not_callable = 5
RELEASED = Event()


def __getattr__(name: str) -> Callable[[list[bytes]], list[bytes]]:
    """A runner that is not there before it is released."""
    if name != "slow":
        raise AttributeError(name)
    assert RELEASED.wait(2 * PATIENCE)
    return double


GOOD, DOUBTFUL, WRONG = Verdict


def leaf(data: bytes | None, output: bytes, kept: bool = True) -> InferenceRecord:
    return InferenceRecord(
        keccak256(data or b""), keccak256(output), input=data, output=output if kept else None
    )


# Runners


def test_load__digits__is_the_demos() -> None:
    samples = load_samples()[:20]
    assert load(RUNNER).infer(samples) == Digits().infer(samples)
    assert load(RUNNER, FILE).infer([]) == []


def test_load__onnx__takes_tensors_as_they_lie() -> None:
    samples = load_samples()[:20]
    tensors = [(np.frombuffer(one, np.uint8) / 16).astype("<f4").tobytes() for one in samples]
    outputs = load("onnx", FILE).infer(tensors)
    digits = [bytes([int(np.frombuffer(one, "<f4").argmax())]) for one in outputs]
    assert digits == Digits().infer(samples)


def test_load__callable__is_called() -> None:
    assert load(f"{HERE}:double").infer([b"a", b"b"]) == [b"aa", b"bb"]


@pytest.mark.parametrize("name", [RUNNER, "onnx"])
def test_infer__another_length__refused(name: str) -> None:
    with pytest.raises(InputRefusedError, match="input 1.* 3 bytes"):
        load(name, FILE).infer([bytes(64 if name == RUNNER else 256), b"abc"])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("qi8", "it needs the model's file"),
        ("onnx", "it needs the model's file"),
        ("torch", "there is none of this name"),
        ("no_such_module:run", "cannot be loaded"),
        (f"{HERE}:no_such_function", "cannot be loaded"),
        (f"{HERE}:not_callable", "is not callable"),
    ],
)
def test_load__not_there__says_so(name: str, reason: str) -> None:
    with pytest.raises(RunnerError, match=reason):
        load(name)


@pytest.mark.parametrize("name", ["qi8", "onnx"])
def test_load__rubbish_in_the_file__says_so(tmp_path: Path, name: str) -> None:
    (tmp_path / "model").write_bytes(b"rubbish")
    with pytest.raises(RunnerError, match=f"runner {name} cannot load"):
        load(name, tmp_path / "model")


@pytest.mark.parametrize(
    ("name", "reason"), [("short", "0 outputs to 1 inputs"), ("broken", "ZeroDivisionError")]
)
def test_infer__callable_fails__is_no_verdict(name: str, reason: str) -> None:
    with pytest.raises(RunnerError, match=reason):
        load(f"{HERE}:{name}").infer([b"a"])


# Comparing


def verdicts(rerun: OutputRerun, *leaves: InferenceRecord) -> list[Verdict]:
    return [one.verdict for one in rerun.judge(leaves)]


@pytest.mark.parametrize(
    ("name", "verdict"), [("undecided", DOUBTFUL), ("measured", DOUBTFUL), ("near", GOOD)]
)
def test_judge__function_with_three_verdicts__is_taken_at_its_word(
    name: str, verdict: Verdict
) -> None:
    rerun = OutputRerun(load(f"{HERE}:double"), load_judge(f"{HERE}:{name}"))
    assert verdicts(rerun, leaf(b"a", b"b")) == [verdict]


def test_judge__function_that_fails__says_nothing_of_the_answer() -> None:
    rerun = OutputRerun(load(f"{HERE}:double"), load_judge(f"{HERE}:unfinished"))
    with pytest.raises(RunnerError, match="IndexError"):
        rerun.judge([leaf(b"a", b"b")])


def test_judge__exact__by_the_bytes_or_their_hash() -> None:
    rerun = OutputRerun(load(f"{HERE}:double"), load_judge(""))
    kept = leaf(b"c", b"cc", kept=False)
    assert verdicts(rerun, leaf(b"a", b"aa"), leaf(b"b", b"bc"), kept) == [GOOD, WRONG, GOOD]


def test_judge__tolerance__the_specs_own_test_decides() -> None:
    rerun = OutputRerun(load(f"{HERE}:double"), load_judge(f"{HERE}:near"))
    assert verdicts(rerun, leaf(b"a", b"ba"), leaf(b"a", b"ca")) == [GOOD, WRONG]


def test_judge__input_refused__wrong_and_the_others_are_run() -> None:
    sample = load_samples()[0]
    (digit,) = Digits().infer([sample])
    rerun = OutputRerun(load(RUNNER), load_judge(""))
    assert verdicts(rerun, leaf(b"abc", b"\1"), leaf(sample, digit)) == [WRONG, GOOD]


@pytest.mark.parametrize(
    ("record", "which"), [(leaf(None, b"aa"), "input"), (leaf(b"a", b"b", kept=False), "output")]
)
def test_judge__bytes_missing__names_the_leaf(record: InferenceRecord, which: str) -> None:
    rerun = OutputRerun(load(f"{HERE}:double"), load_judge(""))
    with pytest.raises(BytesMissingError, match=f"the {which}'s bytes") as caught:
        rerun.judge([leaf(b"b", b"bb"), record])
    assert caught.value.place == 1


# Sources


def registered(content: bytes) -> RegisteredModel:
    ids = bytes(32), bytes(32), bytes(20)
    return RegisteredModel(*ids, content, bytes(32), bytes(32), "m", "")


def test_rerun__file_of_another_content__refused() -> None:
    models = Models([ModelSource(id="0x" + "00" * 32, file=FILE, runner=RUNNER)])
    assert models.rerun(registered(keccak256(FILE.read_bytes())))
    models = Models([ModelSource(id="0x" + "00" * 32, file=FILE, runner=RUNNER)])
    with pytest.raises(ModelSourceError, match="has content hash"):
        models.rerun(registered(b"c" * 32))


def test_rerun__no_file_where_one_is_named__says_so(tmp_path: Path) -> None:
    models = Models([ModelSource(id="0x" + "00" * 32, file=tmp_path / "no", runner=RUNNER)])
    with pytest.raises(ModelSourceError, match="cannot be read"):
        models.rerun(registered(bytes(32)))


def test_rerun__unknown_model__says_so() -> None:
    with pytest.raises(ModelSourceError, match="no source is set"):
        Models([]).rerun(registered(bytes(32)))


def test_rerun__another_model_is_slow_to_load__is_not_waited_for() -> None:
    slow_id, content = b"\1" * 32, keccak256(FILE.read_bytes())
    sources = [
        ModelSource(id="0x" + slow_id.hex(), file=FILE, runner=f"{HERE}:slow"),
        ModelSource(id="0x" + "00" * 32, file=FILE, runner=RUNNER),
    ]
    models = Models(sources)
    with ThreadPoolExecutor(2) as threads:
        slow = threads.submit(models.rerun, replace(registered(content), id=slow_id))
        try:
            quick = threads.submit(models.rerun, registered(content))
            assert quick.result(PATIENCE)
            assert not slow.done()
        finally:
            RELEASED.set()
        assert slow.result(PATIENCE)
