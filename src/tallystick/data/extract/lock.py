"""One writer at a time in a data folder."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tallystick.data.extract.errors import ExtractError


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder's lock; ExtractError when another process does. A crash frees it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ExtractError(f"another process is writing to {folder}") from None
        yield
