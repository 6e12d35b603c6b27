"""One writer at a time in a data folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tallystick.data.extract.errors import ExtractError
from tallystick.storage.file_lock import try_lock


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder's lock; ExtractError when another process does. A crash frees it."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = try_lock(folder / ".lock")
    if lock is None:
        raise ExtractError(f"another process is writing to {folder}")
    with lock:
        yield
