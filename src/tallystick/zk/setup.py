"""Setting a circuit up: settings, SRS, keys, verifier, and its answers beside the source's."""

import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick.errors import FieldError
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.proof import Circuit, Encoding
from tallystick.storage.durable import replace_file
from tallystick.zk.engine import LIMITS, Limits, run
from tallystick.zk.errors import ZkError
from tallystick.zk.graph import write_out
from tallystick.zk.model import CONTRACT, MANIFEST, ZkModel
from tallystick.zk.srs import sha256_of
from tallystick.zk.verifier import compile_verifier

_FILES = ("settings.json", "circuit", "srs", "pk", "vk", "verifier.sol", "verifier.hex", MANIFEST)
Stage = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Choices:
    """Choices by which a graph becomes a circuit."""

    input_type: str = "i32"
    """One of Encoding.TYPES."""
    output_type: str = "i32"
    input_scale: int = 7
    """Inputs are multiples of 2^-scale."""
    param_scale: int = 10
    base: int = 128
    """Of the digits that values are taken apart into."""
    legs: int = 4
    """Digits: values of intermediate results are less than base^legs."""
    columns: int = 1
    """Of the circuit: the more, the faster it is to prove and the dearer to verify."""
    most_rows: int = 20
    """Circuits of more than 2^this rows are refused."""


CHOICES = Choices()


def set_up(
    onnx: Path,
    folder: Path,
    samples: NDArray[Any],
    choices: Choices = CHOICES,
    srs: Path | None = None,
    limits: Limits = LIMITS,
    stage: Stage = lambda name: None,
) -> ZkModel:
    """Make a zk model of an ONNX graph of one input and one output.

    Args:
        onnx: the graph's file.
        folder: of the model; made whole or not at all.
        samples: real inputs as the graph takes them, (n, ...), to compare answers on.
        choices: how.
        srs: a ceremony's file of as many rows; None: made here, so that who makes it can forge.
        limits: of each step.
        stage: is told the name of each step as it begins.

    Raises:
        ZkError: the folder is there already, or a step fails.
        UnportableError: the source is no ONNX file.
        FieldError: the samples are not multiples of the input's scale.
    """
    folder = folder.absolute()  # the steps run in folders of their own
    if folder.exists():
        raise ZkError(f"{folder} is there already; needed: a folder of its own for each model")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as scratch:
        made = Path(scratch, "made")
        made.mkdir()
        _fill(made, onnx, samples, choices, srs, limits, stage)
        # Whole from here on: a rename is there or not.
        made.rename(folder)
    return ZkModel.load(folder)


def _fill(
    made: Path,
    onnx: Path,
    samples: NDArray[Any],
    choices: Choices,
    srs: Path | None,
    limits: Limits,
    stage: Stage,
) -> None:
    graph = made.parent / "graph.onnx"
    write_out(onnx, graph)
    paths = {
        "onnx": str(graph),
        "settings": str(made / "settings.json"),
        "circuit": str(made / "circuit"),
        "srs": str(made / "srs"),
        "pk": str(made / "pk"),
        "vk": str(made / "vk"),
        "solidity": str(made / "verifier.sol"),
    }
    stage("settings")
    scales = {"input_scale": choices.input_scale, "param_scale": choices.param_scale}
    digits = {"base": choices.base, "legs": choices.legs, "columns": choices.columns}
    rows = {"least": 10, "most": choices.most_rows}
    settings = run("settings", limits, **paths, **scales, **digits, **rows)
    encodings = _encodings(settings, choices)
    stage("setup string")
    if srs is None:
        run("srs", limits, **paths, logrows=settings["run_args"]["logrows"])
    else:
        shutil.copyfile(srs, made / "srs")
    stage("keys")
    run("setup", limits, **paths)
    stage("verifier")
    compiled = compile_verifier(_solidity(made / "verifier.sol", limits, paths), CONTRACT)
    (made / "verifier.hex").write_text(compiled.creation.hex() + "\n")
    key_hash = keccak256((made / "vk").read_bytes())
    circuit = Circuit(keccak256(compiled.runtime), key_hash, *encodings)
    sha256 = sha256_of(made / "srs")
    unmeasured = ZkModel(made, circuit, compiled.creation, sha256, (0, 0), 0.0)
    stage("samples")
    equal, furthest = measure(unmeasured, onnx, samples, limits)
    manifest = {
        "version": 1,
        "code_hash": circuit.code_hash.hex(),
        "key_hash": circuit.key_hash.hex(),
        "input_encoding": circuit.input.word,
        "output_encoding": circuit.output.word,
        "srs_sha256": sha256,
        "equal": [equal, len(samples)],
        "furthest": furthest,
    }
    replace_file(made / MANIFEST, json.dumps(manifest, indent=1).encode() + b"\n")


