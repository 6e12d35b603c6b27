"""Which items are brought in together, noted before they are: no item goes twice, whatever crashes.

A parcel is what becomes one batch. Its lines and its items are written first, then its items are
noted as the parcel's, then it is committed; so a noted parcel can always be brought in again.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tallystick.durable import replace_file
from tallystick.hexes import from_hex, to_hex
from tallystick.opengradient.item import SignedItem

_SCHEMA = """
create table if not exists parcel (
    number integer primary key,
    scope blob not null,
    name text not null,
    brought integer not null default 0,
    unique (scope, name)
) strict;
create table if not exists item (
    scope blob not null,
    identity blob not null,
    parcel integer not null references parcel (number),
    primary key (scope, identity)
) strict, without rowid;
"""


@dataclass(frozen=True, slots=True)
class Parcel:
    """Items that become one batch, in the order of its leaves."""

    items: tuple[SignedItem, ...]

    @property
    def name(self) -> str:
        """Of its files, by what it holds."""
        return hashlib.sha256(b"".join(item.identity() for item in self.items)).hexdigest()


class Parcels:
    """Parcels for one place: a lane of a network of a core.

    Args:
        folder: of the parcels' files, and of what is noted.
        scope: what names the place; the same item may go to several.
    """

    def __init__(self, folder: Path, scope: bytes) -> None:
        self._folder, self._scope = folder, scope

    def new(self, items: Iterable[SignedItem]) -> list[SignedItem]:
        """Return those that are in no parcel yet, each once."""
        mine = {item.identity(): item for item in items}
        if not (self._folder / "parcels.sqlite3").exists():
            return list(mine.values())
        with self._open() as database:
            query = "select 1 from item where scope = ? and identity = ?"
            return [
                item
                for identity, item in mine.items()
                if database.execute(query, (self._scope, identity)).fetchone() is None
            ]

    def note(self, parcel: Parcel) -> None:
        """Keep a parcel, and note that its items are in it.

        Raises:
            sqlite3.IntegrityError: one of them is in another already.
        """
        self.write(parcel)
        with self._open() as database:
            cursor = database.execute(
                "insert into parcel (scope, name) values (?, ?)", (self._scope, parcel.name)
            )
            rows = [(self._scope, item.identity(), cursor.lastrowid) for item in parcel.items]
            database.executemany("insert into item values (?, ?, ?)", rows)

    def write(self, parcel: Parcel) -> None:
        """Write a parcel's files, noting nothing."""
        lines = (
            {"input_hash": to_hex(item.input_hash), "output_hash": to_hex(item.output_hash)}
            for item in parcel.items
        )
        _write_lines(self.lines(parcel), lines)
        fields = (
            {
                "tee_id": to_hex(item.tee_id),
                "input_hash": to_hex(item.input_hash),
                "output_hash": to_hex(item.output_hash),
                "timestamp": item.timestamp,
                "signature": to_hex(item.signature),
            }
            for item in parcel.items
        )
        _write_lines(self._items(parcel.name), fields)

    def waiting(self) -> list[Parcel]:
        """Return the parcels that are noted and not brought in, in the order they were noted."""
        if not (self._folder / "parcels.sqlite3").exists():
            return []
        with self._open() as database:
            rows = database.execute(
                "select name from parcel where scope = ? and not brought order by number",
                (self._scope,),
            ).fetchall()
        return [read_parcel(self._items(name)) for (name,) in rows]

    def brought(self, parcel: Parcel) -> None:
        """Note that a parcel is brought in."""
        with self._open() as database:
            database.execute(
                "update parcel set brought = 1 where scope = ? and name = ?",
                (self._scope, parcel.name),
            )

    def lines(self, parcel: Parcel) -> Path:
        """File of a parcel's inferences, as `submit` takes them."""
        return self._folder / "parcels" / f"{parcel.name}.jsonl"

    def _items(self, name: str) -> Path:
        return self._folder / "parcels" / f"{name}.items.jsonl"

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self._folder.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(self._folder / "parcels.sqlite3")
        try:
            database.execute("pragma synchronous = full")
            database.executescript(_SCHEMA)
            with database:
                yield database
        finally:
            database.close()


def read_parcel(path: Path) -> Parcel:
    """Return the parcel in a file of items, parcels/<name>.items.jsonl."""
    return Parcel(tuple(_item(json.loads(line)) for line in path.read_text().splitlines()))


def _write_lines(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    replace_file(path, "".join(json.dumps(row) + "\n" for row in rows).encode())


def _item(found: dict[str, str]) -> SignedItem:
    tee_id, input_hash, output_hash = (
        from_hex(found[name], 32) for name in ("tee_id", "input_hash", "output_hash")
    )
    signature = from_hex(found["signature"])
    return SignedItem(tee_id, input_hash, output_hash, int(found["timestamp"]), signature)


def split(settlements: Iterable[Sequence[SignedItem]], singly: bool) -> Iterator[Parcel]:
    """Yield the parcels that settlements become: one each, or one for each item."""
    for items in settlements:
        if singly:
            yield from (Parcel((item,)) for item in items)
        elif items:
            yield Parcel(tuple(items))
