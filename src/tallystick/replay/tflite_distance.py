"""Difference of a QI8-1 model from TFLite's own kernels, by which the file was made to run."""

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick.replay.client import decode, encode
from tallystick.replay.engine import Engine
from tallystick.replay.errors import UnportableError
from tallystick.replay.model import Model
from tallystick.replay.tflite_file import TfliteTensor


@dataclass(frozen=True, slots=True)
class TfliteDistance:
    """Answers to the same inputs, compared."""

    reference: str
    """Of TFLite's answers."""
    equal_argmax: float
    """Share of the inputs to which the greatest element of both answers is the same."""
    answers_compared: int
    """Elements."""
    answers_different: int
    largest_difference: float
    """Of any element: in steps of 8 bits, or in the output's units where that is float."""


def _stored(model: Model, samples: NDArray[Any]) -> NDArray[np.uint8]:
    if samples.dtype == np.float32:
        return encode(model, samples.transpose(0, 3, 1, 2) if samples.ndim == 4 else samples)
    flat = samples.reshape(len(samples), -1)
    return flat.view(np.uint8) ^ np.uint8(0x80 if samples.dtype == np.int8 else 0)


def tflite_answers(file: Path, output: TfliteTensor, samples: NDArray[Any]) -> NDArray[Any]:
    """Return the answers of TFLite's reference kernels, (n, ...).

    Args:
        file: the TFLite file.
        output: the tensor that is the answer.
        samples: as the file takes them, (n, ...).

    Raises:
        UnportableError: the file does not run.
    """
    from ai_edge_litert.interpreter import (
        Interpreter,
        OpResolverType,
    )

    try:
        interpreter = Interpreter(
            str(file),
            num_threads=1,
            experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
            experimental_preserve_all_tensors=True,
        )
        interpreter.allocate_tensors()
        place = interpreter.get_input_details()[0]["index"]
        found = []
        for sample in samples:
            interpreter.set_tensor(place, sample[None])
            interpreter.invoke()
            found.append(interpreter.get_tensor(output.index)[0])
    except (RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise UnportableError(
            file.name, f"TFLite does not run it ({reason})", "one that"
        ) from error
    return np.array(found)


def tflite_distance(
    file: Path, model: Model, output: TfliteTensor, samples: NDArray[Any]
) -> TfliteDistance:
    """Return how far a model's answers are from TFLite's.

    Args:
        file: the TFLite file.
        model: what was made of it; its bytes lie in TFLite's own order.
        output: the tensor that is the answer.
        samples: as the file takes them, (n, ...).

    Raises:
        UnportableError: TFLite does not run the file.
    """
    theirs = tflite_answers(file, output, samples)
    answers = Engine(model).run(_stored(model, samples))
    if theirs.dtype == np.float32:
        ours: NDArray[Any] = decode(model, answers)
    else:
        ours = (answers ^ 0x80 if theirs.dtype == np.int8 else answers).view(theirs.dtype)
    rows = [one.reshape(len(samples), -1).astype(np.float64) for one in (ours, theirs)]
    equal = rows[0].argmax(axis=1) == rows[1].argmax(axis=1)
    return TfliteDistance(
        f"ai-edge-litert {version('ai-edge-litert')}, reference kernels",
        float(equal.mean()),
        rows[0].size,
        int((rows[0] != rows[1]).sum()),
        float(np.abs(rows[0] - rows[1]).max()),
    )
