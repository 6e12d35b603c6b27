"""Scales and zero points of a quantized node."""

import numpy as np
from numpy.typing import NDArray

from tallystick.replay.graph import Array, GraphNode
from tallystick.replay.requantize import is_normal, scale_bits

MAX_PORTABLE_U8S8 = 64
"""Greatest magnitude of int8 weights under uint8 activations: two products then fit in the 16 bits
in which AVX2 adds them up."""


def scale_of(node: GraphNode, place: int) -> np.float32:
    """Return a scale that holds for a whole tensor."""
    scale = node.constant(place)
    if scale.size != 1:
        raise node.refusal("an activation has a scale per channel", "one scale per activation")
    _check_scale(node, scale)
    return np.float32(scale.reshape(()))


def _check_scale(node: GraphNode, scale: Array) -> None:
    for value in scale.astype(np.float32).ravel():
        if not is_normal(scale_bits(value)):
            raise node.refusal(
                f"scale is {value}; needed: positive and normal", "calibrate with other samples"
            )


def scales_of(node: GraphNode, x: int, w: int, y: int, out_c: int) -> NDArray[np.uint32]:
    """Return f32(f32(scale of x * scale of w) / scale of y) per output channel, as bits."""
    weights = node.constant(w).astype(np.float32).ravel()
    if weights.size not in (1, out_c):
        raise node.refusal(f"{weights.size} scales for {out_c} channels", "one, or one per channel")
    _check_scale(node, weights)
    with np.errstate(all="ignore"):
        products = scale_of(node, x) * weights
        scales = products / scale_of(node, y)
    # Some processors take subnormal numbers for zero, so there must be none on the way either.
    _check_scale(node, products)
    _check_scale(node, scales)
    return np.broadcast_to(scales, (out_c,)).view(np.uint32)


def zero_point_of(node: GraphNode, place: int) -> tuple[int, bool]:
    """Return an activation's zero point as stored, and whether the activation is signed."""
    value = node.optional(place)
    if value is None:
        return 0, False
    if value.size != 1 or value.dtype not in (np.dtype(np.uint8), np.dtype(np.int8)):
        raise node.refusal(f"a zero point is {value.dtype} {value.shape}", "one of 8 bits")
    signed = value.dtype == np.int8
    return int(value.reshape(())) + 128 * signed, signed


def weights_zero_point(node: GraphNode, place: int, rows: Array) -> int:
    """Return the zero point of all weights as stored."""
    value = node.optional(place)
    if value is None:
        return 128 if rows.dtype == np.int8 else 0
    found = np.unique(value)
    if found.size != 1:
        raise node.refusal(
            "zero points of its weights differ between channels", "symmetric weights"
        )
    return int(found[0]) + 128 * (rows.dtype == np.int8)


def check_types(node: GraphNode, signed: bool, rows: Array) -> None:
    """Raise UnportableError where processors multiply these types differently."""
    if rows.dtype not in (np.dtype(np.uint8), np.dtype(np.int8)):
        raise node.refusal(f"its weights are {rows.dtype}", "weights of 8 bits")
    if signed and rows.dtype == np.uint8:
        raise node.refusal("int8 activations meet uint8 weights", "both signed, or both unsigned")
    if overflows(signed, rows):
        raise node.refusal(
            f"int8 weights beyond {MAX_PORTABLE_U8S8} under uint8 activations overflow on AVX2",
            "weights of 7 bits (reduce_range), or both signed, or both unsigned",
        )


def overflows(signed: bool, rows: Array) -> bool:
    """Return whether AVX2 cannot add up two products of activations and weights."""
    if signed or rows.dtype != np.int8 or not rows.size:
        return False
    return int(np.abs(rows.astype(np.int64)).max()) > MAX_PORTABLE_U8S8
