"""Locks of files, between processes: free once their holder is gone, killed or not."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


def try_lock(path: Path, shared: bool = False) -> IO[str] | None:
    """Take a file's lock for as long as the file that is returned stays open.

    Args:
        path: made when it is missing; its folder is there.
        shared: others who say so too may have it beside.

    Returns:
        The open file; None when another process has the lock.

    Raises:
        OSError: the file cannot be opened.
    """
    file = path.open("a")
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a file's lock; waits for it. Its folder is made when it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
