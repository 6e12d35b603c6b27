"""QI8-1 model files made of ONNX or TFLite files."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick.cli.command import CommandError
from tallystick.replay.model import SPEC_ID, Model
from tallystick.replay.transaction import too_large


def import_onnx_file(
    source: Path, target: Path, samples: Path, types: str | None, until: str | None = None
) -> dict[str, Any]:
    """Write a QI8-1 model, and return what it is.

    Args:
        source: the ONNX file.
        target: the .qi8 file.
        samples: real inputs, a .npy file.
        types: those to quantize to; None: the file is quantized.
        until: node before which the graph ends; None: its own end.

    Raises:
        CommandError: the samples are no array.
        FieldError: the samples are not what the graph takes, or none to take ranges from.
        UnportableError: not an ONNX file, or a node that cannot be replayed; nothing was written.
    """
    from tallystick.replay.distance import distance
    from tallystick.replay.importer import import_measured, load
    from tallystick.replay.prepare import until as ended_before
    from tallystick.replay.quantize import Types, quantize

    real = _samples(samples)
    read = load(source) if until is None else ended_before(load(source), until)
    found: dict[str, Any] = {}
    if types:
        floats = real.astype(np.float32)
        quantized = quantize(read, floats, Types[types.upper()])
        model, differences = import_measured(quantized, floats)
        found = asdict(distance(read, quantized, floats))
    else:
        model, differences = import_measured(read, real)
    if differences.sums:
        # By a rule of our own; onnxruntime's is not the same on all processors.
        found |= {
            "sums_compared": differences.sums,
            "sums_different": differences.sums_different,
            "answers_compared": differences.answers,
            "answers_different": differences.answers_different,
        }
    return _written(target, model, found)


def import_tflite_file(
    source: Path, target: Path, samples: Path, until: str | None = None
) -> dict[str, Any]:
    """Write the QI8-1 model of a TFLite file, and return what it is; see import_onnx_file.

    Its answers are compared with those of TFLite's reference kernels, which round twice.

    Args:
        source: the TFLite file, quantized to 8 bits.
        target: the .qi8 file.
        samples: inputs as the file takes them, a .npy file.
        until: operator before which the graph ends, by its kind or its output.
    """
    from tallystick.replay.importer import import_measured
    from tallystick.replay.tflite_distance import tflite_distance
    from tallystick.replay.tflite_file import read_tflite
    from tallystick.replay.tflite_graph import ended_before, onnx_of_tflite

    real, read = _samples(samples), read_tflite(source)
    model, _ = import_measured(onnx_of_tflite(read, until), real)
    _, output = ended_before(read, until)
    return _written(target, model, asdict(tflite_distance(source, model, output, real)))


def _samples(file: Path) -> NDArray[Any]:
    try:
        found: NDArray[Any] = np.load(file, allow_pickle=False)
    except (ValueError, OSError) as error:
        raise CommandError(f"{file} is no .npy array: {error}") from error
    return found


def _written(target: Path, model: Model, found: Mapping[str, Any]) -> dict[str, Any]:
    target.write_bytes(model.to_bytes())
    reason = too_large(model)
    return {
        "model": str(target),
        "content_hash": model.content_hash(),
        "spec_hash": SPEC_ID,
        "steps": len(model.steps),
        "weights_bytes": len(model.rows),
        "multiply_accumulates": model.macs,
        **found,
        "replayable_in_one_transaction": reason is None,
        "reason": reason,
    }
