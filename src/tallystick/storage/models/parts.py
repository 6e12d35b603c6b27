"""A model's files as one run of bytes: the graph's first, then those beside it."""

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from tallystick.storage.models.errors import ModelCorruptError

MAX_FILES = 4096


class Part(NamedTuple):
    """A file beside the graph's."""

    name: str
    """Path from the graph's folder."""
    size: int
    """Bytes."""


def is_safe(name: str) -> bool:
    """Return whether a file of this name stays in the graph's folder, and is not a hidden one.

    >>> [is_safe(name) for name in ("weights.bin", "part/1", "../1", "/1", ".profile", "a/.b", "")]
    [True, True, False, False, False, False, False]
    """
    path = PurePosixPath(name)
    plain = bool(name) and str(path) == name and not path.is_absolute()
    return plain and "\\" not in name and not any(one.startswith(".") for one in path.parts)


def paths_of(graph: Path, names: Sequence[str]) -> list[Path]:
    """Return the graph's file and those beside it."""
    return [graph, *(graph.parent / name for name in names)]


def sizes_of(size: int, parts: Sequence[Part]) -> list[int]:
    """Return the bytes of the graph's file and of those beside it; `size` is of all."""
    return [size - sum(part.size for part in parts), *(part.size for part in parts)]


def read_span(paths: Sequence[Path], sizes: Sequence[int], start: int, end: int) -> bytes:
    """Return bytes of the run; fewer where a file is shorter than it was.

    Raises:
        OSError: a file cannot be read.
    """
    data = b""
    for path, at, count in _within(paths, sizes, start, end):
        with path.open("rb") as file:
            file.seek(at)
            data += file.read(count)
    return data


def write_span(paths: Sequence[Path], sizes: Sequence[int], start: int, data: bytes) -> None:
    """Write bytes of the run, into files that are there or not.

    Raises:
        OSError: a file cannot be written.
    """
    done = 0
    for path, at, count in _within(paths, sizes, start, start + len(data)):
        with path.open("r+b" if path.exists() else "w+b") as file:
            file.seek(at)
            file.write(data[done : done + count])
        done += count


def check_names(found: Sequence[str], needed: Sequence[str]) -> None:
    """Raise ModelCorruptError unless files are those that the graph names."""
    if list(found) != list(needed):
        shown = ", ".join(needed) or "none"
        raise ModelCorruptError(f"files {', '.join(found)}; the graph names {shown}")


def _within(
    paths: Sequence[Path], sizes: Sequence[int], start: int, end: int
) -> Iterator[tuple[Path, int, int]]:
    """Yield each file of a span, where in it the span begins, and how many bytes it takes."""
    first = 0
    for path, size in zip(paths, sizes, strict=True):
        low, high = max(start, first), min(end, first + size)
        if low < high:
            yield path, low - first, high - low
        first += size
