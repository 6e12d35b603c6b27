"""Meanings of a store's failure: it has no such file, had it once, or cannot be asked now.

Only the first two say something of whoever keeps the store. fsspec tells all of them by one
exception for some file systems, with what happened under it.
"""

from collections.abc import Iterator
from enum import Enum

from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped]


class StoreFailure(Enum):
    """A failure's meaning."""

    MISSING = "missing"
    PRUNED = "pruned"
    UNREACHABLE = "unreachable"


def failure_of_status(status: int) -> StoreFailure:
    """Return what an HTTP status other than 200 says of a file.

    >>> failure_of_status(404).value, failure_of_status(403).value
    ('missing', 'unreachable')
    """
    known = {404: StoreFailure.MISSING, 410: StoreFailure.PRUNED}
    return known.get(status, StoreFailure.UNREACHABLE)


def failure_of(error: BaseException) -> StoreFailure:
    """Return what a file system's error says of a file."""
    for cause in _causes(error):
        status = getattr(cause, "status", None)
        if isinstance(status, int) and status:
            return failure_of_status(status)
        if not isinstance(cause, FileNotFoundError) and isinstance(cause, OSError | TimeoutError):
            return StoreFailure.UNREACHABLE
    is_missing = isinstance(error, FileNotFoundError) and not _is_of_aiohttp(error.__cause__)
    return StoreFailure.MISSING if is_missing else StoreFailure.UNREACHABLE


def reason_of(error: BaseException) -> str:
    """Return why a store could not be asked, in one line: the innermost thing that says so."""
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(status := getattr(cause, "status", None), int) and status:
            return f"HTTP {status}"
    said = [" ".join(str(cause).split()) or type(cause).__name__ for cause in causes]
    return said[-1][:300]


def is_there(fs: object, folder: str) -> bool:
    """Return whether a store's folder is there, where that can be told without a listing."""
    return not isinstance(fs, LocalFileSystem) or bool(fs.isdir(folder))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _is_of_aiohttp(cause: BaseException | None) -> bool:
    return cause is not None and type(cause).__module__.startswith("aiohttp")
