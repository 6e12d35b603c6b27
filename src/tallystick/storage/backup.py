"""Copies of a node's data folder, made while the node runs, and the way back.

SQLite files are copied by SQLite's own backup, in which a running writer's transaction is whole or
absent. They go first: what they name (batches, models) was there before it was noted, and is
therefore in the files that are copied after them.
"""

import hashlib
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tallystick.errors import TallystickError
from tallystick.protocol.format_version import unknown_version
from tallystick.protocol.progress import Progress

VERSION = 1
INDEX = "backup.json"
_SQLITE = b"SQLite format 3\0"
_LEFT = (".lock", ".part", ".tmp", "-wal", "-shm", "-journal")
"""Ends of names of what only a running process needs."""


class BackupError(TallystickError, RuntimeError):
    """A folder cannot be backed up or restored."""


@dataclass(frozen=True, slots=True)
class Copied:
    """The files that were copied."""

    files: int
    journals: int
    """Of the files, those of SQLite."""
    size: int
    """Bytes."""


def back_up(folder: Path, target: Path, progress: Progress | None = None) -> Copied:
    """Copy a data folder while processes may write to it.

    Args:
        folder: `common.data` of a node's settings, or a folder in it.
        target: a new folder; it appears under its name only when it is whole.
        progress: called with files done and files in all.

    Raises:
        BackupError: there is nothing to copy, the target is there, or lies in the folder.
        OSError, sqlite3.Error: a file cannot be read or written.
    """
    if target.exists():
        raise BackupError(f"{target} is there already; needed: a new folder")
    if target.resolve().is_relative_to(folder.resolve()):
        raise BackupError(f"{target} lies in {folder}, which it is to be a copy of")
    journals = [path for path in _files(folder) if _is_sqlite(path)]
    if not journals:
        raise BackupError(f"{folder} holds no journal; needed: a node's data folder")
    unfinished = target.with_name(f"{target.name}.part")
    shutil.rmtree(unfinished, ignore_errors=True)
    total, index = len(journals), {}

    def note(path: Path, done: int, of: int) -> None:
        copied = unfinished / path.relative_to(folder)
        with copied.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        index[str(path.relative_to(folder))] = digest
        if progress:
            progress(done, of)

    for done, path in enumerate(journals, 1):
        copy = _place(unfinished, folder, path)
        with (
            closing(sqlite3.connect(path, timeout=60)) as source,
            closing(sqlite3.connect(copy)) as copied,
        ):
            # In one go: in steps, each write of another process would start it anew. In WAL mode,
            # as journals are, it keeps no writer waiting.
            source.backup(copied)
            # One file, that may be read from a disk nobody can write to.
            copied.execute("pragma journal_mode = delete")
        note(path, done, total)
    others = [path for path in _files(folder) if path not in set(journals)]
    for done, path in enumerate(others, 1):
        try:
            shutil.copy2(path, _place(unfinished, folder, path))
        except FileNotFoundError:
            continue  # pruned meanwhile
        note(path, total + done, total + len(others))
    body = {"version": VERSION, "files": index}
    (unfinished / INDEX).write_text(json.dumps(body, indent=1) + "\n")
    size = sum((unfinished / name).stat().st_size for name in index)
    unfinished.rename(target)
    return Copied(len(index), len(journals), size)


def restore(backup: Path, folder: Path, progress: Progress | None = None) -> Copied:
    """Put a backup where a node will look for it, once each file is what it was.

    Args:
        backup: what `back_up` wrote.
        folder: new or empty.
        progress: called with files done and files in all.

    Raises:
        BackupError: it is no backup, of another version, or broken; or the folder is not empty.
        OSError: a file cannot be read or written.
    """
    if folder.exists() and any(folder.iterdir()):
        raise BackupError(f"{folder} is not empty; needed: a new folder, and no running node")
    index = _read_index(backup)
    journals = size = 0
    for done, (name, digest) in enumerate(index.items(), 1):
        path = backup / name
        if not path.resolve().is_relative_to(backup.resolve()):
            raise BackupError(f"{backup / INDEX}: {name} lies outside the backup")
        try:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError as error:
            raise BackupError(f"{path} is missing from the backup") from error
        if found != digest:
            raise BackupError(f"{path} is not what was backed up: its SHA-256 differs")
        journals += _is_sqlite(path)
        size += path.stat().st_size
        if progress:
            progress(done, len(index))
    unfinished = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(unfinished, ignore_errors=True)
    for name in index:
        shutil.copy2(backup / name, _place(unfinished, backup, backup / name))
    if folder.exists():
        folder.rmdir()
    unfinished.rename(folder)
    return Copied(len(index), journals, size)


def _read_index(backup: Path) -> dict[str, str]:
    path = backup / INDEX
    try:
        found = json.loads(path.read_bytes())
        if wrong := unknown_version("backup", found.get("version"), VERSION):
            raise BackupError(f"{path}: {wrong}")
        return {str(name): str(digest) for name, digest in found["files"].items()}
    except FileNotFoundError as error:
        raise BackupError(f"{backup} is no backup: it has no {INDEX}") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BackupError(f"{path} is no index of a backup: {error}") from error


def _files(folder: Path) -> Iterator[Path]:
    """Yield what a node cannot do without, in the order of names."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and not path.name.endswith(_LEFT):
            yield path


def _is_sqlite(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_SQLITE)) == _SQLITE


def _place(target: Path, folder: Path, path: Path) -> Path:
    place = target / path.relative_to(folder)
    place.parent.mkdir(parents=True, exist_ok=True)
    return place
