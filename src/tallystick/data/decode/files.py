"""A decoded file for each file of raw logs; done again only where the raw file is another one."""

import json
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tallystick.data.decode.columns import layouts
from tallystick.data.decode.decode import decode
from tallystick.data.decode.words import DecodeError
from tallystick.data.extract.dataset import ContractKey, Dataset
from tallystick.data.extract.lock import locked
from tallystick.data.extract.manifest import Part
from tallystick.data.extract.schema import LOGS, UNIQUE
from tallystick.protocol.progress import Progress
from tallystick.storage.durable import parquet, replace_file

VERSION = 3
"""Version of the decoded columns; another one decodes everything anew."""
NOTE_EVERY = 1.0
"""Seconds between two notes of what is done."""


def decode_logs(data: Dataset, registry: ContractKey, progress: Progress | None = None) -> int:
    """Bring a registry's decoded events up to its raw logs; return how many files were decoded.

    Each table has a file of the first part, with or without rows, so that its columns are known.

    Raises:
        FileNotFoundError: its logs were never extracted.
        DecodeError: a log is not an event of the registry; names the file.
    """
    with locked(data.logs(registry)):
        parts = {part.name: part for part in data.read_manifest(registry).parts}
        known = _read(data, registry)
        done = {name: part.sha256 for name, part in parts.items() if known.get(name) == part.sha256}
        stale = [part for name, part in parts.items() if name not in done]
        _remove(data, registry, keep=set(parts))
        noted = time.monotonic()
        for count, part in enumerate(stale):
            if progress:
                progress(count, len(stale))
            logs = pq.read_table(data.logs(registry) / part.name, schema=LOGS)
            decode_part(data, registry, part, logs, first=part.name == min(parts))
            done[part.name] = part.sha256
            if time.monotonic() - noted > NOTE_EVERY:
                _note(data, registry, done)
                noted = time.monotonic()
        if done != known:
            _note(data, registry, done)
        if progress:
            progress(len(stale), len(stale))
        return len(stale)


def is_decoded(data: Dataset, registry: ContractKey) -> bool:
    """Return whether all of a registry's raw logs are decoded, as they are now."""
    marks = _read(data, registry)
    return marks == {part.name: part.sha256 for part in data.read_manifest(registry).parts}


def note_decoded(data: Dataset, registry: ContractKey) -> None:
    """Note that every file of a registry's raw logs is decoded, as it is now."""
    _note(data, registry, {part.name: part.sha256 for part in data.read_manifest(registry).parts})


def note_parts(data: Dataset, registry: ContractKey, done: Mapping[str, str]) -> None:
    """Note that these files are decoded: SHA-256 of the raw files, by name."""
    if done:
        _note(data, registry, {**_read(data, registry), **done})


def decode_part(
    data: Dataset, registry: ContractKey, part: Part, logs: pa.Table, first: bool
) -> None:
    """Write the decoded files of one raw file; to be noted by the caller.

    Args:
        data: the folder.
        registry: whose logs.
        part: the raw file.
        logs: what it holds.
        first: whether each table gets a file, with or without rows.

    Raises:
        DecodeError: a log is not an event of the registry.
    """
    try:
        tables = decode(logs, registry)
    except DecodeError as error:
        raise DecodeError(f"{data.logs(registry) / part.name}: {error}") from None
    write_events(data, registry, part, tables, first)


def write_events(
    data: Dataset, registry: ContractKey, part: Part, tables: Mapping[str, pa.Table], first: bool
) -> None:
    """Write a raw file's events, a file for each table that has rows.

    Args:
        data: the folder.
        registry: whose events.
        part: the raw file.
        tables: by the event's name.
        first: whether each table gets a file, with or without rows.
    """

    wanted = [name for name, table in tables.items() if len(table) or first]
    for name in tables.keys() - wanted:
        (data.events(name, registry) / part.name).unlink(missing_ok=True)

    def write(name: str) -> None:
        # What repeats is in dictionaries already.
        text = [field.name for field in tables[name].schema if field.type == pa.string()]
        content = parquet(tables[name], unique=[*text, *UNIQUE])
        replace_file(data.events(name, registry) / part.name, content)

    # Compressing lets other threads run.
    with ThreadPoolExecutor() as pool:
        list(pool.map(write, wanted))


def _remove(data: Dataset, registry: ContractKey, keep: set[str]) -> None:
    """Remove decoded files of raw files that are gone, and what a crash left."""
    for layout in layouts():
        folder = data.events(layout.name, registry)
        for path in folder.iterdir() if folder.exists() else ():
            if path.name not in keep:
                path.unlink()


def _read(data: Dataset, registry: ContractKey) -> Mapping[str, str]:
    """Return SHA-256 of the raw files that are decoded, by name."""
    try:
        found = json.loads(_marks(data, registry).read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    parts: Mapping[str, str] = found["parts"] if found.get("version") == VERSION else {}
    return parts


def _note(data: Dataset, registry: ContractKey, done: Mapping[str, str]) -> None:
    # In the order of blocks, whatever the order of work: equal folders are equal to the byte.
    body = {"version": VERSION, "parts": dict(sorted(done.items()))}
    replace_file(_marks(data, registry), json.dumps(body, indent=1).encode())


def _marks(data: Dataset, registry: ContractKey) -> Path:
    path = data.manifest(registry)
    return path.parent / "decoded" / path.name
