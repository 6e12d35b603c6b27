"""Perplexity: how well a model foretells a text; the lower, the better."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from tallystick.errors import FieldError
from tallystick.llm.engine.protocol import Engine, Row


def perplexity(
    engine: Engine,
    ids: Sequence[int],
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> float:
    """Return e to the mean of -ln of the probability that the model gave to each id but the first.

    Args:
        engine: runs the model.
        ids: of the text, at least 2.
        progress: is told how many ids are read, of how many.

    Raises:
        FieldError: fewer ids, more than fit the engine, or one that no token has.
        EngineError: the engine failed.
    """
    if len(ids) < 2:
        raise FieldError("ids", f"{len(ids)} of them", "2 or more")
    total = 0.0

    def read(position: int, row: Row) -> None:
        nonlocal total
        if position + 1 < len(ids):
            logits = row.astype(np.float64)
            most = float(logits.max())
            total += most + math.log(np.exp(logits - most).sum()) - float(logits[ids[position + 1]])
        progress(position + 1, len(ids))

    engine.prefill(ids, 0, read).wait()
    return math.exp(total / (len(ids) - 1))
