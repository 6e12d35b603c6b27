"""Findings of a network from its folder, without doing again what an earlier run did.

networks/<name>/judged.json      what the findings were made from
networks/<name>/signers.parquet  who made each signature that was recovered

Where neither logs, calls nor code have changed since, findings stay as they are. Else claims are
judged anew, from all of the folder; but of signatures only those are recovered that are new.
"""

import contextlib
import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tallystick.networks.adapter import JUDGED, Adapter, Judged, Run, check
from tallystick.networks.chain_reader import dataset, key_of, read_rows
from tallystick.networks.recovery import Signed, recover
from tallystick.storage.durable import parquet, replace_file

VERSION = 1
SIGNERS = pa.schema(
    [
        pa.field("key", pa.binary(32), nullable=False),  # SHA-256 of digest and signature
        pa.field("signer", pa.binary(), nullable=False),  # an address; empty: it is no signature
    ]
)
PACKAGE = Path(__file__).parent.parent


def judge_folder(adapter: Adapter, run: Run) -> tuple[Judged, int]:
    """Return the findings of a network that is read by its logs, and how many logs are malformed.

    Raises:
        AdapterError: the adapter gives what are no findings.
    """
    made_from, path = inputs(adapter, run), run.data.root / "judged.json"
    if (known := _read(path, made_from)) is not None:
        return known
    signers = Signers(run.data.root / "signers.parquet")
    rows = read_rows(adapter, run, signers.recover)
    judged = check(adapter.name, adapter.judge(rows))
    signers.write()
    table = parquet(judged.table)
    body = {
        "version": VERSION,
        "inputs": made_from,
        "malformed": rows.malformed,
        "measures": {name: str(value) for name, value in judged.measures.items()},
        "table": table.hex(),
    }
    replace_file(path, (json.dumps(body, indent=1) + "\n").encode())
    return judged, rows.malformed


def inputs(adapter: Adapter, run: Run) -> str:
    """Return a hash of all that findings rest on: logs, calls, places, and the code that judges."""
    found = hashlib.sha256()
    for place in sorted(run.places, key=repr):
        data, key = dataset(run, place), key_of(place)
        parts = data.read_manifest(key).parts if data.manifest(key).exists() else []
        logs = [part.sha256 for part in parts if part.rows]
        # A file of calls is named by its logs.
        calls = [path.name for path in sorted(data.calls(key).glob("*.parquet"))]
        found.update(repr((place, logs, calls)).encode())
    for path in _code(adapter):
        found.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


class Signers:
    """Signers by signature, kept in a file: recovering one costs more than to look it up."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[bytes, bytes] = {}
        self._used: dict[bytes, bytes] = {}
        # What cannot be read is made again.
        with contextlib.suppress(FileNotFoundError, pa.ArrowInvalid):
            columns = (one.to_pylist() for one in pq.read_table(path, schema=SIGNERS).columns)
            self._known = dict(zip(*columns, strict=True))

    def recover(self, signed: Sequence[Signed]) -> list[bytes]:
        """Return what recovery.recover does."""
        keys = [hashlib.sha256(digest + signature).digest() for digest, signature in signed]
        new = {key: one for key, one in zip(keys, signed, strict=True) if key not in self._known}
        self._known.update(zip(new, recover(list(new.values())), strict=True))
        self._used.update((key, self._known[key]) for key in keys)
        return [self._known[key] for key in keys]

    def write(self) -> None:
        """Keep what was asked for since; nothing else is needed any more."""
        if self._used:
            columns = [list(self._used), list(self._used.values())]
            table = pa.table(columns, schema=SIGNERS)
            replace_file(self._path, parquet(table, SIGNERS.names))


def _read(path: Path, made_from: str) -> tuple[Judged, int] | None:
    """Return findings that were made from the same; None where there are none."""
    try:
        found = json.loads(path.read_bytes())
        if (found["version"], found["inputs"]) != (VERSION, made_from):
            return None
        table = pq.read_table(pa.BufferReader(bytes.fromhex(found["table"])), schema=JUDGED)
        measures = {name: int(value) for name, value in found["measures"].items()}
        return Judged(table, measures), found["malformed"]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _code(adapter: Adapter) -> list[Path]:
    """Return the files of the code that decodes and judges: ours, and the adapter's own package."""
    folders = [PACKAGE / "networks", PACKAGE / "data" / "decode", PACKAGE / "protocol"]
    module = adapter.judge.__module__
    files: list[Path] = []
    if module.split(".")[0] != "tallystick":
        top = sys.modules.get(module.split(".")[0])
        paths = list(getattr(top, "__path__", ()))
        folders += [Path(one) for one in paths]
        own = getattr(sys.modules.get(module), "__file__", None)
        files = [Path(own)] if own and not paths else []
    return [*files, *(path for folder in folders for path in sorted(folder.rglob("*.py")))]
