"""Batches run again, with progress on stderr."""

from collections.abc import Collection
from pathlib import Path

from tallystick.actions.batch_data import BatchData
from tallystick.actions.chain_view import ActionError
from tallystick.actions.rerun import check_registered, mismatches, proof
from tallystick.cli.bars import bar
from tallystick.cli.command import CommandError
from tallystick.cli.session import Session
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.ledger import Ledger
from tallystick.replay.model import Model
from tallystick.storage.batch_parser import GuardedStore
from tallystick.storage.models.content import needs_trace


def replay_batch(session: Session, key: bytes, file: Path, store: str) -> None:
    """Print the leaves whose output is not the model's; CommandError when there is one."""
    ledger, data, model = _load(session, key, file, store)
    with bar("replay (leaves)") as progress:
        found = mismatches(data, model, progress, _traced(ledger, data))
    session.show(
        {
            "batch_id": key,
            "leaves": len(data.records),
            "wrong": len(found),
            "mismatches": [
                {"leaf": one.leaf_index, "committed": to_hex(one.committed), "output": one.output}
                for one in found
            ],
        }
    )
    if found:
        raise CommandError(f"{len(found)} of {len(data.records)} answers are not the model's")


def proof_of(
    session: Session,
    key: bytes,
    leaf: int | None,
    file: Path,
    store: str,
    among: Collection[int] | None = None,
) -> tuple[int, bytes]:
    """Return a wrong leaf of a batch, the first unless one is named, and the proof that it is.

    Args:
        session: of the command.
        key: the batch's id.
        leaf: index of the leaf; None: the first wrong one.
        file: the batch's model.
        store: of its data.
        among: leaves that come into question; None: all.

    Raises:
        ActionError: every answer is the model's, or the named one.
    """
    ledger, data, model = _load(session, key, file, store)
    with bar("replay (leaves)") as progress:
        wrong = [one.leaf_index for one in mismatches(data, model, progress, _traced(ledger, data))]
    if among is not None:
        wrong = [index for index in wrong if index in among]
    if leaf is None and not wrong:
        which = "answer" if among is None else "drawn answer"
        raise ActionError(f"every {which} is the model's; there is nothing to disprove")
    if leaf is not None and leaf not in wrong:
        raise ActionError(f"the answer at leaf {leaf} is the model's; wrong leaves: {len(wrong)}")
    index = wrong[0] if leaf is None else leaf
    return index, proof(ledger, data, model, index)


def _traced(ledger: Ledger, data: BatchData) -> bool:
    return needs_trace(ledger.models[data.record.batch.model_id].spec_hash)


def _load(session: Session, key: bytes, file: Path, store: str) -> tuple[Ledger, BatchData, Model]:
    """Return the ledger, a batch's data, and its model, found to be the one registered."""
    ledger = session.ledger_of(key)
    if key not in ledger.batches:
        raise ActionError(f"this registry has no batch {to_hex(key)}")
    data, model = BatchData.load(GuardedStore(store), ledger.batches[key]), Model.read(file)
    check_registered(ledger, data, model)
    return ledger, data, model
