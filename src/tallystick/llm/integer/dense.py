"""Products of matrices and rows of 16 bits, by onnxruntime's kernels of 8 bits."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import onnx
import onnxruntime  # type: ignore[import-untyped]
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from tallystick.llm.integer.arithmetic import FRACTION, LIMIT, Integers, scale_by
from tallystick.llm.integer.model import Matrix

_ZERO = 128


class Fixed(NamedTuple):
    """A form of integers: where the point is, and how large they get."""

    fraction: int
    """Bits behind the point."""
    limit: int
    """Largest magnitude."""


RESIDUAL = Fixed(FRACTION, LIMIT)
"""Of the residual stream and all that has no form of its own."""


class Dense:
    """Matrices that are applied to the same rows, one below the other.

    Bytes on both sides are without a sign: that kernel adds up exactly on every processor, where
    one of mixed signs saturates on some. Sums stay below 2^31: 255 * 255 * 32,768.

    Args:
        sources: of as many columns each, at most 32,768; all of weights of 8 bits, or of 16.
    """

    def __init__(self, *sources: Matrix) -> None:
        self._exponents = [source.exponent for source in sources]
        self._mantissas = [source.mantissas.astype(np.int64) for source in sources]
        weights = np.concatenate([source.weights for source in sources])
        self._wide = weights.itemsize == 2
        self._ends = np.cumsum([len(source.weights) for source in sources])[:-1]
        self._shifted = _ZERO * weights.sum(axis=1, dtype=np.int64)
        """What the lower bytes' zero is worth, a row."""
        if self._wide:
            weights = np.concatenate([weights >> 8, (weights & 255) - _ZERO])
        self._session = _session(weights)

    def apply(self, rows: Integers, exponents: Integers, forms: Sequence[Fixed]) -> list[Integers]:
        """Return the products with each matrix, in a form each.

        Args:
            rows: rows x columns, magnitudes below 2^15.
            exponents: of two, a number a row.
            forms: one a matrix.
        """
        # Upper and lower bytes at once: the weights are read once.
        halves = np.concatenate([(rows >> 8) + _ZERO, rows & 255]).astype(np.uint8)
        (sums,) = self._session.run(None, {"rows": halves})
        if self._wide:
            upper, lower = np.split(sums.astype(np.int64), 2, axis=1)
            sums = (upper << 8) + lower
            # What the weights' own lower bytes' zero is worth, a row of bytes.
            whole = halves.sum(axis=1, dtype=np.int64) - _ZERO * halves.shape[1]
            sums += _ZERO * whole[:, None]
        exact = sums[: len(rows)].astype(np.int64)
        exact <<= 8
        exact += sums[len(rows) :]
        exact += self._shifted
        return [
            scale_by(part * mantissas, exponents[:, None] + (exponent + form.fraction), form.limit)
            for part, mantissas, exponent, form in zip(
                np.split(exact, self._ends, axis=1),
                self._mantissas,
                self._exponents,
                forms,
                strict=True,
            )
        ]


def _session(weights: NDArray[Any]) -> onnxruntime.InferenceSession:
    """Return what multiplies rows by weights, both of 8 bits around 128."""
    columns = np.ascontiguousarray((weights.astype(np.int16) + _ZERO).astype(np.uint8).T)
    zero = numpy_helper.from_array(np.array(_ZERO, np.uint8), "zero")
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["rows", "weights", "zero", "zero"], ["sums"])],
        "dense",
        [helper.make_tensor_value_info("rows", TensorProto.UINT8, [None, columns.shape[0]])],
        [helper.make_tensor_value_info("sums", TensorProto.INT32, [None, columns.shape[1]])],
        [numpy_helper.from_array(columns, "weights"), zero],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
