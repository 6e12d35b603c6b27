"""Distance of a quantized model's answers from the float model's."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from tallystick.replay.runtime import run, session


@dataclass(frozen=True, slots=True)
class Distance:
    """Answers to the same inputs, compared."""

    equal_argmax: float
    """Share of the inputs to which the greatest element of both answers is the same."""
    largest_difference: float
    """Of any element."""


def distance(
    model: onnx.ModelProto, quantized: onnx.ModelProto, samples: NDArray[np.float32]
) -> Distance:
    """Return how far a quantized model is from the float model that it was made of.

    Args:
        model: float32.
        quantized: what `quantize` made of it.
        samples: inputs of both, (n, ...).

    Raises:
        UnportableError: onnxruntime cannot run one of them.
    """
    answers = [_answers(one, samples) for one in (model, quantized)]
    equal = answers[0].argmax(axis=1) == answers[1].argmax(axis=1)
    return Distance(float(equal.mean()), float(np.abs(answers[0] - answers[1]).max()))


def _answers(model: onnx.ModelProto, samples: NDArray[np.float32]) -> NDArray[Any]:
    """Return the answers, (n, elements); one at a time, for the graph's batch may be one."""
    started, name = session(model), model.graph.input[0].name
    answers = [run(started, name, sample[None])[0] for sample in samples]
    return np.array(answers, np.float64).reshape(len(samples), -1)
