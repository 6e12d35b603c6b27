"""TFLite files become QI8-1 models, beside TFLite's own reference kernels.

Both round, by other rules: a layer's answers are at most a step apart, and few are.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from tallystick.cli.main import main
from tallystick.cli.model_import import import_tflite_file
from tallystick.replay.errors import UnportableError
from tallystick.replay.model import Model
from tests.support.tflite_files import Operator, Tensor, write_tflite

pytest.importorskip("ai_edge_litert")
RNG = np.random.default_rng(3)
WINDOW = {"Padding": 0, "StrideH": 1, "StrideW": 1}
CONV = WINDOW | {"DilationHFactor": 1, "DilationWFactor": 1}
POOL = {"Padding": 1, "StrideH": 2, "StrideW": 2, "FilterHeight": 2, "FilterWidth": 2}
X = Tensor("x", (1, 8, 8, 3), 0.02, -5)
RELU, RELU6 = 1, 3


def weights(
    name: str, *shape: int, given: float, axis: int = 0, low: float = 0.002
) -> list[Tensor]:
    """Return weights with scales of channels, and their bias."""
    scales = RNG.uniform(low, 2 * low, shape[axis])
    bias = RNG.integers(-500, 500, shape[axis])
    return [
        Tensor(f"w {name}", scale=scales, values=RNG.integers(-127, 128, shape), axis=axis),
        Tensor(f"b {name}", scale=scales * given, values=bias, dtype="int32"),
    ]


def conv(given: str, name: str, activation: int = 0, **options: int) -> Operator:
    chosen = CONV | {"FusedActivationFunction": activation} | options
    return Operator("CONV_2D", [given, f"w {name}", f"b {name}"], name, "Conv2DOptions", chosen)


def pool(op: str, given: str, name: str, **options: int) -> Operator:
    return Operator(op, [given], name, "Pool2DOptions", POOL | options)


def classifier(path: Path) -> Path:
    """Write every kind of layer, and a Softmax at the end."""
    images = [Tensor(name, (1, 4, 4, 6), 0.05, -128) for name in ("pooled", "sum")]
    tensors = [
        *(X, *weights("c1", 6, 3, 3, 3, given=0.02), Tensor("c1", (1, 8, 8, 6), 0.05, -128)),
        *weights("deep", 1, 3, 3, 6, given=0.05, axis=3, low=0.01),
        *(
            Tensor("deep", (1, 4, 4, 6), 0.04, 3),
            *images,
            Tensor("both", (1, 4, 4, 12), 0.05, -128),
        ),
        *(
            Tensor("mean", (1, 2, 2, 12), 0.05, -128),
            Tensor("shape", values=[1, 48], dtype="int32"),
        ),
        *(Tensor("flat", (1, 48), 0.05, -128), *weights("dense", 10, 48, given=0.05)),
        *(Tensor("dense", (1, 10), 0.3, 4), Tensor("y", (1, 10), 1 / 256, -128)),
    ]
    deep = CONV | {"StrideH": 2, "StrideW": 2, "DepthMultiplier": 1}
    operators = [
        conv("x", "c1", RELU6),
        Operator(
            "DEPTHWISE_CONV_2D", ["c1", "w deep", "b deep"], "deep", "DepthwiseConv2DOptions", deep
        ),
        pool("MAX_POOL_2D", "c1", "pooled"),
        Operator("ADD", ["deep", "pooled"], "sum", "AddOptions", {"FusedActivationFunction": RELU}),
        Operator("CONCATENATION", ["sum", "pooled"], "both", "ConcatenationOptions", {"Axis": 3}),
        pool("AVERAGE_POOL_2D", "both", "mean"),
        Operator("RESHAPE", ["mean", "shape"], "flat"),
        Operator("FULLY_CONNECTED", ["flat", "w dense", "b dense"], "dense"),
        Operator("SOFTMAX", ["dense"], "y", "SoftmaxOptions", {"Beta": 1.0}),
    ]
    # One scale for all, as TFLite's fully connected layers mostly have.
    at = next(place for place, one in enumerate(tensors) if one.name == "w dense")
    for place, scale in ((at, 0.003), (at + 1, 0.00015)):
        one = tensors[place]
        tensors[place] = Tensor(one.name, scale=scale, values=one.values, dtype=one.dtype)
    return write_tflite(path, tensors, operators)


def imported(
    file: Path, until: str | None = None, shape: Any = (8, 8, 3), dtype: str = "int8"
) -> dict[str, Any]:
    samples = file.with_name("samples.npy")
    if dtype == "float32":
        np.save(samples, np.random.default_rng(5).normal(0, 1, (16, *shape)).astype("f4"))
    else:
        bounds = np.iinfo(dtype)
        drawn = np.random.default_rng(5).integers(bounds.min, bounds.max, (16, *shape))
        np.save(samples, drawn.astype(dtype))
    return import_tflite_file(file, file.with_suffix(".qi8"), samples, until)


@pytest.mark.parametrize(
    ("until", "most", "steps"),
    [
        ("MAX_POOL_2D", 0.01, 1),
        ("CONCATENATION", 0.02, 2),  # three layers on the way
        ("AVERAGE_POOL_2D", 0.02, 2),
        ("FULLY_CONNECTED", 0.2, 2),  # averages of four are halves now and then
        ("SOFTMAX", 0.25, 2),
        ("y", 0.25, 2),
    ],
)
def test_import__until_a_layer__is_a_step_from_tflite_now_and_then(
    tmp_path: Path, until: str, most: float, steps: int
) -> None:
    found = imported(classifier(tmp_path / "net.tflite"), until)

    assert found["reference"].startswith("ai-edge-litert ")
    assert found["largest_difference"] <= steps
    assert found["answers_different"] <= most * found["answers_compared"]
    assert Model.read(tmp_path / "net.qi8").content_hash() == found["content_hash"]


def test_import__one_weight_altered__is_told_by_the_difference(tmp_path: Path) -> None:
    """The measure is no formality: it tells another model."""
    from tallystick.replay.tflite_distance import tflite_distance
    from tallystick.replay.tflite_file import read_tflite
    from tallystick.replay.tflite_graph import ended_before

    file = classifier(tmp_path / "net.tflite")
    imported(file, "MAX_POOL_2D")
    model = Model.read(tmp_path / "net.qi8")
    rows = bytearray(model.rows)
    # The last weight; a table of 256 bytes, which clamps, follows.
    rows[-257] ^= 0x7F
    altered = Model(model.steps, bytes(rows), model.input, model.output)
    samples = np.load(tmp_path / "samples.npy")
    _, output = ended_before(read_tflite(file), "MAX_POOL_2D")

    assert tflite_distance(file, altered, output, samples).answers_different > 100


def one_layer(path: Path, out: Tensor, *operators: Operator, more: Any = (), x: Tensor = X) -> Path:
    return write_tflite(path, [x, *more, out], operators)


def test_import__floats_at_both_ends__keep_the_scales(tmp_path: Path) -> None:
    tensors = [
        *(Tensor("x", (1, 4, 6, 3), dtype="float32"), Tensor("q", (1, 4, 6, 3), 0.03, 2)),
        *(*weights("c", 5, 3, 3, 3, given=0.03), Tensor("c", (1, 4, 6, 5), 0.04, -9)),
        Tensor("y", (1, 4, 6, 5), dtype="float32"),
    ]
    ends = [Operator("QUANTIZE", ["x"], "q"), Operator("DEQUANTIZE", ["c"], "y")]
    file = write_tflite(tmp_path / "net.tflite", tensors, [ends[0], conv("q", "c"), ends[1]])

    found = imported(file, shape=(4, 6, 3), dtype="float32")

    assert found["largest_difference"] <= 0.0401
    assert found["answers_different"] <= 0.02 * found["answers_compared"]
    assert Model.read(tmp_path / "net.qi8").output.scale


def test_import__padded_before_a_stride__pads_the_convolution(tmp_path: Path) -> None:
    sizes = Tensor("sizes", values=[[0, 0], [1, 2], [2, 1], [0, 0]], dtype="int32")
    more = [sizes, Tensor("p", (1, 11, 11, 3), 0.02, -5), *weights("y", 4, 3, 3, 3, given=0.02)]
    stride = {"StrideH": 2, "StrideW": 2, "Padding": 1}
    layers = [Operator("PAD", ["x", "sizes"], "p"), conv("p", "y", **stride)]

    found = imported(
        one_layer(tmp_path / "net.tflite", Tensor("y", (1, 5, 5, 4), 0.05, 1), *layers, more=more)
    )

    assert (found["steps"], found["largest_difference"] <= 1) == (1, True)


def test_import__mean_of_an_image__is_a_pool(tmp_path: Path) -> None:
    axes = Tensor("axes", values=[1, 2], dtype="int32")
    layer = Operator("MEAN", ["x", "axes"], "y", "ReducerOptions", {"KeepDims": False})
    out = Tensor("y", (1, 3), 0.005, 3)

    found = imported(one_layer(tmp_path / "net.tflite", out, layer, more=[axes]))

    assert (found["steps"], found["largest_difference"] <= 1) == (1, True)


@pytest.mark.parametrize("op", ["LOGISTIC", "TANH", "RELU", "RELU6", "HARD_SWISH", "LEAKY_RELU"])
def test_import__function_of_one_element__is_a_table(tmp_path: Path, op: str) -> None:
    scale, zero = {"LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0)}.get(op, (0.03, -20))
    options = ("LeakyReluOptions", {"Alpha": 0.1}) if op == "LEAKY_RELU" else ("", {})
    out = Tensor("y", (1, 8, 8, 3), scale, zero)

    found = imported(one_layer(tmp_path / "n.tflite", out, Operator(op, ["x"], "y", *options)))

    assert (found["steps"], found["largest_difference"] <= 1) == (1, True)


def test_import__uint8_with_zero_points_of_weights__is_taken(tmp_path: Path) -> None:
    x = Tensor("x", (1, 8, 8, 3), 0.02, 120, dtype="uint8")
    kernels = RNG.integers(0, 256, (4, 3, 3, 3))
    more = [
        Tensor("w y", scale=0.01, zero=131, values=kernels, dtype="uint8"),
        Tensor("b y", scale=0.0002, values=[5, -7, 90, 0], dtype="int32"),
    ]
    out = Tensor("y", (1, 8, 8, 4), 0.06, 100, dtype="uint8")

    found = imported(
        one_layer(tmp_path / "n.tflite", out, conv("x", "y"), more=more, x=x), dtype="uint8"
    )

    assert found["largest_difference"] <= 1


@pytest.mark.parametrize(
    ("operators", "more", "reason"),
    [
        (
            [Operator("SOFTMAX", ["x"], "y", "SoftmaxOptions", {"Beta": 1.0})],
            [],
            "SOFTMAX y: has no step; instead: end the graph before it",
        ),
        ([Operator("SUB", ["x", "x"], "y")], [], "SUB y: has no step; instead: operators that"),
        (
            [pool("AVERAGE_POOL_2D", "x", "y", Padding=0, FilterHeight=3)],
            [],
            "its divisor differs at the edges; instead: padding VALID",
        ),
        (
            [Operator("CONCATENATION", ["x", "x"], "y", "ConcatenationOptions", {"Axis": 1})],
            [],
            "joins along axis 1; instead: along the channels",
        ),
        (
            [conv("x", "y")],
            [Tensor("w y", (4, 3, 3, 3), 0.1), Tensor("b y", values=[1] * 4, dtype="int32")],
            "its weights are computed",
        ),
        (
            [conv("f", "y")],
            [Tensor("f", (1, 8, 8, 3), dtype="float32"), *weights("y", 4, 3, 3, 3, given=1)],
            "f is FLOAT32 without a scale; instead: full integer quantization",
        ),
        (
            [conv("x", "y", DilationHFactor=2)],
            weights("y", 4, 3, 3, 3, given=1),
            "is dilated; instead: a dense kernel",
        ),
    ],
)
def test_import__layer_that_has_no_step__is_refused_by_name(
    tmp_path: Path, operators: list[Operator], more: list[Tensor], reason: str
) -> None:
    file = one_layer(
        tmp_path / "net.tflite", Tensor("y", (1, 8, 8, 3), 0.02, -5), *operators, more=more
    )

    with pytest.raises(UnportableError) as refused:
        imported(file)

    assert reason in str(refused.value)
    assert not (tmp_path / "net.qi8").exists()


def test_import__cut_or_made_up__is_refused_in_one_line(tmp_path: Path) -> None:
    whole = classifier(tmp_path / "net.tflite").read_bytes()
    rng = np.random.default_rng(9)
    for place in range(60):
        broken = bytearray(whole[: int(rng.integers(8, len(whole)))] if place % 2 else whole)
        for at in rng.integers(8, len(broken), 6 * (1 - place % 2)):
            broken[at] ^= int(rng.integers(1, 256))
        (tmp_path / "broken.tflite").write_bytes(broken)
        try:
            from tallystick.replay.tflite_file import read_tflite
            from tallystick.replay.tflite_graph import onnx_of_tflite

            onnx_of_tflite(read_tflite(tmp_path / "broken.tflite"), "SOFTMAX")
        except UnportableError as error:
            assert "\n" not in str(error)


def test_model_import__tflite__says_how_far_it_is(tmp_path: Path) -> None:
    file, samples = classifier(tmp_path / "net.tflite"), tmp_path / "x.npy"
    np.save(samples, np.random.default_rng(5).integers(-128, 128, (4, 8, 8, 3)).astype(np.int8))
    line = ["model", "import", str(file), str(tmp_path / "net.qi8"), "--samples", str(samples)]

    done = CliRunner().invoke(main, [*line, "--until", "SOFTMAX", "--json"])

    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert told["answers_compared"] == 40
    assert told["answers_different"] < 20 and told["largest_difference"] <= 2
    again = CliRunner().invoke(main, [*line, "--quantize"])
    assert again.exit_code == 1 and "quantized already" in again.output
