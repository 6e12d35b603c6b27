"""Drawn leaves run again, by a model that the caller brings."""

from collections.abc import Callable, Iterable, Mapping

from tallystick.actions.batch_data import BatchData
from tallystick.actions.chain_view import ActionError
from tallystick.protocol.keccak import keccak256

Run = Callable[[bytes], bytes]
"""The model: from the canonical input bytes to the canonical output bytes."""


def recomputed(data: BatchData, indices: Iterable[int], run: Run) -> Mapping[int, bytes]:
    """Return the output hash by leaf, of a run of one's own.

    Args:
        data: the batch's.
        indices: of the leaves to run.
        run: the model.

    Raises:
        ActionError: there is no such leaf, or the store has its hashes only.
    """
    found = {}
    for index in indices:
        given = data.leaf(index).record.input
        if given is None:
            raise ActionError(f"the store has no input of leaf {index}, only its hash")
        found[index] = keccak256(run(given))
    return found
