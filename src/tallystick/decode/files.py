"""A decoded file for each file of raw logs; done again only where the raw file is another one."""

import json
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tallystick.decode.columns import layouts
from tallystick.decode.decode import decode
from tallystick.decode.words import DecodeError
from tallystick.durable import parquet, replace_file
from tallystick.extract.dataset import Core, Dataset
from tallystick.extract.lock import locked
from tallystick.extract.manifest import Part
from tallystick.extract.schema import LOGS, UNIQUE
from tallystick.progress import Progress

VERSION = 3
"""Of the decoded columns; another one decodes everything anew."""
NOTE_EVERY = 1.0
"""Seconds between two notes of what is done."""


def decode_core(data: Dataset, core: Core, progress: Progress | None = None) -> int:
    """Bring a core's decoded events up to its raw logs; return how many files were decoded.

    Each table has a file of the first part, with or without rows, so that its columns are known.

    Raises:
        FileNotFoundError: its logs were never extracted.
        DecodeError: a log is not an event of the core; names the file.
    """
    with locked(data.logs(core)):
        parts = {part.name: part for part in data.read_manifest(core).parts}
        known = _read(data, core)
        done = {name: part.sha256 for name, part in parts.items() if known.get(name) == part.sha256}
        stale = [part for name, part in parts.items() if name not in done]
        _remove(data, core, keep=set(parts))
        noted = time.monotonic()
        for count, part in enumerate(stale):
            if progress:
                progress(count, len(stale))
            logs = pq.read_table(data.logs(core) / part.name, schema=LOGS)
            decode_part(data, core, part, logs, first=part.name == min(parts))
            done[part.name] = part.sha256
            if time.monotonic() - noted > NOTE_EVERY:
                _note(data, core, done)
                noted = time.monotonic()
        if done != known:
            _note(data, core, done)
        if progress:
            progress(len(stale), len(stale))
        return len(stale)


def is_decoded(data: Dataset, core: Core) -> bool:
    """Whether every file of a core's raw logs is decoded, as it is now."""
    marks = _read(data, core)
    return marks == {part.name: part.sha256 for part in data.read_manifest(core).parts}


def note_decoded(data: Dataset, core: Core) -> None:
    """Note that every file of a core's raw logs is decoded, as it is now."""
    _note(data, core, {part.name: part.sha256 for part in data.read_manifest(core).parts})


def note_parts(data: Dataset, core: Core, done: Mapping[str, str]) -> None:
    """Note that these files are decoded: SHA-256 of the raw files, by name."""
    if done:
        _note(data, core, {**_read(data, core), **done})


def decode_part(data: Dataset, core: Core, part: Part, logs: pa.Table, first: bool) -> None:
    """Write the decoded files of one raw file; to be noted by the caller.

    Args:
        data: the folder.
        core: whose logs.
        part: the raw file.
        logs: what it holds.
        first: whether each table gets a file, with or without rows.

    Raises:
        DecodeError: a log is not an event of the core.
    """
    try:
        tables = decode(logs, core)
    except DecodeError as error:
        raise DecodeError(f"{data.logs(core) / part.name}: {error}") from None
    write_events(data, core, part, tables, first)


def write_events(
    data: Dataset, core: Core, part: Part, tables: Mapping[str, pa.Table], first: bool
) -> None:
    """Write a raw file's events, a file for each table that has rows.

    Args:
        data: the folder.
        core: whose events.
        part: the raw file.
        tables: by the event's name.
        first: whether each table gets a file, with or without rows.
    """

    wanted = [name for name, table in tables.items() if len(table) or first]
    for name in tables.keys() - wanted:
        (data.events(name, core) / part.name).unlink(missing_ok=True)

    def write(name: str) -> None:
        # What repeats is in dictionaries already.
        text = [field.name for field in tables[name].schema if field.type == pa.string()]
        content = parquet(tables[name], unique=[*text, *UNIQUE])
        replace_file(data.events(name, core) / part.name, content)

    # Compressing lets other threads run.
    with ThreadPoolExecutor() as pool:
        list(pool.map(write, wanted))


def _remove(data: Dataset, core: Core, keep: set[str]) -> None:
    """Remove decoded files of raw files that are gone, and what a crash left."""
    for layout in layouts():
        folder = data.events(layout.name, core)
        for path in folder.iterdir() if folder.exists() else ():
            if path.name not in keep:
                path.unlink()


def _read(data: Dataset, core: Core) -> Mapping[str, str]:
    """Return SHA-256 of the raw files that are decoded, by name."""
    try:
        found = json.loads(_marks(data, core).read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    parts: Mapping[str, str] = found["parts"] if found.get("version") == VERSION else {}
    return parts


def _note(data: Dataset, core: Core, done: Mapping[str, str]) -> None:
    # In the order of blocks, whatever the order of work: equal folders are equal to the byte.
    body = {"version": VERSION, "parts": dict(sorted(done.items()))}
    replace_file(_marks(data, core), json.dumps(body, indent=1).encode())


def _marks(data: Dataset, core: Core) -> Path:
    path = data.manifest(core)
    return path.parent / "decoded" / path.name
