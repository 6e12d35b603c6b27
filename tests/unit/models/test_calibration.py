"""Calibration: thresholds lie above what other kernels give, and bad samples are refused."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from onnx import helper

from tallystick.cli.calibration import calibrate
from tallystick.errors import FieldError
from tallystick.models.apart import SECOND, Kernel
from tallystick.models.calibration import Calibration, kernels, round_up, usual_rules
from tallystick.models.runner import OnnxModel
from tallystick.models.samples import random_inputs, read_samples
from tallystick.models.spec import OnnxSpec
from tests.support.onnx_files import FLOAT, INT64, dense, write
from tests.support.onnx_kinds import KINDS

REFERENCE = Kernel("reference")


@pytest.mark.parametrize("kind", list(KINDS))
def test_thresholds__models_of_every_kind__other_kernels_are_good_by_them(
    tmp_path: Path, kind: str
) -> None:
    file = tmp_path / "model.onnx"
    inputs = KINDS[kind](file)[:40]
    model = OnnxModel(file)
    own = model.infer(inputs)
    calibration = Calibration(file, model.graph, inputs, own, usual_rules(model.graph, own, {}))
    measured = [calibration.measure(kernel) for kernel in (SECOND, REFERENCE)]

    spec = OnnxSpec(calibration.thresholds(measured))

    assert OnnxSpec.parse(spec.text.encode()) == spec
    for one in measured:
        found = calibration.verdicts(spec, one)
        assert found["doubtful"] == found["wrong"] == 0
    assert not measured[0].error
    wrong, of = calibration.told_apart(spec)
    assert wrong >= 0.9 * of


def test_thresholds__wider_than_what_was_measured__by_the_written_factors(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    inputs = KINDS["float classifier"](file)[:40]
    model = OnnxModel(file)
    own = model.infer(inputs)
    rules = usual_rules(model.graph, own, {0: "argmax"})
    calibration = Calibration(file, model.graph, inputs, own, rules)
    measured = calibration.measure(REFERENCE)

    (rule,) = calibration.thresholds([measured])

    (reach,) = measured.reach
    assert reach > 0
    assert 4 * reach <= rule.thresholds.good
    assert 8 * rule.thresholds.good <= rule.thresholds.wrong
    # Together nobody runs: it widens nothing.
    many = replace(measured, together=8, reach=(100.0,))
    assert calibration.thresholds([measured, many]) == (rule,)


@pytest.mark.parametrize(
    ("number", "up"),
    [("0", "0"), ("0.00123", "0.002"), ("0.002", "0.002"), ("9.1", "10"), ("123", "200")],
)
def test_round_up__numbers__to_one_digit(number: str, up: str) -> None:
    assert round_up(Decimal(number)) == Decimal(up)


def test_usual_rules__outputs__by_their_types(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    for kind, words in {
        "several outputs": ["label 1", "allclose"],
        "text classifier": ["label 1", "allclose"],
        "QDQ convolution": ["allclose"],
    }.items():
        inputs = KINDS[kind](file)[:5]
        model = OnnxModel(file)
        found = usual_rules(model.graph, model.infer(inputs), {})
        assert [str(one)[: len(word)] for one, word in zip(found, words, strict=True)] == words


def test_kernels__graph__all_that_the_machine_has() -> None:
    told = [str(one) for one in kernels(OnnxModel(DIGITS).graph, ["/opt/older"])]

    assert "onnxruntime, disable_all, no arena" in told
    assert "onnxruntime, enable_all, threads 4" in told
    assert "reference, Haswell" in told
    assert "onnxruntime, enable_all, together 32" in told
    assert "onnxruntime, enable_all, /opt/older" in told
    assert len(set(told)) == len(told)


DIGITS = Path(__file__).parents[3] / "src/tallystick/demo/digits/digits.onnx"
X = np.random.default_rng(1).normal(0, 1, (12, 16)).astype(np.float32)


def run(folder: Path, samples: Any, *options: str) -> Result:
    np.save(folder / "samples.npy", samples)
    names = [str(folder / name) for name in ("model.onnx", "spec.txt")]
    line = [*names, "--samples", str(folder / "samples.npy"), *options, "--json"]
    return CliRunner().invoke(calibrate, line)


def test_calibrate__float_model__writes_the_spec_and_goes_on_where_it_was_cut_off(
    tmp_path: Path,
) -> None:
    dense(tmp_path / "model.onnx")

    first = run(tmp_path, X, "--output", "0 argmax")

    assert first.exit_code == 0, first.output
    told = json.loads(first.stdout)
    text = (tmp_path / "spec.txt").read_text()
    assert told["lines"] == text.splitlines()
    assert told["spec_hash"] == "0x" + OnnxSpec.parse(text.encode()).hash.hex()
    assert (told["samples"], told["wrong"]) == (12, 0)
    assert told["kernels"] == len(told["measured"]) == 13

    kept = json.loads((tmp_path / "spec.txt.json").read_text())
    assert kept["spec_hash"] == told["spec_hash"]
    # What is known is not measured again, what was cut off is.
    known = kept["measured"].pop("reference")
    kept["measured"]["onnxruntime, disable_all"]["differ"] = 11
    (tmp_path / "spec.txt.json").write_text(json.dumps(kept))
    again = json.loads(run(tmp_path, X, "--output", "0 argmax").stdout)
    differ = {one["kernel"]: one["other_bytes"] for one in again["measured"]}
    assert differ["onnxruntime, disable_all"] == 11
    assert differ["reference"] == known["differ"]
    # Other samples are another measurement.
    other = json.loads(run(tmp_path, X[:5], "--output", "0 argmax").stdout)
    assert {one["answers"] for one in other["measured"]} == {5}


def test_calibrate__integer_model__needs_no_tolerance(tmp_path: Path) -> None:
    layers = [helper.make_node("Add", ["x", "x"], ["y"])]
    shapes = [("x", INT64, ["n", 2])], [("y", INT64, ["n", 2])]
    write(tmp_path / "model.onnx", layers, *shapes)

    told = json.loads(run(tmp_path, np.array([[1, 2], [3, 4]])).stdout)

    assert told["lines"] == ["tallystick ONNX-1", "comparison exact"]


@pytest.mark.parametrize(
    ("samples", "options", "reason"),
    [
        (np.full((3, 16), np.nan, np.float32), (), "infinite or not a number"),
        (np.full((3, 16), np.inf, np.float32), (), "infinite or not a number"),
        (np.zeros((3, 16), np.float32), (), "blank"),
        (np.zeros((0, 16), np.float32), (), "as many of each, at least one"),
        (np.float32(1), (), "as many of each, at least one"),
        (X[:, :5], (), "sample 0"),
        (X, ("--output", "0 nearest"), "needed: argmax"),
        (X, ("--output", "1 same"), "output is 1; needed: below 1"),
        (X, ("--output", "argmax"), "a place and a rule"),
        (X, ("--output", "0 topk 4"), "every answer has the greatest 4 of 4"),
        (X, ("--size", "n"), "needed: NAME=N"),
        (X, ("--size", "time=3"), "time: no free size has this name"),
    ],
)
def test_calibrate__what_cannot_be_measured__is_refused_and_nothing_written(
    tmp_path: Path, samples: Any, options: tuple[str, ...], reason: str
) -> None:
    dense(tmp_path / "model.onnx")

    result = run(tmp_path, samples, *options)

    assert result.exit_code != 0
    assert reason in str(result.exception) + result.output
    assert not (tmp_path / "spec.txt").exists()


def test_read_samples__several_inputs__by_their_names(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    inputs = KINDS["several outputs"](file)
    model, archive = OnnxModel(file), tmp_path / "samples.npz"
    values = np.frombuffer(b"".join(inputs[:3]), "<f4").reshape(3, 2, 8)

    np.savez(archive, state=values[:, 1], x=values[:, 0])
    assert read_samples(archive, model.graph) == inputs[:3]

    np.savez(archive, x=values[:, 0])
    with pytest.raises(FieldError, match="inputs x; needed: x, state"):
        read_samples(archive, model.graph)


def test_random_inputs__any_graph__are_what_it_takes(tmp_path: Path) -> None:
    for kind, make in KINDS.items():
        make(tmp_path / "model.onnx")
        model = OnnxModel(tmp_path / "model.onnx")
        found = random_inputs(model.graph, 3)
        assert len(model.infer(found)) == 3, kind
    write(
        tmp_path / "model.onnx",
        [helper.make_node("Identity", ["x"], ["y"])],
        [("x", FLOAT, ["n", "t", 2])],
        [("y", FLOAT, ["n", "t", 2])],
    )
    model = OnnxModel(tmp_path / "model.onnx")
    assert model.infer(random_inputs(model.graph, 1)) == random_inputs(model.graph, 1)
