"""From a client's floats to the bytes that are committed, and back.

This is quantization as onnxruntime does it at a graph's ends; no dispute looks at it.
"""

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick.errors import FieldError
from tallystick.replay.model import Model, Quantization


def encode(model: Model, values: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """Return the canonical inputs, (n, input bytes).

    Args:
        model: one that knows its input's scale.
        values: finite floats, (n, c, h, w), or (n, h, w, c), or (n, rows, c) of one line, or
            (n, ...) where the order is the same. Where the three sizes are equal, channels come
            first.

    Raises:
        FieldError: another shape, not finite, or the scale isn't known.
    """
    first = model.steps[0]
    scale = _scale("input scale", model.input)
    h, w, c = first.in_shape
    if values.shape[1:] == (c, h, w):
        values = values.transpose(0, 2, 3, 1)
    elif (1, *values.shape[1:]) != (h, w, c) != values.shape[1:] and (
        prod(values.shape[1:]) != first.in_size or (c > 1 and h * w > 1)
    ):
        raise FieldError("values", values.shape, f"(n, {c}, {h}, {w})")
    if not np.isfinite(values).all():
        raise FieldError("values", "infinite or not a number", "finite ones")
    zero_point = model.input.zero_point
    with np.errstate(over="ignore"):
        steps = values.astype(np.float32) / scale
    bytes_ = np.rint(np.clip(steps, -zero_point, 255 - zero_point)) + zero_point
    return bytes_.astype(np.uint8).reshape(len(values), first.in_size)


def decode(model: Model, outputs: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the numbers that outputs stand for, (n, output bytes), in the order of the bytes.

    Raises:
        FieldError: the scale isn't known.
    """
    centred = outputs.astype(np.int32) - model.output.zero_point
    return centred.astype(np.float32) * _scale("output scale", model.output)


def _scale(field: str, known: Quantization) -> np.float32:
    if not known.scale:
        raise FieldError(field, "unknown", "a model imported from floats")
    return np.uint32(known.scale).view(np.float32)
