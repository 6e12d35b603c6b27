"""Import batches: items brought in together, noted before they are sent, so that none goes twice.

An import batch becomes one batch of the registry. Its lines and its items are written first, then
its items are noted as its own, then it is committed; so a noted one can always be brought in again.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tallystick.opengradient.errors import OpenGradientError
from tallystick.opengradient.item import SignedItem
from tallystick.protocol.hexes import from_hex, to_hex
from tallystick.storage.durable import replace_file
from tallystick.storage.sqlite_format import SqliteKind
from tallystick.storage.sqlite_journal import SqliteJournal, create_tables

FORMAT = 1
_SCHEMA = """
create table if not exists import_batch (
    number integer primary key,
    scope blob not null,
    name text not null,
    brought integer not null default 0,
    unique (scope, name)
) strict;
create table if not exists item (
    scope blob not null,
    identity blob not null,
    import_batch integer not null references import_batch (number),
    primary key (scope, identity)
) strict, without rowid;
"""


@dataclass(frozen=True, slots=True)
class ImportBatch:
    """Items that become one batch, in the order of its leaves."""

    items: tuple[SignedItem, ...]

    @property
    def name(self) -> str:
        """The name of its files, from what it holds."""
        return hashlib.sha256(b"".join(item.identity() for item in self.items)).hexdigest()


class ImportBatches:
    """Import batches for one place: a lane of a network.

    Args:
        folder: of the import batches' files, and of what is noted.
        scope: what names the place; the same item may go to several.
    """

    def __init__(self, folder: Path, scope: bytes) -> None:
        self._folder, self._scope = folder, scope

    def new(self, items: Iterable[SignedItem]) -> list[SignedItem]:
        """Return those that are in no import batch yet, each once."""
        mine = {item.identity(): item for item in items}
        if not (self._folder / "imports.sqlite3").exists():
            return list(mine.values())
        with closing(self._open()) as file:
            query = "select 1 from item where scope = ? and identity = ?"
            return [
                item
                for identity, item in mine.items()
                if not file.read(query, self._scope, identity)
            ]

    def note(self, batch: ImportBatch) -> None:
        """Keep an import batch, and note that its items are in it.

        Raises:
            sqlite3.IntegrityError: one of them is in another already.
        """
        self.write(batch)
        with closing(self._open()) as file, file.write() as database:
            cursor = database.execute(
                "insert into import_batch (scope, name) values (?, ?)", (self._scope, batch.name)
            )
            rows = [(self._scope, item.identity(), cursor.lastrowid) for item in batch.items]
            database.executemany("insert into item values (?, ?, ?)", rows)

    def write(self, batch: ImportBatch) -> None:
        """Write an import batch's files, noting nothing."""
        lines = (
            {"input_hash": to_hex(item.input_hash), "output_hash": to_hex(item.output_hash)}
            for item in batch.items
        )
        _write_lines(self.lines(batch), lines)
        fields = (
            {
                "tee_id": to_hex(item.tee_id),
                "input_hash": to_hex(item.input_hash),
                "output_hash": to_hex(item.output_hash),
                "timestamp": item.timestamp,
                "signature": to_hex(item.signature),
            }
            for item in batch.items
        )
        _write_lines(self._items(batch.name), fields)

    def waiting(self) -> list[ImportBatch]:
        """Return what is noted and not brought in, in the order in which it was noted."""
        if not (self._folder / "imports.sqlite3").exists():
            return []
        with closing(self._open()) as file:
            rows = file.read(
                "select name from import_batch where scope = ? and not brought order by number",
                self._scope,
            )
        return [read_import_batch(self._items(name)) for (name,) in rows]

    def brought(self, batch: ImportBatch) -> None:
        """Note that an import batch is brought in."""
        with closing(self._open()) as file, file.write() as database:
            database.execute(
                "update import_batch set brought = 1 where scope = ? and name = ?",
                (self._scope, batch.name),
            )

    def lines(self, batch: ImportBatch) -> Path:
        """File of an import batch's inferences, as `submit` takes them."""
        return self._folder / "imports" / f"{batch.name}.jsonl"

    def _items(self, name: str) -> Path:
        return self._folder / "imports" / f"{name}.items.jsonl"

    def _open(self) -> SqliteJournal:
        path, kind = self._folder / "imports.sqlite3", SqliteKind.IMPORT_BATCHES
        return SqliteJournal(path, kind, FORMAT, create_tables(_SCHEMA))


def read_import_batch(path: Path) -> ImportBatch:
    """Return the import batch in a file of items, imports/<name>.items.jsonl.

    Raises:
        OpenGradientError: a line is no item.
    """
    items = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        try:
            items.append(_item(json.loads(line)))
        except (ValueError, KeyError, TypeError) as error:
            raise OpenGradientError(f"{path}, line {number} is no item: {error!r}") from error
    return ImportBatch(tuple(items))


def _write_lines(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    replace_file(path, "".join(json.dumps(row) + "\n" for row in rows).encode())


def _item(found: dict[str, str]) -> SignedItem:
    tee_id, input_hash, output_hash = (
        from_hex(found[name], 32) for name in ("tee_id", "input_hash", "output_hash")
    )
    signature = from_hex(found["signature"])
    return SignedItem(tee_id, input_hash, output_hash, int(found["timestamp"]), signature)


def split(settlements: Iterable[Sequence[SignedItem]], singly: bool) -> Iterator[ImportBatch]:
    """Yield the import batches that settlements become: one each, or one for each item."""
    for items in settlements:
        if singly:
            yield from (ImportBatch((item,)) for item in items)
        elif items:
            yield ImportBatch(tuple(items))
