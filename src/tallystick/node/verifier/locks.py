"""Processes of one node share batches out among themselves by locks that die with their holder."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def taken(folder: Path, batch_id: bytes) -> Iterator[bool]:
    """Take a batch while inside; yields False when somebody else has it.

    Batches whose ids begin with the same 12 bits count as one: so there are 4,096 files at most.

    Args:
        folder: of the locks; all processes of the node share it.
        batch_id: 32 bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"batch-{batch_id.hex()[:3]}.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
