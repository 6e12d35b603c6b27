"""Batches run again, with progress on stderr."""

from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from tallystick.actions.batch_data import BatchData
from tallystick.actions.chain_view import ActionError
from tallystick.actions.rerun import check_registered, mismatches, proof, takes_game
from tallystick.cli.bars import bar
from tallystick.cli.command import CommandError
from tallystick.cli.session import Session
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.ledger import Ledger
from tallystick.replay.model import Model
from tallystick.storage.batch_parser import GuardedStore
from tallystick.storage.models.content import needs_trace


class Loaded(NamedTuple):
    """A batch, and the model that it is of."""

    ledger: Ledger
    data: BatchData
    model: Model
    """Found to be the registered one."""

    @property
    def is_traced(self) -> bool:
        """True if a leaf's traceRoot has to be right too."""
        return needs_trace(self.ledger.models[self.data.record.batch.model_id].spec_hash)


def replay_batch(session: Session, key: bytes, file: Path, store: str) -> None:
    """Print the leaves whose output is not the model's; CommandError when there is one."""
    loaded = load(session, key, file, store)
    data = loaded.data
    with bar("replay (leaves)") as progress:
        found = mismatches(data, loaded.model, progress, loaded.is_traced)
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
        ActionError: every answer is the model's, or the named one; or it takes a game.
    """
    loaded = load(session, key, file, store)
    index = wrong_leaf(loaded, leaf, among)
    return index, proof(*loaded, index)


def wrong_leaf(loaded: Loaded, leaf: int | None, among: Collection[int] | None = None) -> int:
    """Return a wrong leaf of a batch: the first that takes no game, else the first.

    Args:
        loaded: the batch.
        leaf: index of the one that is meant; None: any.
        among: leaves that come into question; None: all.

    Raises:
        ActionError: every answer is the model's, or the named one.
    """
    with bar("replay (leaves)") as progress:
        found = mismatches(loaded.data, loaded.model, progress, loaded.is_traced)
    wrong = [one.leaf_index for one in found]
    if among is not None:
        wrong = [index for index in wrong if index in among]
    if leaf is None and not wrong:
        which = "answer" if among is None else "drawn answer"
        raise ActionError(f"every {which} is the model's; there is nothing to disprove")
    if leaf is not None and leaf not in wrong:
        raise ActionError(f"the answer at leaf {leaf} is the model's; wrong leaves: {len(wrong)}")
    if leaf is not None:
        return leaf
    return next((one for one in wrong if not takes_game(*loaded, one)), wrong[0])


def load(session: Session, key: bytes, file: Path, store: str) -> Loaded:
    """Return a batch's data, and its model.

    Raises:
        ActionError: the registry has no such batch.
        StoreError: the store lacks its data, or has others.
        ModelError: the file is another model than the registered one.
    """
    ledger = session.ledger_of(key)
    if key not in ledger.batches:
        raise ActionError(f"this registry has no batch {to_hex(key)}")
    data, model = BatchData.load(GuardedStore(store), ledger.batches[key]), Model.read(file)
    check_registered(ledger, data, model)
    return Loaded(ledger, data, model)
