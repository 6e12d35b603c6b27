"""Processes of one node share batches out among themselves by locks that die with their holder."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from tallystick.storage.file_lock import try_lock


@contextmanager
def taken(folder: Path, batch_id: bytes) -> Iterator[bool]:
    """Take a batch while inside; yields False when somebody else has it.

    Batches whose ids begin with the same 12 bits count as one: so there are 4,096 files at most.

    Args:
        folder: of the locks; all processes of the node share it.
        batch_id: 32 bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = try_lock(folder / f"batch-{batch_id.hex()[:3]}.lock")
    with lock or nullcontext():
        yield lock is not None
