"""Registering an ONNX model: it is run once, and refused where it can't be served or judged."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from tallystick.demo.digits.model import FILE
from tallystick.protocol.hexes import to_hex
from tests.integration.conftest import Commands
from tests.support.chain import Chain
from tests.support.onnx_files import FLOAT, INT64, STRING, dense, write
from tests.support.story import RULES, register

TOLERANCE = "tallystick ONNX-1\ncomparison tolerance\noutput 0 allclose 0.0001 0.00001 1 8\n"
Register = Callable[..., list[object]]


def doubled(folder: Path) -> Path:
    layers = [helper.make_node("Add", ["x", "x"], ["y"])]
    shapes = [("x", INT64, ["n", 2])], [("y", INT64, ["n", 2])]
    return write(folder / "model.onnx", layers, *shapes)


@pytest.fixture
def line(chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Register:
    monkeypatch.setenv("TALLYSTICK_REGISTRY", "0x" + chain.registry.address.hex())

    salts = count(70)

    def of(file: Path, spec: str | None = None, most: int = 0) -> list[object]:
        network = register(chain, chain.accounts[1], RULES, max_bytes=most, salt=next(salts))
        (tmp_path / "spec.txt").write_text(spec or "")
        named = ["--spec", tmp_path / "spec.txt"] if spec else []
        return [to_hex(network.id), "--name", "m", "--file", file, *named]

    return of


def test_model_register__float_with_a_tolerance__says_what_it_takes_and_gives(
    commands: Commands, line: Register, tmp_path: Path
) -> None:
    file = dense(tmp_path / "model.onnx")

    told = commands.json("model register", *line(file, TOLERANCE), account=1)

    assert told["inputs"] == ["x, float32 (1, 16)"]
    assert told["outputs"] == ["y, float32 (1, 4)"]
    assert told["comparison"] == ["allclose 0.0001 0.00001 1 8"]
    assert told["answers"] == "tolerance"
    assert told["bytes_of_an_inference"] == 80
    assert "nobody can force withheld inputs and outputs out" in told["caution"]


@pytest.mark.parametrize("spec", [None, "tallystick ONNX-1\ncomparison exact\n"])
def test_model_register__float_without_a_tolerance__is_refused_with_the_measurement(
    commands: Commands, line: Register, tmp_path: Path, spec: str | None
) -> None:
    np.save(tmp_path / "x.npy", np.random.default_rng(1).normal(0, 1, (9, 16)).astype("f4"))
    file = dense(tmp_path / "model.onnx")

    made_up = commands.error("model register", *line(file, spec), account=1)
    real = commands.error(
        "model register", *line(file, spec), "--samples", tmp_path / "x.npy", account=1
    )

    assert "x: its elements are FLOAT): of 16 answers to made-up inputs" in made_up
    assert "of 9 answers to samples" in real
    assert "have other bytes (" in real and "under reference" in real
    assert "needed: a spec with a tolerance (tallystick model calibrate)" in real


def test_model_register__integer_graph__needs_no_spec(
    commands: Commands, line: Register, tmp_path: Path
) -> None:
    told = commands.json("model register", *line(doubled(tmp_path)), account=1)

    assert (told["answers"], told["comparison"]) == ("exact", "equal bytes")


def test_model_register__thresholds_below_another_kernel__would_convict_honest_operators(
    commands: Commands, line: Register
) -> None:
    strict = "tallystick ONNX-1\ncomparison tolerance\noutput 0 allclose 0 0.00000001 0 0\n"

    text = commands.error("model register", *line(FILE, strict), account=1)

    assert "honest operators would be convicted; needed: wider thresholds" in text


@pytest.mark.parametrize(("most", "is_taken"), [(79, False), (80, True)])
def test_model_register__larger_than_a_demand_may_ask_for__is_refused_by_size(
    commands: Commands, line: Register, tmp_path: Path, most: int, is_taken: bool
) -> None:
    file = dense(tmp_path / "model.onnx")
    of = line(file, TOLERANCE, most)
    if is_taken:
        assert "caution" not in commands.json("model register", *of, account=1)
    else:
        text = commands.error("model register", *of, account=1)
        assert "has 80 bytes of input and output; the network lets at most 79" in text


def test_model_register__free_sizes__fixed_by_the_spec_or_carried(
    commands: Commands, line: Register, tmp_path: Path
) -> None:
    file = tmp_path / "model.onnx"
    layers = [helper.make_node("GlobalAveragePool", ["x"], ["y"])]
    shapes = [("x", FLOAT, ["n", 3, "h", "w"])], [("y", FLOAT, ["n", 3, 1, 1])]
    write(file, layers, *shapes)
    fixed = TOLERANCE.replace("comp", "size 8 h\nsize 4 w\ncomp", 1)

    assert commands.json("model register", *line(file, fixed), account=1)["inputs"] == [
        "x, float32 (1, 3, 8, 4)"
    ]
    carried = commands.json("model register", *line(file, TOLERANCE), account=1)
    assert carried["inputs"] == ["x, float32 (1, 3, h, w)"]
    assert carried["bytes_of_an_inference"] == "at least 32"
    text = commands.error("model register", *line(file, fixed, 395), account=1)
    assert "has 396 bytes" in text
    unknown = TOLERANCE.replace("comp", "size 8 z\ncomp", 1)
    assert "z: no free size has this name; free sizes: h, n, w" in commands.error(
        "model register", *line(file, unknown), account=1
    )


@pytest.mark.parametrize(
    ("layers", "given", "gives", "reason"),
    [
        (
            [helper.make_node("RandomNormalLike", ["x"], ["y"], name="noise")],
            ("x", FLOAT, ["n", 4]),
            ("y", FLOAT, ["n", 4]),
            "noise: RandomNormalLike is random",
        ),
        (
            [helper.make_node("Dropout", ["x", "", "train"], ["y"], name="drop")],
            ("x", FLOAT, ["n", 4]),
            ("y", FLOAT, ["n", 4]),
            "drop: Dropout is in training mode",
        ),
        (
            [helper.make_node("NoSuchOperator", ["x"], ["y"])],
            ("x", FLOAT, ["n", 4]),
            ("y", FLOAT, ["n", 4]),
            "onnxruntime refuses it",
        ),
        (
            [helper.make_node("NonZero", ["x"], ["y"])],
            ("x", FLOAT, [1, 4]),
            ("y", INT64, [2, 4]),
            "does not run: the tensor has the shape",
        ),
        (
            [helper.make_node("Identity", ["x"], ["y"])],
            ("x", STRING, ["n", 1]),
            ("y", STRING, ["n", 1]),
            "allclose is for numbers; needed for texts: label, or same",
        ),
    ],
)
def test_model_register__cannot_be_served_or_judged__is_refused_by_name(
    commands: Commands,
    line: Register,
    tmp_path: Path,
    layers: list[onnx.NodeProto],
    given: tuple[str, int, list[int | str]],
    gives: tuple[str, int, list[int | str]],
    reason: str,
) -> None:
    file = tmp_path / "model.onnx"
    write(file, layers, [given], [gives], {"train": np.array(True)})

    text = commands.error("model register", *line(file, TOLERANCE), account=1)

    assert reason in text
    assert "Traceback" not in text


def test_model_register__float_under_words_of_its_own__is_measured_and_refused(
    commands: Commands, line: Register
) -> None:
    text = commands.error("model register", *line(FILE, "ten digits"), account=1)

    assert "of 16 answers to made-up inputs" in text and "under reference" in text
    assert "calibrate), or a comparison elsewhere, which verifiers are set" in text


def test_model_register__comparison_elsewhere__is_run_and_told(
    commands: Commands, line: Register, tmp_path: Path
) -> None:
    words = [*line(dense(tmp_path / "model.onnx"), "ten digits"), "--comparison-elsewhere"]

    told = commands.json("model register", *words, account=1)

    assert told["comparison_elsewhere"] is True
    assert told["comparison"].startswith("elsewhere: each verifier is to be set one")
    assert (told["answers"], told["inputs"]) == ("in words of its own", ["x, float32 (1, 16)"])


def test_model_register__integer_graph_under_words_of_its_own__needs_no_more(
    commands: Commands, line: Register, tmp_path: Path
) -> None:
    told = commands.json("model register", *line(doubled(tmp_path), "twice"), account=1)

    assert (told["comparison"], told["comparison_elsewhere"]) == ("equal bytes", False)


def test_model_register__comparison_elsewhere_than_in_its_spec__is_refused(
    commands: Commands, line: Register, tmp_path: Path
) -> None:
    file = dense(tmp_path / "model.onnx")
    for path, reason in (
        (file, "and an ONNX-1 spec has it"),
        (tmp_path / "spec.txt", "only the comparison of an .onnx file can be elsewhere"),
    ):
        words = [*line(path, TOLERANCE), "--comparison-elsewhere"]
        assert reason in commands.error("model register", *words, account=1)
