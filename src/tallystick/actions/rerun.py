"""A batch run again: where its answers are not the model's, and the proof of one that is not."""

from collections.abc import Iterator
from typing import NamedTuple

from tallystick.actions.batch_data import BatchData
from tallystick.actions.chain_view import ActionError
from tallystick.protocol.abi_words import ZERO32
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.ledger import Ledger
from tallystick.protocol.progress import Progress
from tallystick.replay.engine import Engine
from tallystick.replay.evidence import check_model, evidence, game_disproof
from tallystick.replay.game import GAME_SPEC_ID, infer_traced
from tallystick.replay.model import Model

CHUNK = 256
"""Inferences run at once."""


class Mismatch(NamedTuple):
    """A leaf whose output is not the model's, or under QI8-1T its traceRoot."""

    leaf_index: int
    committed: bytes
    """Hash of the output, as committed."""
    output: bytes
    """The model's answer; empty when the input is not one of the model's."""


def check_registered(ledger: Ledger, data: BatchData, model: Model) -> None:
    """Raise ModelError unless a batch's model is this one."""
    known = ledger.models[data.record.batch.model_id]
    check_model(model, known.network_id, known.registrant, known.parent, known.id, known.spec_hash)


def mismatches(
    data: BatchData, model: Model, progress: Progress | None = None, traced: bool = False
) -> list[Mismatch]:
    """Run every leaf of a batch again; progress is told in leaves.

    Args:
        data: the batch's.
        model: the batch's.
        progress: told how far it is.
        traced: whether a leaf with another traceRoot than the inference's is wrong, as of QI8-1T.

    Raises:
        ActionError: the store has a leaf's hashes only, not its input.
    """
    engine, size, found = Engine(model), model.steps[0].in_size, []
    for start in range(0, len(data.records), CHUNK):
        records = data.records[start : start + CHUNK]
        inputs = [input_of(data, start + n) for n in range(len(records))]
        fitting = [given for given in inputs if len(given) == size]
        answers = iter(_answers(engine, fitting, traced) if fitting else [])
        for place, (record, given) in enumerate(zip(records, inputs, strict=True)):
            # Of an input of another length no output is right, and the arbiter says so too.
            output, root = next(answers) if len(given) == size else (b"", None)
            right = bool(output) and keccak256(output) == record.output_hash
            if not right or root not in (None, record.trace_root):
                found.append(Mismatch(start + place, record.output_hash, output))
        if progress:
            progress(start + len(records), len(data.records))
    return found


def _answers(
    engine: Engine, inputs: list[bytes], traced: bool
) -> Iterator[tuple[bytes, bytes | None]]:
    """Yield the output of each input, and its traceRoot where it is asked for."""
    if not traced:
        yield from ((output, None) for output in engine.infer(inputs))
        return
    # One at a time: a large model's tensors of many would not fit the memory.
    yield from (infer_traced(engine, given) for given in inputs)


def proof(ledger: Ledger, data: BatchData, model: Model, leaf_index: int) -> bytes:
    """Return the evidence by which a Replay, or a replay game without a game, rules on a leaf.

    Args:
        ledger: that the batch is from.
        data: the batch's.
        model: the batch's, as check_registered finds.
        leaf_index: of the leaf.

    Raises:
        ActionError: the store has not the leaf's input; or it takes a game.
    """
    known = ledger.models[data.record.batch.model_id]
    given = input_of(data, leaf_index)
    if takes_game(ledger, data, model, leaf_index):
        raise ActionError(
            f"leaf {leaf_index} is wrong, and no transaction alone proves it: it takes a game, as "
            "`ape tallystick disprove BATCH --model FILE` plays it"
        )
    prove = game_disproof if known.spec_hash == GAME_SPEC_ID else evidence
    return prove(model, known.network_id, known.registrant, known.parent, given)


def takes_game(ledger: Ledger, data: BatchData, model: Model, leaf_index: int) -> bool:
    """Return whether a wrong leaf can be proved wrong only by a game's moves; see proof."""
    if ledger.models[data.record.batch.model_id].spec_hash != GAME_SPEC_ID:
        return False
    fits = len(input_of(data, leaf_index)) == model.steps[0].in_size
    return fits and data.records[leaf_index].trace_root != ZERO32


def input_of(data: BatchData, leaf_index: int) -> bytes:
    """Return a leaf's input; ActionError where the store has its hash only."""
    given = data.records[leaf_index].input
    if given is None:
        raise ActionError(f"the store has no input of leaf {leaf_index}, only its hash")
    return given
