"""A batch run again: where its answers are not the model's, and the proof of one that is not."""

from typing import NamedTuple

from tallystick.actions.batch_data import BatchData
from tallystick.actions.chain_view import ActionError
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.ledger import Ledger
from tallystick.protocol.progress import Progress
from tallystick.replay.engine import Engine
from tallystick.replay.evidence import check_model, evidence
from tallystick.replay.model import Model

CHUNK = 256
"""Inferences run at once."""


class Mismatch(NamedTuple):
    """A leaf whose output is not the model's."""

    leaf_index: int
    committed: bytes
    """Hash of the output, as committed."""
    output: bytes
    """The model's answer; empty when the input is not one of the model's."""


def check_registered(ledger: Ledger, data: BatchData, model: Model) -> None:
    """Raise ModelError unless a batch's model is this one."""
    known = ledger.models[data.record.batch.model_id]
    check_model(model, known.network_id, known.registrant, known.parent, known.id)


def mismatches(data: BatchData, model: Model, progress: Progress | None = None) -> list[Mismatch]:
    """Run every leaf of a batch again; progress is told in leaves.

    Raises:
        ActionError: the store has a leaf's hashes only, not its input.
    """
    engine, size, found = Engine(model), model.steps[0].in_size, []
    for start in range(0, len(data.records), CHUNK):
        records = data.records[start : start + CHUNK]
        inputs = [_input(record.input, start + n) for n, record in enumerate(records)]
        fitting = [given for given in inputs if len(given) == size]
        answers = iter(engine.infer(fitting) if fitting else [])
        for place, (record, given) in enumerate(zip(records, inputs, strict=True)):
            # Of an input of another length no output is right, and the arbiter says so too.
            output = next(answers) if len(given) == size else b""
            if not output or keccak256(output) != record.output_hash:
                found.append(Mismatch(start + place, record.output_hash, output))
        if progress:
            progress(start + len(records), len(data.records))
    return found


def proof(ledger: Ledger, data: BatchData, model: Model, leaf_index: int) -> bytes:
    """Return the evidence by which a Replay rules on a leaf.

    Args:
        ledger: that the batch is from.
        data: the batch's.
        model: the batch's, as check_registered finds.
        leaf_index: of the leaf.

    Raises:
        ActionError: the store has not the leaf's input.
    """
    known = ledger.models[data.record.batch.model_id]
    given = _input(data.records[leaf_index].input, leaf_index)
    return evidence(model, known.network_id, known.registrant, known.parent, given)


def _input(given: bytes | None, leaf_index: int) -> bytes:
    if given is None:
        raise ActionError(f"the store has no input of leaf {leaf_index}, only its hash")
    return given
