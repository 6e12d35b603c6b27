"""An ONNX model answers each inference alone, with all that it gives, or is refused by name."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from tallystick.errors import InputRefusedError, ModelRefusedError, RunnerError
from tallystick.models.graph import Graph
from tallystick.models.runner import OnnxModel
from tallystick.models.tensors import decode, encode
from tallystick.node.runner import load
from tests.support.onnx_files import FLOAT, INT64, STRING, dense, weights, write
from tests.support.onnx_kinds import dynamically_quantized

node = helper.make_node


def normal(count: int, size: int) -> list[bytes]:
    drawn = [np.random.default_rng(seed).normal(0, 1, size) for seed in range(count)]
    return [one.astype("<f4").tobytes() for one in drawn]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "model.onnx"


def summed_over_time(file: Path) -> list[bytes]:
    """Float sums, by another kernel for one row."""
    size = 512 * 64
    layers = [node("Reshape", ["x", "s"], ["z"]), node("ReduceSum", ["z", "ax"], ["y"], keepdims=0)]
    constants = {"s": np.array([-1, 512, 64]), "ax": np.array([1])}
    write(file, layers, [("x", FLOAT, ["n", size])], [("y", FLOAT, ["n", 64])], constants)
    return normal(8, size)


@pytest.mark.parametrize("make", [dynamically_quantized, summed_over_time])
def test_infer__answer_that_depends_on_the_batch__does_not_depend_on_who_else_asks(
    file: Path, make: Callable[[Path], list[bytes]]
) -> None:
    inputs = make(file)[:8]
    runner = load("onnx", file)

    together = runner.infer(inputs)

    assert together == [runner.infer([one])[0] for one in inputs]
    assert together == runner.infer(inputs[::-1])[::-1]


def test_infer__time_comes_first__an_answer_is_of_one_input_and_whole(file: Path) -> None:
    layers = [node("Reshape", ["x", "s"], ["z"]), node("Transpose", ["z"], ["y"], perm=[1, 0, 2])]
    write(
        *(file, layers, [("x", FLOAT, ["n", 12])], [("y", FLOAT, [4, "n", 3])]),
        {"s": np.array([-1, 4, 3])},
    )
    inputs = normal(4, 12)
    assert load("onnx", file).infer(inputs) == inputs


def test_infer__batch_is_fixed_at_one__is_served(file: Path) -> None:
    dense(file, batch=1)
    assert len(load("onnx", file).infer(normal(3, 16))) == 3


def test_infer__several_inputs_and_outputs__all_are_in_the_answer(file: Path) -> None:
    layers = [node("Add", ["x", "state"], ["sum"]), node("Relu", ["sum"], ["positive"])]
    given = [("x", FLOAT, ["n", 4]), ("state", FLOAT, ["n", 4])]
    write(file, layers, given, [("positive", FLOAT, ["n", 4]), ("sum", FLOAT, ["n", 4])])
    x, state = np.array([[1, -2, 3, -4]]), np.array([[1, 1, -9, 1]])
    model = OnnxModel(file)

    (output,) = model.infer([encode(model.graph.inputs, [x, state])])

    positive, found = decode(model.graph.outputs, output)
    assert found.tolist() == (x + state).tolist()
    assert positive.tolist() == [[2, 0, 0, 0]]


def test_infer__free_sizes__are_in_the_input(file: Path) -> None:
    write(
        *(file, [node("GlobalAveragePool", ["x"], ["y"])], [("x", FLOAT, ["n", 3, "h", "w"])]),
        [("y", FLOAT, ["n", 3, 1, 1])],
    )
    model, image = OnnxModel(file), weights(1, 3, 5, 7)
    (output,) = model.infer([encode(model.graph.inputs, [image])])
    assert np.allclose(np.frombuffer(output, "<f4"), image.mean(axis=(2, 3))[0], rtol=1e-5)
    with pytest.raises(InputRefusedError, match=r"input 0: x, float32 \(1, 3, h, w\)"):
        model.infer([normal(1, 3)[0]])


def test_infer__texts__are_utf_8_and_the_same_each_time(file: Path) -> None:
    labels = node(
        *("LabelEncoder", ["x"], ["y"]),
        domain="ai.onnx.ml",
        keys_int64s=[0, 1],
        values_strings=["cat", "a long label"],
    )
    write(file, [labels], [("x", INT64, ["n", 2])], [("y", STRING, ["n", 2])])
    model = OnnxModel(file)
    output = model.infer([np.array([0, 1], "<i8").tobytes()])[0]
    assert output == b"\3\0\0\0cat\x0c\0\0\0a long label"

    write(
        file, [node("Identity", ["x"], ["y"])], [("x", STRING, ["n", 1])], [("y", STRING, ["n", 1])]
    )
    assert OnnxModel(file).infer([b"\2\0\0\0\xc3\xa9"]) == [b"\2\0\0\0\xc3\xa9"]


def test_infer__another_shape_than_the_graph_says__is_no_answer(file: Path) -> None:
    layers = [node("NonZero", ["x"], ["y"])]
    write(file, layers, [("x", FLOAT, [1, 4])], [("y", INT64, [2, 4])])
    with pytest.raises(RunnerError, match=r"the shape \(2, 3\); needed: y, int64 \(2, 4\)"):
        OnnxModel(file).infer([np.array([1, 0, 2, 3], "<f4").tobytes()])


@pytest.mark.parametrize(
    ("layers", "reason"),
    [
        (
            [node("RandomNormalLike", ["x"], ["y"], name="noise")],
            "noise: RandomNormalLike is random",
        ),
        ([node("Bernoulli", ["x"], ["y"])], "Bernoulli: Bernoulli is random"),
        ([node("Dropout", ["x", "", "train"], ["y"], name="drop")], "drop: Dropout is in training"),
        (
            [node("BatchNormalization", ["x", "s", "s", "s", "s"], ["y"], training_mode=1)],
            "BatchNormalization is in training mode",
        ),
    ],
)
def test_load__random_or_in_training__is_refused_by_node(
    file: Path, layers: list[object], reason: str
) -> None:
    constants = {"train": np.array(True), "s": np.ones(4, np.float32)}
    write(file, layers, [("x", FLOAT, ["n", 4])], [("y", FLOAT, ["n", 4])], constants)
    with pytest.raises(RunnerError, match=reason):
        load("onnx", file)


def test_load__random_in_a_branch__is_refused_too(file: Path) -> None:
    def branch(op: str) -> object:
        made = [node(op, ["x"], [f"{op}_y"])]
        return helper.make_graph(
            made, op, [], [helper.make_tensor_value_info(f"{op}_y", FLOAT, None)]
        )

    choice = node(
        *("If", ["c"], ["y"]), then_branch=branch("Relu"), else_branch=branch("RandomUniformLike")
    )
    write(
        *(file, [choice], [("x", FLOAT, ["n", 4])], [("y", FLOAT, ["n", 4])]),
        {"c": np.array(True)},
    )
    with pytest.raises(ModelRefusedError, match="RandomUniformLike is random"):
        Graph.read(file)


def test_load__dropout_that_does_nothing__is_taken(file: Path) -> None:
    write(
        *(file, [node("Dropout", ["x"], ["y"])], [("x", FLOAT, ["n", 4])]),
        [("y", FLOAT, ["n", 4])],
    )
    (data,) = normal(1, 4)
    assert load("onnx", file).infer([data]) == [data]


@pytest.mark.parametrize(
    ("labels", "answer"),
    [
        ({"classlabels_int64s": [7, -3]}, [{-3: 0.5, 7: 0.25}]),
        ({"classlabels_strings": ["dog", "cat"]}, [{"cat": 0.5, "dog": 0.25}]),
    ],
)
def test_infer__classifiers_maps__are_in_the_answer(
    file: Path, labels: dict[str, object], answer: list[dict[object, float]]
) -> None:
    key = INT64 if "classlabels_int64s" in labels else STRING
    with_maps(file, key, labels)
    model = OnnxModel(file)

    (output,) = model.infer([np.array([0.25, 0.5], "<f4").tobytes()])

    (found,) = decode(model.graph.outputs, output)
    assert found == answer
    assert list(found[0]) == list(answer[0])
    assert encode(model.graph.outputs, [found]) == output
    with pytest.raises(InputRefusedError, match="cut off|needed"):
        decode(model.graph.outputs, output[:-1])


def test_decode__keys_that_do_not_ascend__are_not_canonical(file: Path) -> None:
    with_maps(file, INT64, {"classlabels_int64s": [0, 1]})
    model = OnnxModel(file)
    (output,) = model.infer([bytes(8)])
    turned = output[:8] + output[20:] + output[8:20]
    with pytest.raises(InputRefusedError, match="y, a sequence of maps of int64 to float32: keys"):
        decode(model.graph.outputs, turned)


def with_maps(file: Path, key: int, labels: dict[str, object]) -> None:
    """Write a model that gives each number by its label."""
    layers = [node("ZipMap", ["x"], ["y"], domain="ai.onnx.ml", **labels)]
    write(file, layers, [("x", FLOAT, ["n", 2])], [("y", FLOAT, ["n", 2])])
    model = onnx.load(str(file))
    value = helper.make_tensor_type_proto(FLOAT, [])
    kind = helper.make_sequence_type_proto(helper.make_map_type_proto(key, value))
    model.graph.output[0].type.CopyFrom(kind)
    onnx.save(model, str(file))


def test_load__sequence_of_tensors__is_refused_by_name(file: Path) -> None:
    layers = [node("SequenceConstruct", ["x"], ["y"])]
    write(file, layers, [("x", FLOAT, ["n", 2])], [("y", FLOAT, ["n", 2])])
    model = onnx.load(str(file))
    kind = helper.make_sequence_type_proto(helper.make_tensor_type_proto(FLOAT, [1, 2]))
    model.graph.output[0].type.CopyFrom(kind)
    onnx.save(model, str(file))
    with pytest.raises(RunnerError, match="y: it is a sequence_type; needed: a tensor"):
        load("onnx", file)