def _solidity(file: Path, limits: Limits, paths: dict[str, str]) -> str:
    """Return the verifier's source, also where EZKL fails after it has written it."""
    try:
        run("solidity", limits, **paths)
    except ZkError:
        if not file.exists() or not file.read_text().rstrip().endswith("}"):
            raise
    return file.read_text()


def _encodings(settings: dict[str, Any], choices: Choices) -> tuple[Encoding, Encoding]:
    shapes = settings["model_instance_shapes"]
    if len(shapes) != 2:
        raise ZkError("the graph has several inputs or outputs; needed: one of each")
    types = choices.input_type, choices.output_type
    scales = settings["model_input_scales"][0], settings["model_output_scales"][0]
    input_, output = (
        Encoding(int(np.prod(shape)), *Encoding.TYPES[name], scale)
        for shape, name, scale in zip(shapes, types, scales, strict=True)
    )
    return input_, output


def inputs_of(encoding: Encoding, samples: NDArray[Any]) -> list[bytes]:
    """Return samples as canonical inputs.

    Raises:
        FieldError: a sample has another size, or a number that the encoding does not have.
    """
    whole = []
    for sample in samples:
        scaled = np.asarray(sample, np.float64).reshape(-1) * (1 << encoding.scale)
        if len(scaled) != encoding.count:
            raise FieldError("sample's numbers", len(scaled), str(encoding.count))
        numbers = [int(value) for value in np.rint(scaled)]
        if np.any(np.abs(scaled - numbers) > 1e-6):
            raise FieldError("sample", "other numbers", f"multiples of 2^-{encoding.scale}")
        try:
            whole.append(
                b"".join(
                    number.to_bytes(encoding.width, "little", signed=encoding.signed)
                    for number in numbers
                )
            )
        except OverflowError as error:
            needed = f"{encoding.width} bytes, {'signed' if encoding.signed else 'unsigned'}"
            raise FieldError("sample's number", "too large or negative", needed) from error
    return whole


def measure(model: ZkModel, onnx: Path, samples: NDArray[Any], limits: Limits) -> tuple[int, float]:
    """Return how many samples the circuit answers as the graph, and the largest distance.

    Equal means that the same output is the largest, or, of one output, that it rounds to the same.
    """
    from onnxruntime import InferenceSession  # type: ignore[import-untyped]

    session = InferenceSession(str(onnx), providers=["CPUExecutionProvider"])
    (entry,) = session.get_inputs()
    inputs = inputs_of(model.circuit.input, samples)
    outputs = model.answers(inputs, limits)
    equal, furthest = 0, 0.0
    shape = [one if isinstance(one, int) and one > 0 else 1 for one in entry.shape]
    for sample, output in zip(samples, outputs, strict=True):
        feed = np.asarray(sample, np.float32).reshape(shape)
        source = np.asarray(session.run(None, {entry.name: feed})[0]).reshape(-1)
        encoding = model.circuit.output
        own = np.array(encoding.numbers(output), np.float64) / (1 << encoding.scale)
        furthest = max(furthest, float(np.abs(own - source).max()))
        decide = np.argmax if len(own) > 1 else np.rint
        equal += bool(np.all(decide(own) == decide(source)))
    return equal, furthest
